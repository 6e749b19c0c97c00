// Naive Gaussian densities and weighted moments: one cell at a time, Gaussian elimination, no
// mapping to where a covariance is the identity.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "tests/reference/dense.h"

namespace m2st::reference {

// ln N(x | mean, covariance) by elimination with the diagonal as pivots.
template <class S>
S log_gaussian(std::vector<S> x, const std::vector<S>& mean, Dense<S> covariance) {
  const auto size = static_cast<std::int64_t>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= mean[i];
  const std::vector<S> centred = x;
  S log_determinant(0);
  for (std::int64_t p = 0; p < size; ++p) {
    log_determinant += std::log(covariance(p, p));
    for (std::int64_t i = p + 1; i < size; ++i) {
      const S factor = covariance(i, p) / covariance(p, p);
      for (std::int64_t j = p; j < size; ++j) covariance(i, j) -= factor * covariance(p, j);
      x[static_cast<std::size_t>(i)] -= factor * x[static_cast<std::size_t>(p)];
    }
  }
  S square(0);
  for (std::int64_t i = size - 1; i >= 0; --i) {
    S& value = x[static_cast<std::size_t>(i)];
    for (std::int64_t j = i + 1; j < size; ++j) {
      value -= covariance(i, j) * x[static_cast<std::size_t>(j)];
    }
    value /= covariance(i, i);
    square += value * centred[static_cast<std::size_t>(i)];
  }
  return S(-0.5) *
         (static_cast<S>(size) * std::log(2 * std::numbers::pi_v<S>) + log_determinant + square);
}

// Σ_n w_n x_n / Σ w and Σ_n w_n (x_n − mean)(x_n − mean)ᵀ / Σ w.
template <class S>
std::pair<std::vector<S>, Dense<S>> weighted_moments(const Dense<S>& x, const std::vector<S>& w) {
  S total(0);
  for (const S& weight : w) total += weight;
  std::vector<S> mean(static_cast<std::size_t>(x.cols), S(0));
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) {
      mean[static_cast<std::size_t>(c)] += w[static_cast<std::size_t>(n)] * x(n, c) / total;
    }
  }
  Dense<S> covariance(x.cols, x.cols);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t i = 0; i < x.cols; ++i) {
      for (std::int64_t j = 0; j < x.cols; ++j) {
        covariance(i, j) += w[static_cast<std::size_t>(n)] / total *
                            (x(n, i) - mean[static_cast<std::size_t>(i)]) *
                            (x(n, j) - mean[static_cast<std::size_t>(j)]);
      }
    }
  }
  return {mean, covariance};
}

}  // namespace m2st::reference
