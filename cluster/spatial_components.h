// Cells as the default clustering sees them: rows of unit length, cleaned of what goes with
// measurement depth, averaged over their neighbourhoods, and reduced to leading components.
// What each step is worth was measured: docs/domains.md.
#pragma once

#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct SpatialComponentOptions {
  int steps = 4;                  // of averaging over neighbours and the cell itself
  int components = 12;            // kept of each block and of their join
  double embedding_weight = 0.1;  // share of all embeddings' variance, the features' being 1
  double depth_correction = 1.0;  // 0 none, 1 all of the local slope on log row norm
};

// (N, at most `components`) scores, total variance 1. features: (N, d) or empty (the embeddings
// alone then); graph: neighbours without self loops, or empty (then nothing is averaged).
Matrix<double> spatial_components(CpuContext& context,
                                  const std::vector<MatrixView<const float>>& embeddings,
                                  MatrixView<const float> features, CsrView graph,
                                  const SpatialComponentOptions& options);

}  // namespace m2st::cluster
