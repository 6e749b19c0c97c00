// Thin compositions of the dense kernels; one matrix is a batch of one.
#include "cluster/reference_algebra.h"

#include <algorithm>
#include <utility>

#include "engine/context.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cluster_steps.h"

namespace m2st::cluster {
namespace {

constexpr double kInfinityStandsFor = 1e5;  // the reference code's choice

MatrixView<const std::int64_t> row_of(Span<const std::int64_t> counts) {
  return {counts.data(), 1, static_cast<std::int64_t>(counts.size())};
}

}  // namespace

using kernels::Accumulate;
using kernels::Layout;

Matrix<double> product(CpuContext& context, Layout layout_a, MatrixView<const double> a,
                       Layout layout_b, MatrixView<const double> b) {
  const std::int64_t rows = layout_a == Layout::kPlain ? a.rows : a.cols;
  const std::int64_t cols = layout_b == Layout::kPlain ? b.cols : b.rows;
  Matrix<double> result(context.pool(), rows, cols);
  kernels::gemm<double>(context, layout_a, layout_b, 1.0, a, b, 0.0, result.view());
  return result;
}

template <class Backend>
Batch<double> product(Backend& context, Layout layout_a, BatchView<const double> a, Layout layout_b,
                      BatchView<const double> b) {
  const std::int64_t rows = layout_a == Layout::kPlain ? a.rows : a.cols;
  const std::int64_t cols = layout_b == Layout::kPlain ? b.cols : b.rows;
  Batch<double> result(context.pool(), a.count, rows, cols);
  kernels::multiply<double>(context, layout_a, layout_b, 1.0, a, b, 0.0, result.view());
  return result;
}

void add_product(CpuContext& context, double alpha, Layout layout_a, MatrixView<const double> a,
                 Layout layout_b, MatrixView<const double> b, MatrixView<double> out) {
  kernels::gemm<double>(context, layout_a, layout_b, alpha, a, b, 1.0, out);
}

Matrix<double> solved(CpuContext& context, MatrixView<const double> a,
                      MatrixView<const double> right_side) {
  Matrix<double> result(context.pool(), right_side.rows, right_side.cols);
  kernels::solve_symmetric<double>(context, batch_of(a), batch_of(right_side),
                                   batch_of(result.view()));
  return result;
}

template <class Backend>
Batch<double> solved(Backend& context, BatchView<const double> a,
                     BatchView<const double> right_side) {
  Batch<double> result(context.pool(), right_side.count, right_side.rows, right_side.cols);
  kernels::solve_symmetric<double>(context, a, right_side, result.view());
  return result;
}

Matrix<double> ridged_gram(CpuContext& context, MatrixView<const double> a, double ridge) {
  Matrix<double> result = product(context, Layout::kPlain, a, Layout::kTransposed, a);
  for (std::int64_t i = 0; i < result.rows(); ++i) result(i, i) += ridge;
  return result;
}

template <class Backend>
void clean(Backend& context, Span<double> values) {
  kernels::make_finite<double>(context, kInfinityStandsFor, values);
}

template <class Backend>
void next_centres(Backend& context, Span<const double> alphas, Span<const double> lambda3,
                  BatchView<const double> cross, MatrixView<const std::int64_t> counts,
                  BatchView<double> centres) {
  Batch<double> middle =
      product<Backend>(context, Layout::kTransposed, centres, Layout::kPlain, centres);
  kernels::centre_systems(context, alphas, lambda3, counts, middle.view());
  clean(context, middle.span());
  Batch<double> inverse(context.pool(), middle.count(), middle.rows(), middle.cols());
  kernels::pseudo_inverses<double>(context, std::as_const(middle).view(), inverse.view());
  const Batch<double> step =
      product<Backend>(context, Layout::kPlain, cross, Layout::kPlain, inverse.view());
  kernels::copy_block<double>(context, Layout::kPlain, 1.0, alphas, step.view(), centres,
                              Accumulate::kOverwrite);
  clean(context, centres.span());
}

Matrix<double> next_centres(CpuContext& context, double alpha, double lambda3,
                            MatrixView<const double> cross, Span<const std::int64_t> counts,
                            MatrixView<const double> centres) {
  Matrix<double> result(context.pool(), centres.rows, centres.cols);
  std::copy_n(centres.data, centres.size(), result.data());
  next_centres<CpuContext>(context, {&alpha, 1}, {&lambda3, 1}, batch_of(cross), row_of(counts),
                           batch_of(result.view()));
  return result;
}

template <class Backend>
void squared_norms(Backend& context, BatchView<const double> gram, WeightNorm norm,
                   Span<double> norms) {
  if (norm == WeightNorm::kFrobenius) {
    kernels::traces<double>(context, gram, norms);
  } else {
    kernels::largest_eigenvalues<double>(context, gram, norms);
  }
}

double squared_norm(CpuContext& context, MatrixView<const double> gram, WeightNorm norm) {
  double result = 0;
  squared_norms<CpuContext>(context, batch_of(gram), norm, {&result, 1});
  return result;
}

template <class Backend>
void distance_norms(Backend& context, BatchView<const double> gram, BatchView<const double> cross,
                    BatchView<const double> centres, MatrixView<const std::int64_t> counts,
                    WeightNorm norm, Span<double> norms) {
  // (½ V U Uᵀ − X Uᵀ) Vᵀ and its transpose.
  Batch<double> half(context.pool(), centres.count, centres.rows, centres.cols);
  kernels::half_distances(context, counts, centres, cross, half.view());
  const Batch<double> part =
      product<Backend>(context, Layout::kPlain, half.view(), Layout::kTransposed, centres);
  Batch<double> difference(context.pool(), gram.count, gram.rows, gram.cols);
  const auto add = [&](Layout layout, BatchView<const double> x, Accumulate accumulate) {
    kernels::copy_block<double>(context, layout, 1.0, {}, x, difference.view(), accumulate);
  };
  add(Layout::kPlain, part.view(), Accumulate::kOverwrite);
  add(Layout::kTransposed, part.view(), Accumulate::kAdd);
  add(Layout::kPlain, gram, Accumulate::kAdd);
  squared_norms<Backend>(context, difference.view(), norm, norms);
}

double distance_norm(CpuContext& context, MatrixView<const double> gram,
                     MatrixView<const double> cross, MatrixView<const double> centres,
                     Span<const std::int64_t> counts, WeightNorm norm) {
  double result = 0;
  distance_norms<CpuContext>(context, batch_of(gram), batch_of(cross), batch_of(centres),
                             row_of(counts), norm, {&result, 1});
  return result;
}

std::vector<double> view_weights(CpuContext& context, double lambda2,
                                 const std::vector<double>& squared_norms) {
  std::vector<double> weights(squared_norms.size());
  const auto rows = static_cast<std::int64_t>(weights.size());
  kernels::view_weights(context, {&lambda2, 1}, {squared_norms.data(), rows, 1},
                        {weights.data(), rows, 1});
  return weights;
}

std::vector<std::int64_t> cluster_sizes(const std::vector<std::int32_t>& labels, int clusters) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters), 0);
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

#define INSTANTIATE(Backend)                                                                   \
  template Batch<double> product<Backend>(Backend&, Layout, BatchView<const double>, Layout,   \
                                          BatchView<const double>);                            \
  template Batch<double> solved<Backend>(Backend&, BatchView<const double>,                    \
                                         BatchView<const double>);                             \
  template void clean<Backend>(Backend&, Span<double>);                                        \
  template void next_centres<Backend>(Backend&, Span<const double>, Span<const double>,        \
                                      BatchView<const double>, MatrixView<const std::int64_t>, \
                                      BatchView<double>);                                      \
  template void squared_norms<Backend>(Backend&, BatchView<const double>, WeightNorm,          \
                                       Span<double>);                                          \
  template void distance_norms<Backend>(Backend&, BatchView<const double>,                     \
                                        BatchView<const double>, BatchView<const double>,      \
                                        MatrixView<const std::int64_t>, WeightNorm, Span<double>);
INSTANTIATE(CpuContext)
#if defined(M2ST_WITH_CUDA)
INSTANTIATE(CudaContext)
#endif
#undef INSTANTIATE

}  // namespace m2st::cluster
