// Naive activations and their VJPs. Slopes are part of the differentiation.
#pragma once

#include <cmath>
#include <vector>

#include "tests/reference/scalar.h"

namespace m2st::reference {

template <class S>
std::vector<S> prelu(const std::vector<S>& x, S slope) {
  std::vector<S> out;
  for (const S& value : x) out.push_back(real_of(value) > 0 ? value : slope * value);
  return out;
}

struct PreluGrad {
  std::vector<double> x;
  double slope = 0;
};

inline PreluGrad prelu_vjp(const std::vector<double>& x, double slope,
                           const std::vector<double>& grad_out) {
  PreluGrad grad;
  for (std::size_t i = 0; i < x.size(); ++i) {
    grad.x.push_back(x[i] > 0 ? grad_out[i] : slope * grad_out[i]);
    if (x[i] <= 0) grad.slope += x[i] * grad_out[i];
  }
  return grad;
}

template <class S>
std::vector<S> elu(const std::vector<S>& x) {
  std::vector<S> out;
  for (const S& value : x) out.push_back(real_of(value) > 0 ? value : std::exp(value) - 1.0);
  return out;
}

inline std::vector<double> elu_vjp(const std::vector<double>& x,
                                   const std::vector<double>& grad_out) {
  std::vector<double> grad;
  for (std::size_t i = 0; i < x.size(); ++i) {
    grad.push_back(x[i] > 0 ? grad_out[i] : std::exp(x[i]) * grad_out[i]);
  }
  return grad;
}

}  // namespace m2st::reference
