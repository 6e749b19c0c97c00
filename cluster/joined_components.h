// Embeddings of several scales as one matrix to cluster: each scale's leading principal components,
// side by side.
#pragma once

#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// (N, min(components, N, d)) centred scores of x (N, d), finite, by falling variance.
template <class T>
Matrix<double> leading_scores(CpuContext& context, MatrixView<const T> x, int components);

// (N, Σ min(components, N, d_m)) centred scores, scale by scale. Every block: (N, d_m), finite.
Matrix<double> joined_components(CpuContext& context,
                                 const std::vector<MatrixView<const float>>& blocks,
                                 int components);

}  // namespace m2st::cluster
