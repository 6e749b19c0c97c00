// The two half-steps of a Gaussian mixture's EM (Dempster, Laird and Rubin 1977; Bishop, Pattern
// Recognition and Machine Learning, section 9.2): densities from parameters, parameters from
// responsibilities.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

enum class Covariance { kFull, kShared, kDiagonal };

struct Gaussians {
  Covariance covariance = Covariance::kShared;
  std::vector<double> weights;  // (K), they add up to 1
  Matrix<double> means;         // (K, d)
  Matrix<double> covariances;   // full: (K·d, d); shared: (d, d); diagonal: (K, d)
  double ridge = 0;             // added to every variance
  double least_variance = 0;    // > 0; eigenvalues below it count as it
};

Gaussians make_gaussians(CpuContext& context, Covariance covariance, std::int64_t components,
                         std::int64_t dimensions);

// out[n,k] = ln w_k + ln N(x_n | mean k, covariance k), (N, K).
void log_joint_densities(CpuContext& context, MatrixView<const double> x,
                         const Gaussians& gaussians, MatrixView<double> out);

// Log densities become responsibilities, row by row; returns Σ_n ln Σ_k exp(row n): the
// log-likelihood.
double to_responsibilities(CpuContext& context, MatrixView<double> log_densities);

// Weights, means and covariances of greatest likelihood for responsibilities (N, K). `scatter` is
// Σ x xᵀ (d, d), needed for a shared covariance only, and x is centred then. A component without
// cells keeps its mean and gets the least covariance.
void maximise(CpuContext& context, MatrixView<const double> x,
              MatrixView<const double> responsibilities, MatrixView<const double> scatter,
              Gaussians& gaussians);

// Free parameters: weights, means and covariances.
std::int64_t parameter_count(Covariance covariance, std::int64_t components,
                             std::int64_t dimensions);

}  // namespace m2st::cluster
