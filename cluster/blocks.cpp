// Plain copies; transposing goes by tiles, so that both sides stay in cache.
#include "cluster/blocks.h"

#include <algorithm>

#include "engine/parallel.h"

namespace m2st::cluster {
namespace {

constexpr std::int64_t kTile = 32;  // 32 × 32 doubles: 8 KB, a quarter of the first cache

}  // namespace

Matrix<double> zeros(CpuContext& context, std::int64_t rows, std::int64_t cols) {
  Matrix<double> result(context.pool(), rows, cols);
  std::fill(result.span().begin(), result.span().end(), 0.0);
  return result;
}

Matrix<double> copy_of(CpuContext& context, MatrixView<const double> x) {
  Matrix<double> result(context.pool(), x.rows, x.cols);
  std::copy_n(x.data, x.size(), result.data());
  return result;
}

Matrix<double> transposed(CpuContext& context, MatrixView<const double> x) {
  Matrix<double> result(context.pool(), x.cols, x.rows);
  parallel_for(context, x.rows, kTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = 0; first < x.cols; first += kTile) {
      const std::int64_t last = std::min(first + kTile, x.cols);
      for (std::int64_t j = first; j < last; ++j) {
        for (std::int64_t i = begin; i < end; ++i) result(j, i) = x(i, j);
      }
    }
  });
  return result;
}

Matrix<double> columns(CpuContext& context, MatrixView<const double> x, std::int64_t first,
                       std::int64_t count) {
  Matrix<double> result(context.pool(), x.rows, count);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    std::copy_n(x.row(i).data() + first, count, result.view().row(i).data());
  }
  return result;
}

void add_to_columns(double factor, MatrixView<const double> x, std::int64_t first,
                    MatrixView<double> out) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double* row = out.row(i).data() + first;
    for (std::int64_t j = 0; j < x.cols; ++j) row[j] += factor * x(i, j);
  }
}

}  // namespace m2st::cluster
