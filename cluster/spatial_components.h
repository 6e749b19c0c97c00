// Cells as the default clustering sees them: rows of even length, averaged over their
// neighbourhoods, and reduced to leading components. What each step is worth was measured:
// docs/domains.md.
#pragma once

#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct SpatialComponentOptions {
  int steps = 4;                  // of averaging over neighbours and the cell itself
  int components = 20;            // kept of each block and of their join
  double length_exponent = 1.0;   // features' rows are divided by their norm to this power
  double embedding_weight = 0.1;  // share of all embeddings' variance, the features' being 1
};

// (N, at most `components`) scores, by falling variance, total variance 1. features: (N, d) or
// empty (the embeddings alone then); graph: neighbours without self loops, or empty (then nothing
// is averaged).
Matrix<double> spatial_components(CpuContext& context,
                                  const std::vector<MatrixView<const float>>& embeddings,
                                  MatrixView<const float> features, CsrView graph,
                                  const SpatialComponentOptions& options);

// How much of the rows' lengths to take away. Standardised expression that was never clipped has a
// few rows ten times as long as the others, which would be clusters of their own: 1 (rows of unit
// length) where the longest hundredth of the centred rows is beyond three medians. Elsewhere
// lengths tell cells apart: 1/2. features: (N >= 1, d), finite.
double length_exponent_of(CpuContext& context, MatrixView<const float> features);

// How many cells' independent noise one cell holds after `steps` averagings: 1 / Σ w² over its
// weights, the median of all cells (estimated from averaged random signs); 1 without a graph.
double cells_per_average(CpuContext& context, CsrView graph, int steps);

}  // namespace m2st::cluster
