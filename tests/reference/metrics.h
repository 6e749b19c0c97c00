// Metrics as their definitions read, with every pair of cells looked at; for tests only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace m2st::reference {

using Labels = std::vector<std::int32_t>;
using Points = std::vector<std::vector<double>>;

inline double squared_gap(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// Adjusted Rand index by looking at all pairs of cells.
inline double adjusted_rand(const Labels& a, const Labels& b) {
  double both = 0, in_a = 0, in_b = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      all += 1;
      in_a += a[i] == a[j];
      in_b += b[i] == b[j];
      both += a[i] == a[j] && b[i] == b[j];
    }
  }
  const double expected = in_a * in_b / all;
  return (both - expected) / ((in_a + in_b) / 2 - expected);
}

// Largest total over all one-to-one matchings of the rows to columns, by trying them all.
inline std::int64_t best_matching(const std::vector<std::vector<std::int64_t>>& value) {
  std::vector<std::size_t> columns(value.front().size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;
  std::int64_t best = 0;
  bool first = true;
  do {
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < value.size(); ++row) sum += value[row][columns[row]];
    best = first ? sum : std::max(best, sum);
    first = false;
  } while (std::next_permutation(columns.begin(), columns.end()));
  return best;
}

// Silhouette of each cell; `squared` picks squared Euclidean distances.
inline std::vector<double> silhouettes(const Points& x, const Labels& labels, bool squared) {
  std::vector<double> scores;
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::map<std::int32_t, std::pair<double, double>> sums;  // by label: distance, cells
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (j == i) continue;
      const double square = squared_gap(x[i], x[j]);
      sums[labels[j]].first += squared ? square : std::sqrt(square);
      sums[labels[j]].second += 1;
    }
    if (sums[labels[i]].second == 0) {
      scores.push_back(0);
      continue;
    }
    const double inside = sums[labels[i]].first / sums[labels[i]].second;
    double nearest = INFINITY;
    for (const auto& [label, sum] : sums) {
      if (label != labels[i]) nearest = std::min(nearest, sum.first / sum.second);
    }
    scores.push_back((nearest - inside) / std::max(inside, nearest));
  }
  return scores;
}

inline double davies_bouldin(const Points& x, const Labels& labels) {
  std::map<std::int32_t, Points> clusters;
  for (std::size_t i = 0; i < x.size(); ++i) clusters[labels[i]].push_back(x[i]);
  Points centres;
  std::vector<double> spreads;
  for (const auto& [label, cells] : clusters) {
    std::vector<double> centre(x.front().size(), 0.0);
    for (const auto& cell : cells) {
      for (std::size_t c = 0; c < centre.size(); ++c) {
        centre[c] += cell[c] / static_cast<double>(cells.size());
      }
    }
    double spread = 0;
    for (const auto& cell : cells) {
      spread += std::sqrt(squared_gap(cell, centre)) / static_cast<double>(cells.size());
    }
    centres.push_back(centre);
    spreads.push_back(spread);
  }
  double sum = 0;
  for (std::size_t k = 0; k < centres.size(); ++k) {
    double worst = 0;
    for (std::size_t j = 0; j < centres.size(); ++j) {
      if (j == k) continue;
      worst = std::max(worst,
                       (spreads[k] + spreads[j]) / std::sqrt(squared_gap(centres[k], centres[j])));
    }
    sum += worst;
  }
  return sum / static_cast<double>(centres.size());
}

inline Points standardised(Points points) {
  for (std::size_t axis = 0; axis < points.front().size(); ++axis) {
    double mean = 0, variance = 0;
    for (const auto& point : points) mean += point[axis] / static_cast<double>(points.size());
    for (const auto& point : points) {
      variance += (point[axis] - mean) * (point[axis] - mean) / static_cast<double>(points.size());
    }
    for (auto& point : points) point[axis] = (point[axis] - mean) / std::sqrt(variance);
  }
  return points;
}

inline double chaos(const Points& coordinates, const Labels& labels) {
  const Points points = standardised(coordinates);
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    double nearest = INFINITY;
    int others = 0;
    for (std::size_t j = 0; j < points.size(); ++j) {
      if (j == i || labels[j] != labels[i]) continue;
      nearest = std::min(nearest, std::sqrt(squared_gap(points[i], points[j])));
      ++others;
    }
    if (others >= 2) sum += nearest;
  }
  return sum / static_cast<double>(points.size());
}

inline double pas(const Points& points, const Labels& labels) {
  double scattered = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::vector<std::pair<double, std::size_t>> others;
    for (std::size_t j = 0; j < points.size(); ++j) {
      if (j != i) others.emplace_back(squared_gap(points[i], points[j]), j);
    }
    std::sort(others.begin(), others.end());
    int foreign = 0;
    for (std::size_t n = 0; n < std::min<std::size_t>(10, others.size()); ++n) {
      foreign += labels[others[n].second] != labels[i];
    }
    scattered += foreign > 5;
  }
  return scattered / static_cast<double>(points.size());
}

}  // namespace m2st::reference
