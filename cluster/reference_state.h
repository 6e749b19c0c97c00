// The reference clustering of m2ST (eq. 12): its options, its variables and how they start. Every
// deviation of the reference code from the paper is an option, the code's choice being the default.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

enum class WeightNorm { kSpectral, kFrobenius };  // of S − VU in the weights: code, paper
enum class StartValues {
  kEngine,
  kHistoric
};  // whose random numbers: ours, or those of
    // historic_generator.h as described there

struct ReferenceOptions {
  int clusters = 0;            // K >= 1
  int iterations = 100;        // always as many: the steps do not descend, so there is no test
  double lambda1 = 100;        // β of eq. 12, on ‖S‖² and ‖H‖²
  double lambda2 = 1e-5;       // weights ∝ exp(−λ₂ ‖S − VU‖²): 1/δ of eq. 12
  double lambda3 = 0.1;        // centres towards VᵀV = I: 2λ of eq. 12
  int specific_dim = 40;       // d_s, capped by each view's width and by N
  int common_dim = 0;          // d_c; 0: K
  bool scale_input = true;     // each embedding column to [0, 1] first
  bool normalise_rows = true;  // rows of S, P, W, H divided by their L2 norm after each update
  WeightNorm weight_norm = WeightNorm::kSpectral;
  StartValues start = StartValues::kEngine;
  std::uint64_t seed = 0;
  std::uint32_t restart = 0;  // tells starts of one seed apart; the engine's numbers only
};

struct ReferenceView {
  Matrix<double> specific;      // S (d_s, N)
  Matrix<double> specific_map;  // P (d_s, d_m)
  Matrix<double> common_map;    // W (d_c, d_m)
  Matrix<double> centres;       // V (d_s, K)
};

struct ReferenceState {
  std::vector<ReferenceView> views;
  Matrix<double> common;             // H (d_c, N)
  Matrix<double> common_centres;     // V of H (d_c, K)
  std::vector<std::int32_t> labels;  // U as the cluster of each cell, 0..K-1
  std::vector<double> weights;       // α, of each view and last of H; empty before the first step
};

// What an observer sees after each iteration, the first being 1.
struct IterationState {
  int iteration = 0;
  const ReferenceState& state;
};
using IterationObserver = std::function<void(const IterationState&)>;

// The embeddings (N, d_m), finite, as double and, when asked for, scaled.
template <class T>
std::vector<Matrix<double>> reference_data(CpuContext& context,
                                           const std::vector<MatrixView<const T>>& embeddings,
                                           bool scale_input);

// S: orthonormal rows from uniform numbers; P, W, V, H uniform in [0, 1); labels uniform. The
// arrays are drawn in the order S, P, W, V of every view, H, V of H, labels. Exit code 5 for
// options that are impossible for these data.
ReferenceState initial_state(CpuContext& context, const std::vector<Matrix<double>>& data,
                             const ReferenceOptions& options);

// Exit code 5 for options that are impossible for these data.
void check_options(const std::vector<Matrix<double>>& data, const ReferenceOptions& options);

// The same, and throws where the state does not fit the data and the options.
void check_state(const std::vector<Matrix<double>>& data, const ReferenceOptions& options,
                 const ReferenceState& state);

}  // namespace m2st::cluster
