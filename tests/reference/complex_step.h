// Derivatives to machine precision (Squire and Trapp 1998): ∂f/∂x_j = Im f(x + i h e_j) / h with a
// tiny h, since nothing is subtracted. f is made of the naive references on complex numbers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/reference/scalar.h"

namespace m2st::reference {

// f: std::vector<Complex> → Complex.
template <class Function>
std::vector<double> complex_step(const Function& f, const std::vector<double>& x) {
  constexpr double kStep = 1e-100;
  std::vector<Complex> point(x.begin(), x.end());
  std::vector<double> gradient(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) {
    point[j] = Complex(x[j], kStep);
    gradient[j] = f(point).imag() / kStep;
    point[j] = x[j];
  }
  return gradient;
}

// Σ_i weight[i] · value[i]: makes one number of a reference's output.
template <class Scalar>
Scalar weighted_sum(const std::vector<double>& weight, const std::vector<Scalar>& value) {
  Scalar total = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) total += weight[i] * value[i];
  return total;
}

// A reference's VJP must equal its complex-step derivative to this, relative to the largest entry.
inline constexpr double kVjpTolerance = 1e-11;

inline void expect_derivative(const std::vector<double>& vjp, const std::vector<double>& gradient) {
  ASSERT_EQ(vjp.size(), gradient.size());
  double largest = 1;
  for (const double value : gradient) largest = std::max(largest, std::abs(value));
  for (std::size_t j = 0; j < vjp.size(); ++j) {
    EXPECT_NEAR(vjp[j], gradient[j], kVjpTolerance * largest) << "entry " << j;
  }
}

}  // namespace m2st::reference
