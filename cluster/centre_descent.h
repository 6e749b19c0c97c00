// The centres' step of the monotone solver: for fixed X and U
//   f(V) = α (Σ_c n_c ‖v_c‖² − 2 tr Vᵀ C) + λ ‖VᵀV − I‖²,  C = X Uᵀ, n_c the cluster sizes,
// which is α ‖X − VU‖² + λ ‖VᵀV − I‖² without the constant α ‖X‖². It has no closed form; along a
// line it is a polynomial of degree four, so that a step's length can be found exactly.
#pragma once

#include <cstdint>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct CentreProblem {
  MatrixView<const double> cross;   // C (d_s, K)
  Span<const std::int64_t> counts;  // (K)
  double alpha = 0;
  double lambda = 0;
};

double centre_objective(CpuContext& context, const CentreProblem& problem,
                        MatrixView<const double> centres);

// ‖VᵀV − I‖².
double orthogonality(CpuContext& context, MatrixView<const double> centres);

// Conjugate gradients (Polak and Ribière), scaled by column, each step to the first minimum along
// its line. The result is never worse than `centres`; for λ = 0 it is the clusters' means, and an
// empty cluster's centre stays.
Matrix<double> descended_centres(CpuContext& context, const CentreProblem& problem,
                                 MatrixView<const double> centres, int steps);

}  // namespace m2st::cluster
