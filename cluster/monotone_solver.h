// Eq. 12 by true block descent: every step lowers the objective or leaves it, up to rounding.
//   Σ ‖D_m − HᵀW_m − S_mᵀP_m‖² + β (‖H‖² + Σ ‖S_m‖²) + Σ μ_m (‖P_m‖² + ‖W_m‖²)
//     + Σ α ‖X − VU‖² + λ N/K Σ ‖VᵀV − I‖² + δ Σ α ln α     over X = S_1 .. S_M, H
// α, S, P, W, H and U are set to their exact minimisers in turn, V by descent (centre_descent.h),
// in reduced form: one pass over the cells an iteration. Without μ, which eq. 12 lacks, making S
// and H smaller and the maps larger lowers the objective without end.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/objective.h"
#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct MonotoneOptions {
  int clusters = 0;         // K >= 1
  int iterations = 300;     // at most, a restart
  double tolerance = 1e-6;  // stop once the objective above its least entropy falls by no more
                            // than this share
  double lambda1 = 1;       // β
  double lambda2 = 0;       // 1/δ; 0: δ is the mean ‖X − VU‖² after the first iteration
  double lambda3 = 1e-4;    // λ, multiplied by N/K
  double map_penalty = -1;  // μ; < 0: β N²/‖D_m‖², which balances S and P at one unit a cell
  int specific_dim = 40;    // d_s, capped by each view's width and by N
  int common_dim = 0;       // d_c; 0: K
  bool scale_input = true;                   // each embedding column to [0, 1] first
  int restarts = 1;                          // the one with the smallest objective is the result
  StartValues start = StartValues::kEngine;  // restarts need the engine's numbers
  std::uint64_t seed = 0;
};

struct MonotoneResult {
  std::vector<std::int32_t> labels;  // (N), 0..K-1
  std::vector<double> weights;       // α, of each view and last of H
  ObjectiveTerms objective;
  std::vector<double> history;  // the objective after each iteration of the best restart
  double delta = 0;
  double data_square = 0;  // Σ ‖D_m‖²: rounding of the objective is a share of it
  int iterations = 0;      // of the best restart
  int reseeded = 0;        // clusters moved onto a cell, in the best restart
  int restart = 0;         // the best one
  bool converged = false;
};

// data: as reference_data gives it; gram: its data_gram. Exit code 5 for options that are
// impossible for these data.
MonotoneResult solve_monotone(CpuContext& context, const std::vector<Matrix<double>>& data,
                              MatrixView<const double> gram, const MonotoneOptions& options);

// From embeddings (N, d_m), finite.
MonotoneResult monotone_clustering(CpuContext& context,
                                   const std::vector<MatrixView<const float>>& embeddings,
                                   const MonotoneOptions& options);

}  // namespace m2st::cluster
