// How well clusters separate in feature space; none needs an N × N array. Labels < 0 are left out.
#pragma once

#include <cstdint>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// Mean silhouette with squared Euclidean distances, exact from cluster sums in O(N K d): what the
// reference's MATLAB computes. Singletons count 0. NaN with fewer than two clusters.
double silhouette_squared(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels);
// Mean silhouette with Euclidean distances, exact in O(N² d) time and O(N) memory.
double silhouette_exact(CpuContext& context, MatrixView<const float> x,
                        Span<const std::int32_t> labels);
// The same over `sample` cells drawn by seed, each against all cells.
double silhouette_sampled(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels, std::int64_t sample, std::uint64_t seed);
// Davies and Bouldin 1979, as scikit-learn.
double davies_bouldin(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels);
// Calinski and Harabasz 1974, as scikit-learn.
double calinski_harabasz(CpuContext& context, MatrixView<const float> x,
                         Span<const std::int32_t> labels);

}  // namespace m2st::cluster
