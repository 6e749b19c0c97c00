// A Gaussian mixture whose cells listen to their neighbours: one shared covariance and a Potts
// field (Potts 1952), solved by mean-field sweeps between the M steps (Celeux, Forbes and Peyrard,
// Pattern Recognition 2003).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct SpatialMixtureOptions {
  int domains = 0;               // 1 <= K <= N
  double field = 6.0;            // weight of all neighbours together at the graph's mean degree
  int sweeps = 3;                // of the field, an iteration
  int iterations = 60;           // at most
  double tolerance = 1e-4;       // stop once no larger share of the labels changes
  double regularisation = 0.01;  // share of the mean variance of columns added to every variance
  // What a log density is divided by, >= 1. Cells averaged over their neighbourhoods repeat each
  // other's evidence; what is left after that weighs against the components' sizes and the field.
  double temperature = 1.0;
};

struct SpatialMixtureResult {
  std::vector<std::int32_t> labels;  // (N), the most responsible component, the lowest of equals
  Matrix<double> responsibilities;   // (N, K), rows add up to 1
  int iterations = 0;
  bool converged = false;
};

// x: (N, d), finite; graph: neighbours without self loops, or empty (a plain mixture then);
// start: (N) labels in [0, K).
SpatialMixtureResult fit_spatial_mixture(CpuContext& context, MatrixView<const double> x,
                                         CsrView graph, Span<const std::int32_t> start,
                                         const SpatialMixtureOptions& options);

}  // namespace m2st::cluster
