// Attention of features that are projected afterwards, and products head by head, as the formulas
// read. Without the projection it is the attention of reference/attention.h on the features written
// down once for every head.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/reference/attention.h"

namespace m2st::reference {

// (N, D) → (N, H·D).
template <class S>
Values<S> repeated_for_heads(Heads heads, const Values<S>& features) {
  Values<S> result;
  for (std::size_t n = 0; n < features.size() / heads.width; ++n) {
    for (std::int64_t h = 0; h < heads.count; ++h) {
      for (std::int64_t c = 0; c < heads.width; ++c) {
        result.push_back(features[n * heads.width + c]);
      }
    }
  }
  return result;
}

// The transpose: (N, H·D) → (N, D), summed over heads.
template <class S>
Values<S> summed_over_heads(Heads heads, const Values<S>& x) {
  Values<S> result(x.size() / heads.count);
  for (std::size_t k = 0; k < x.size(); ++k) {
    result[k / heads.row() * heads.width + k % heads.width] += x[k];
  }
  return result;
}

// out[n,h,f] = Σ_c weight[h,f,c] · x[n,h,c]; x: (N, H·D), weight: (H·F, D).
template <class S>
Values<S> project_heads(Heads heads, const Values<S>& x, const Values<S>& weight) {
  const std::int64_t outputs = static_cast<std::int64_t>(weight.size()) / heads.width;
  const std::int64_t features = outputs / heads.count;
  Values<S> out;
  for (std::size_t n = 0; n < x.size() / heads.row(); ++n) {
    for (std::int64_t k = 0; k < outputs; ++k) {
      S sum(0);
      for (std::int64_t c = 0; c < heads.width; ++c) {
        sum += weight[k * heads.width + c] * x[n * heads.row() + k / features * heads.width + c];
      }
      out.push_back(sum);
    }
  }
  return out;
}

template <class S>
struct ProjectHeadsGradient {
  Values<S> x, weight;
};

template <class S>
ProjectHeadsGradient<S> project_heads_vjp(Heads heads, const Values<S>& x, const Values<S>& weight,
                                          const Values<S>& grad_out) {
  const std::int64_t outputs = static_cast<std::int64_t>(weight.size()) / heads.width;
  const std::int64_t features = outputs / heads.count;
  ProjectHeadsGradient<S> grad{Values<S>(x.size()), Values<S>(weight.size())};
  for (std::size_t at = 0; at < grad_out.size(); ++at) {
    const std::int64_t n = at / outputs, k = at % outputs;
    for (std::int64_t c = 0; c < heads.width; ++c) {
      const std::int64_t from = n * heads.row() + k / features * heads.width + c;
      grad.x[from] += weight[k * heads.width + c] * grad_out[at];
      grad.weight[k * heads.width + c] += x[from] * grad_out[at];
    }
  }
  return grad;
}

}  // namespace m2st::reference
