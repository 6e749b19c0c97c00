// Naive losses of eq. 10 and their VJPs, matrices as flat row-major vectors of width `cols`.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/reference/scalar.h"

namespace m2st::reference {

// max(‖x‖, 1e-12), as torch.nn.functional.normalize bounds it.
template <class S>
S bounded_norm(const S* x, std::int64_t cols) {
  S square = 0;
  for (std::int64_t c = 0; c < cols; ++c) square += x[c] * x[c];
  const S norm = std::sqrt(square);
  return real_of(norm) < 1e-12 ? S(1e-12) : norm;
}

template <class S>
S cosine(const double* target, const S* output, std::int64_t cols) {
  S dot = 0;
  for (std::int64_t c = 0; c < cols; ++c) dot += target[c] * output[c];
  return dot / (bounded_norm(target, cols) * bounded_norm(output, cols));
}

template <class S>
S scaled_cosine_loss(const std::vector<std::int32_t>& rows, double gamma,
                     const std::vector<double>& target, const std::vector<S>& output,
                     std::int64_t cols) {
  S total = 0;
  for (const std::int32_t r : rows) {
    total += std::pow(1.0 - cosine(&target[r * cols], &output[r * cols], cols), gamma);
  }
  return rows.empty() ? S(0) : total / static_cast<double>(rows.size());
}

inline std::vector<double> scaled_cosine_loss_vjp(const std::vector<std::int32_t>& rows,
                                                  double gamma, const std::vector<double>& target,
                                                  const std::vector<double>& output,
                                                  std::int64_t cols, double grad_loss) {
  std::vector<double> grad(output.size(), 0.0);
  for (const std::int32_t r : rows) {
    const double* t = &target[r * cols];
    const double* o = &output[r * cols];
    const double cos = cosine(t, o, cols);
    const double target_norm = bounded_norm(t, cols);
    const double output_norm = bounded_norm(o, cols);
    const double slope = -gamma * std::pow(1 - cos, gamma - 1);
    for (std::int64_t c = 0; c < cols; ++c) {
      const double of_bound = t[c] / target_norm / output_norm;
      const double of_norm = output_norm > 1e-12 ? cos * o[c] / (output_norm * output_norm) : 0.0;
      grad[r * cols + c] +=
          grad_loss * slope * (of_bound - of_norm) / static_cast<double>(rows.size());
    }
  }
  return grad;
}

template <class S>
S mse_loss(const std::vector<std::int32_t>& rows, const std::vector<double>& target,
           const std::vector<S>& output, std::int64_t cols) {
  S total = 0;
  for (const std::int32_t r : rows) {
    for (std::int64_t c = 0; c < cols; ++c) {
      const S off = output[r * cols + c] - target[r * cols + c];
      total += off * off;
    }
  }
  return rows.empty() ? S(0) : total / static_cast<double>(rows.size() * cols);
}

inline std::vector<double> mse_loss_vjp(const std::vector<std::int32_t>& rows,
                                        const std::vector<double>& target,
                                        const std::vector<double>& output, std::int64_t cols,
                                        double grad_loss) {
  std::vector<double> grad(output.size(), 0.0);
  for (const std::int32_t r : rows) {
    for (std::int64_t c = 0; c < cols; ++c) {
      grad[r * cols + c] += 2 * grad_loss * (output[r * cols + c] - target[r * cols + c]) /
                            static_cast<double>(rows.size() * cols);
    }
  }
  return grad;
}

}  // namespace m2st::reference
