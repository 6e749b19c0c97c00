// The scaled cosine error of one row (eq. 10; GraphMAE, Hou et al. 2022, eq. 2) from three sums,
// for the CPU's loops and CUDA kernels alike.
#pragma once

#include <cmath>

#include "engine/philox.h"

namespace m2st::kernels {

// Norms are bounded below as torch.nn.functional.normalize does.
inline constexpr double kLeastNorm = 1e-12;

struct CosineParts {
  double cosine;
  double target_norm;
  double output_norm;
  bool output_bounded;  // the output's norm is the bound, a constant
};

M2ST_HOST_DEVICE inline CosineParts cosine_parts(double dot, double target_square,
                                                 double output_square) {
  const double target_norm = std::sqrt(target_square);
  const double output_norm = std::sqrt(output_square);
  CosineParts parts;
  parts.target_norm = target_norm < kLeastNorm ? kLeastNorm : target_norm;
  parts.output_bounded = output_norm < kLeastNorm;
  parts.output_norm = parts.output_bounded ? kLeastNorm : output_norm;
  parts.cosine = dot / (parts.target_norm * parts.output_norm);
  return parts;
}

// (1 − cos)^gamma. Rounding may put the cosine above 1, where a power would be NaN.
M2ST_HOST_DEVICE inline double scaled_cosine(const CosineParts& parts, double gamma) {
  const double error = 1 - parts.cosine;
  return gamma == 2 ? error * error : std::pow(error < 0 ? 0 : error, gamma);
}

// grad_output[c] = of_target · target[c] + of_output · output[c].
struct CosineGrad {
  double of_target;
  double of_output;
};

M2ST_HOST_DEVICE inline CosineGrad scaled_cosine_grad(const CosineParts& parts, double gamma,
                                                      double grad) {
  const double error = 1 - parts.cosine;
  const double slope = gamma == 2 ? 2 * error : gamma * std::pow(error < 0 ? 0 : error, gamma - 1);
  const double of_cosine = -slope * grad;
  const double output_norm = parts.output_norm;
  return {of_cosine / (parts.target_norm * output_norm),
          parts.output_bounded ? 0 : -of_cosine * parts.cosine / (output_norm * output_norm)};
}

}  // namespace m2st::kernels
