// Thin compositions of the dense kernels.
#include "cluster/reference_algebra.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/linear_algebra.h"

namespace m2st::cluster {
namespace {

constexpr double kInfinityStandsFor = 1e5;  // the reference code's choice

}  // namespace

using kernels::Layout;

Matrix<double> product(CpuContext& context, Layout layout_a, MatrixView<const double> a,
                       Layout layout_b, MatrixView<const double> b) {
  const std::int64_t rows = layout_a == Layout::kPlain ? a.rows : a.cols;
  const std::int64_t cols = layout_b == Layout::kPlain ? b.cols : b.rows;
  Matrix<double> result(context.pool(), rows, cols);
  kernels::gemm<double>(context, layout_a, layout_b, 1.0, a, b, 0.0, result.view());
  return result;
}

void add_product(CpuContext& context, double alpha, Layout layout_a, MatrixView<const double> a,
                 Layout layout_b, MatrixView<const double> b, MatrixView<double> out) {
  kernels::gemm<double>(context, layout_a, layout_b, alpha, a, b, 1.0, out);
}

Matrix<double> solved(CpuContext& context, MatrixView<const double> a,
                      MatrixView<const double> right_side) {
  Matrix<double> result(context.pool(), right_side.rows, right_side.cols);
  if (kernels::solve_spd<double>(context, a, right_side, result.view())) return result;
  const double condition = kernels::solve_general<double>(context, a, right_side, result.view());
  if (condition >= std::numeric_limits<double>::epsilon()) return result;
  Matrix<double> inverse(context.pool(), a.cols, a.rows);
  kernels::pseudo_inverse<double>(context, a, inverse.view());
  return product(context, Layout::kPlain, inverse.view(), Layout::kPlain, right_side);
}

Matrix<double> ridged_gram(CpuContext& context, MatrixView<const double> a, double ridge) {
  Matrix<double> result = product(context, Layout::kPlain, a, Layout::kTransposed, a);
  for (std::int64_t i = 0; i < result.rows(); ++i) result(i, i) += ridge;
  return result;
}

void clean(Span<double> values) {
  for (double& value : values) {
    if (std::isnan(value)) value = 0;
    if (std::isinf(value)) value = std::copysign(kInfinityStandsFor, value);
  }
}

Matrix<double> next_centres(CpuContext& context, double alpha, double lambda3,
                            MatrixView<const double> cross, Span<const std::int64_t> counts,
                            MatrixView<const double> centres) {
  Matrix<double> middle = product(context, Layout::kTransposed, centres, Layout::kPlain, centres);
  for (double& entry : middle.span()) entry *= lambda3;
  for (std::int64_t c = 0; c < middle.rows(); ++c) {
    middle(c, c) += alpha * static_cast<double>(counts[static_cast<std::size_t>(c)]) - lambda3;
  }
  clean(middle.span());
  Matrix<double> inverse(context.pool(), middle.rows(), middle.cols());
  kernels::pseudo_inverse<double>(context, middle.view(), inverse.view());
  Matrix<double> result(context.pool(), cross.rows, cross.cols);
  kernels::gemm<double>(context, Layout::kPlain, Layout::kPlain, alpha, cross, inverse.view(), 0.0,
                        result.view());
  clean(result.span());
  return result;
}

double squared_norm(CpuContext& context, MatrixView<const double> gram, WeightNorm norm) {
  double trace = 0;
  for (std::int64_t i = 0; i < gram.rows; ++i) trace += gram(i, i);
  // The trace bounds every entry of a Gram matrix; beyond double's range its weight is 0 anyway.
  if (!std::isfinite(trace)) return std::numeric_limits<double>::max();
  if (norm == WeightNorm::kFrobenius) return std::max(trace, 0.0);
  return std::max(kernels::largest_eigenvalue<double>(context, gram), 0.0);
}

double distance_norm(CpuContext& context, MatrixView<const double> gram,
                     MatrixView<const double> cross, MatrixView<const double> centres,
                     Span<const std::int64_t> counts, WeightNorm norm) {
  // (½ V U Uᵀ − X Uᵀ) Vᵀ and its transpose.
  Matrix<double> half(context.pool(), centres.rows, centres.cols);
  for (std::int64_t i = 0; i < half.rows(); ++i) {
    for (std::int64_t c = 0; c < half.cols(); ++c) {
      const double count = static_cast<double>(counts[static_cast<std::size_t>(c)]);
      half(i, c) = 0.5 * count * centres(i, c) - cross(i, c);
    }
  }
  const Matrix<double> part =
      product(context, Layout::kPlain, half.view(), Layout::kTransposed, centres);
  Matrix<double> difference(context.pool(), gram.rows, gram.cols);
  for (std::int64_t i = 0; i < gram.rows; ++i) {
    for (std::int64_t j = 0; j < gram.cols; ++j) {
      difference(i, j) = gram(i, j) + (part(i, j) + part(j, i));
    }
  }
  return squared_norm(context, difference.view(), norm);
}

std::vector<double> view_weights(double lambda2, const std::vector<double>& squared_norms) {
  std::vector<double> weights;
  for (const double norm : squared_norms) weights.push_back(std::exp(-lambda2 * norm));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) {
    weight = sum > 0 ? weight / sum : 1.0 / static_cast<double>(weights.size());
  }
  return weights;
}

std::vector<std::int64_t> cluster_sizes(const std::vector<std::int32_t>& labels, int clusters) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters), 0);
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

}  // namespace m2st::cluster
