// How well clusters separate in feature space; none needs an N × N array. Labels < 0 are left out.
// With fewer than two clusters every figure is NaN.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/context.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// Mean silhouette with squared Euclidean distances, exact from cluster sums in O(N K d): what the
// reference's MATLAB computes. Cells alone in their cluster count 0, as scikit-learn has it.
double silhouette_squared(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels);
// Mean silhouette with Euclidean distances, exact in O(N² d) time and O(N) memory.
double silhouette_exact(CpuContext& context, MatrixView<const float> x,
                        Span<const std::int32_t> labels);
// The same over `sample` cells drawn by seed, each against all cells; all of them when there are
// no more.
double silhouette_sampled(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels, std::int64_t sample, std::uint64_t seed);
// Davies and Bouldin 1979, as scikit-learn: 0 when no cluster has an extent, pairs of clusters with
// the same centre are passed over.
double davies_bouldin(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels);
// Calinski and Harabasz 1974, as scikit-learn: 1 when no cluster has an extent.
double calinski_harabasz(CpuContext& context, MatrixView<const float> x,
                         Span<const std::int32_t> labels);

// The three that take one pass together, for as much reading as one: the same figures, to the byte.
struct Separation {
  double silhouette_squared;
  double davies_bouldin;
  double calinski_harabasz;
};
Separation separation(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels);
// Of several labelings (sets, N) into 0 .. clusters - 1, clusters without cells left out, on the
// context's backend. x lies where its kernels see it, labels are the host's. On a device they
// differ from the host's by rounding.
std::vector<Separation> separations(Context& context, MatrixView<const float> x,
                                    MatrixView<const std::int32_t> labels, std::int64_t clusters);

}  // namespace m2st::cluster
