// Scalar formulas of graph attention (paper eq. 2 and 3), shared by every backend.
// A logit's input is the sum of a source's and a destination's score.
#pragma once

#include "engine/philox.h"

namespace m2st::kernels {

template <class T>
M2ST_HOST_DEVICE inline T attention_logit(T sum, T leaky_slope) {
  return sum > T(0) ? sum : leaky_slope * sum;
}

// d logit / d sum; the kink at 0 takes the slope's side (as PyTorch does).
template <class T>
M2ST_HOST_DEVICE inline T attention_logit_derivative(T sum, T leaky_slope) {
  return sum > T(0) ? T(1) : leaky_slope;
}

}  // namespace m2st::kernels
