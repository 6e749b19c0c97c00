// The kernels of the clustering in step, on batches of small matrices and over the cells, for a
// StagedCuda.
#pragma once

#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cell_sweep.h"
#include "kernels/cluster_steps.h"
#include "kernels/separation.h"
#include "tests/backends/cuda/staged_cuda.h"

namespace m2st::kernels {

template <class T>
void copy_block(test::StagedCuda& context, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return copy_block<T>(cuda, there...); },
                     layout, factor, factors, from, to, accumulate);
}

template <class T>
void add_to_diagonals(test::StagedCuda& context, Span<const T> amounts, BatchView<T> x) {
  return context.run([](auto& cuda, auto... there) { return add_to_diagonals<T>(cuda, there...); },
                     amounts, x);
}

template <class T>
void traces(test::StagedCuda& context, BatchView<const T> x, Span<T> values) {
  return context.run([](auto& cuda, auto... there) { return traces<T>(cuda, there...); }, x,
                     values);
}

template <class T>
void make_finite(test::StagedCuda& context, T infinity, Span<T> x) {
  return context.run([](auto& cuda, auto... there) { return make_finite<T>(cuda, there...); },
                     infinity, x);
}

template <class T>
void unit_rows(test::StagedCuda& context, BatchView<T> map, BatchView<T> seen) {
  return context.run([](auto& cuda, auto... there) { return unit_rows<T>(cuda, there...); }, map,
                     seen);
}

template <class T>
void multiply(test::StagedCuda& context, Layout layout_a, Layout layout_b, T alpha,
              BatchView<const T> a, BatchView<const T> b, T beta, BatchView<T> out) {
  return context.run([](auto& cuda, auto... there) { return multiply<T>(cuda, there...); },
                     layout_a, layout_b, alpha, a, b, beta, out);
}

template <class T>
void solve_symmetric(test::StagedCuda& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution) {
  return context.run([](auto& cuda, auto... there) { return solve_symmetric<T>(cuda, there...); },
                     a, right_side, solution);
}

template <class T>
void pseudo_inverses(test::StagedCuda& context, BatchView<const T> a, BatchView<T> out) {
  return context.run([](auto& cuda, auto... there) { return pseudo_inverses<T>(cuda, there...); },
                     a, out);
}

template <class T>
void largest_eigenvalues(test::StagedCuda& context, BatchView<const T> a, Span<T> values) {
  return context.run(
      [](auto& cuda, auto... there) { return largest_eigenvalues<T>(cuda, there...); }, a, values);
}

template <class T>
void sweep_cells(test::StagedCuda& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts) {
  return context.run(
      [](auto& cuda, const auto&... there) { return sweep_cells<T>(cuda, there...); }, data, parts);
}

inline void cluster_spreads(test::StagedCuda& context, MatrixView<const float> x,
                            MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads) {
  return context.run([](auto& cuda, auto... there) { return cluster_spreads(cuda, there...); }, x,
                     labels, spreads);
}

inline void silhouette_sums(test::StagedCuda& context, MatrixView<const float> x,
                            MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads,
                            Span<double> sums) {
  return context.run([](auto& cuda, auto... there) { return silhouette_sums(cuda, there...); }, x,
                     labels, spreads, sums);
}

inline void view_weights(test::StagedCuda& context, Span<const double> lambda2,
                         MatrixView<const double> norms, MatrixView<double> weights) {
  return context.run([](auto& cuda, auto... there) { return view_weights(cuda, there...); },
                     lambda2, norms, weights);
}

inline void centre_systems(test::StagedCuda& context, Span<const double> alphas,
                           Span<const double> lambda3, MatrixView<const std::int64_t> counts,
                           BatchView<double> gram) {
  return context.run([](auto& cuda, auto... there) { return centre_systems(cuda, there...); },
                     alphas, lambda3, counts, gram);
}

inline void half_distances(test::StagedCuda& context, MatrixView<const std::int64_t> counts,
                           BatchView<const double> centres, BatchView<const double> cross,
                           BatchView<double> out) {
  return context.run([](auto& cuda, auto... there) { return half_distances(cuda, there...); },
                     counts, centres, cross, out);
}

inline void add_centre_squares(test::StagedCuda& context, Span<const double> alphas,
                               BatchView<const double> centres, BatchView<double> table) {
  return context.run([](auto& cuda, auto... there) { return add_centre_squares(cuda, there...); },
                     alphas, centres, table);
}

inline void put_counts(test::StagedCuda& context, MatrixView<const std::int64_t> counts,
                       BatchView<double> gram) {
  return context.run([](auto& cuda, auto... there) { return put_counts(cuda, there...); }, counts,
                     gram);
}

}  // namespace m2st::kernels
