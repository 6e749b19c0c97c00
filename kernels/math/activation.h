// Activations and their derivatives, one element at a time, for the CPU's loops and CUDA kernels
// alike. At 0 all of them take the negative side, as PyTorch does.
#pragma once

#include <cmath>

#include "engine/philox.h"

namespace m2st::kernels {

// PReLU and LeakyReLU: x for x > 0, slope · x otherwise. Both sides are computed so that loops
// over it need no branch.
template <class T>
M2ST_HOST_DEVICE inline T leaky(T x, T slope) {
  const T scaled = slope * x;
  return x > T(0) ? x : scaled;
}

// ∂leaky/∂x · grad.
template <class T>
M2ST_HOST_DEVICE inline T leaky_grad(T x, T slope, T grad) {
  const T scaled = slope * grad;
  return x > T(0) ? grad : scaled;
}

template <class T>
M2ST_HOST_DEVICE inline T elu_value(T x) {
  return x > T(0) ? x : std::expm1(x);
}

template <class T>
M2ST_HOST_DEVICE inline T elu_grad(T x, T grad) {
  return x > T(0) ? grad : grad * std::exp(x);
}

}  // namespace m2st::kernels
