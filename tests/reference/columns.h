// Naive statistics of columns and rows and the scalings made of them; long double sums.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace m2st::reference {

struct ColumnStatistics {
  std::vector<double> sum, mean, variance, minimum, maximum;
};

inline ColumnStatistics column_statistics(const std::vector<double>& x, std::int64_t cols,
                                          int ddof) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / cols;
  ColumnStatistics result;
  for (std::int64_t c = 0; c < cols; ++c) {
    long double sum = 0, squares = 0;
    double low = x[c], high = x[c];
    for (std::int64_t r = 0; r < rows; ++r) {
      sum += x[r * cols + c];
      low = std::min(low, x[r * cols + c]);
      high = std::max(high, x[r * cols + c]);
    }
    const long double mean = sum / rows;
    for (std::int64_t r = 0; r < rows; ++r) {
      squares += (x[r * cols + c] - mean) * (x[r * cols + c] - mean);
    }
    result.sum.push_back(static_cast<double>(sum));
    result.mean.push_back(static_cast<double>(mean));
    result.variance.push_back(static_cast<double>(squares / (rows - ddof)));
    result.minimum.push_back(low);
    result.maximum.push_back(high);
  }
  return result;
}

inline std::vector<double> normalise_rows(std::vector<double> x, std::int64_t cols) {
  for (std::size_t r = 0; r < x.size() / cols; ++r) {
    long double square = 0;
    for (std::int64_t c = 0; c < cols; ++c) square += x[r * cols + c] * x[r * cols + c];
    if (square == 0) continue;
    for (std::int64_t c = 0; c < cols; ++c) {
      x[r * cols + c] = static_cast<double>(x[r * cols + c] / std::sqrt(square));
    }
  }
  return x;
}

inline std::vector<double> min_max_columns(std::vector<double> x, std::int64_t cols) {
  if (x.empty()) return x;
  const ColumnStatistics statistics = column_statistics(x, cols, 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double low = statistics.minimum[i % cols];
    const double range = statistics.maximum[i % cols] - low;
    x[i] = range == 0 ? 0.0 : (x[i] - low) / range;
  }
  return x;
}

}  // namespace m2st::reference
