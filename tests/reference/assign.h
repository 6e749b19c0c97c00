// Naive nearest centres and sums by label: one cell, one centre, one dimension after the other.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/reference/dense.h"

namespace m2st::reference {

// ‖x[n] − centres[k]‖² for all pairs: (N, K).
template <class S>
Dense<S> squared_distances(const Dense<S>& x, const Dense<S>& centres) {
  Dense<S> out(x.rows, centres.rows);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t k = 0; k < centres.rows; ++k) {
      for (std::int64_t c = 0; c < x.cols; ++c) {
        out(n, k) += (x(n, c) - centres(k, c)) * (x(n, c) - centres(k, c));
      }
    }
  }
  return out;
}

// Column of the smallest entry of each row, the first of equals.
template <class S>
std::vector<std::int32_t> smallest_of_row(const Dense<S>& values) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(values.rows), 0);
  for (std::int64_t n = 0; n < values.rows; ++n) {
    std::int32_t& best = out[static_cast<std::size_t>(n)];
    for (std::int64_t k = 1; k < values.cols; ++k) {
      if (values(n, k) < values(n, best)) best = static_cast<std::int32_t>(k);
    }
  }
  return out;
}

// Row k: Σ x[n] over the cells labelled k; labels below 0 are left out.
template <class S>
Dense<S> sums_by_label(const Dense<S>& x, const std::vector<std::int32_t>& labels,
                       std::int64_t clusters) {
  Dense<S> out(clusters, x.cols);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int32_t label = labels[static_cast<std::size_t>(n)];
    for (std::int64_t c = 0; label >= 0 && c < x.cols; ++c) out(label, c) += x(n, c);
  }
  return out;
}

}  // namespace m2st::reference
