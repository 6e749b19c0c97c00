// What scores of separation are made of, for several labelings of the same cells at once: means and
// spreads of their clusters, and from those the silhouettes with squared distances. All in double,
// and of a labeling's numbers none depends on the other labelings.
#pragma once

#include <cstdint>

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// Of each labeling; a cluster without cells has zeros.
struct ClusterSpreads {
  MatrixView<std::int64_t> counts;  // (sets, K)
  MatrixView<double> centres;       // (sets, d): the mean of all labelled cells
  MatrixView<double> means;         // (sets · K, d)
  MatrixView<double> squares;       // (sets, K): Σ ‖x − mean‖²
  MatrixView<double> distances;     // (sets, K): Σ ‖x − mean‖
};

// x: (N, d); labels: (sets, N), below K. Labels < 0 are left out. A label of no cluster is an
// error; CUDA leaves it out, because saying so would wait for the device.
void cluster_spreads(CpuContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads);
void cluster_spreads(CudaContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads);

// sums[s] = Σ over the labelled cells of (b − a) / max(a, b), where a is a cell's mean squared
// distance to the other cells of its cluster and b the smallest such mean to another cluster; 0 for
// cells alone in their cluster. Spreads are those of the same labels, and two clusters or more of
// each labeling hold cells.
void silhouette_sums(CpuContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads,
                     Span<double> sums);
void silhouette_sums(CudaContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads,
                     Span<double> sums);

}  // namespace m2st::kernels
