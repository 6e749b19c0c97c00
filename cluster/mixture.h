// Gaussian mixture by expectation and maximisation, started from k-means. Defined for every input:
// one cell, one component, as many components as cells, coinciding cells, constant columns.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/gaussians.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct MixtureOptions {
  int domains = 0;  // 1 <= K <= N
  Covariance covariance = Covariance::kShared;
  int restarts = 1;              // runs of EM; the one with the greatest likelihood is the result
  int initial_restarts = 10;     // of the k-means before each run
  int iterations = 200;          // at most, a run
  double tolerance = 1e-6;       // stop once the log-likelihood a cell rises by no more than this
  double regularisation = 0.01;  // share of the mean variance of columns added to every variance
  std::uint64_t seed = 0;
};

struct MixtureResult {
  std::vector<std::int32_t> labels;  // (N), the most responsible component, the lowest of equals
  Matrix<double> responsibilities;   // (N, K), rows add up to 1
  std::vector<double> weights;       // (K)
  Matrix<double> means;              // (K, d)
  double log_likelihood = 0;
  double bic = 0;  // Schwarz 1978: −2 ln L + parameters · ln N; less is better
  int iterations = 0;
  bool converged = false;
  std::vector<double> history;  // log-likelihood after each iteration of the best run
};

// x: (N, d), finite.
MixtureResult fit_mixture(CpuContext& context, MatrixView<const double> x,
                          const MixtureOptions& options);

}  // namespace m2st::cluster
