// Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations: slow, simple, exact to
// rounding (Golub and Van Loan, Matrix Computations, section 8.5).
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/reference/dense.h"

namespace m2st::reference {

template <class S>
struct Eigen {
  std::vector<S> values;  // falling
  Dense<S> vectors;       // row i belongs to value i
};

// Rotates rows and columns p and q of `a` so that a(p, q) becomes zero; rows of `vectors` follow.
template <class S>
void jacobi_rotation(Dense<S>& a, Dense<S>& vectors, std::int64_t p, std::int64_t q) {
  if (a(p, q) == S(0)) return;
  const S theta = (a(q, q) - a(p, p)) / (2 * a(p, q));
  const S t = (theta < 0 ? S(-1) : S(1)) / (std::abs(theta) + std::sqrt(theta * theta + 1));
  const S c = 1 / std::sqrt(t * t + 1), s = t * c;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const S left = a(i, p), right = a(i, q);
    a(i, p) = c * left - s * right;
    a(i, q) = s * left + c * right;
  }
  for (std::int64_t i = 0; i < a.rows; ++i) {
    const S upper = a(p, i), lower = a(q, i);
    a(p, i) = c * upper - s * lower;
    a(q, i) = s * upper + c * lower;
    const S first = vectors(p, i), second = vectors(q, i);
    vectors(p, i) = c * first - s * second;
    vectors(q, i) = s * first + c * second;
  }
}

template <class S>
Eigen<S> symmetric_eigen(Dense<S> a) {
  const std::int64_t n = a.rows;
  Dense<S> rotations = identity<S>(n);
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (std::int64_t p = 0; p < n; ++p) {
      for (std::int64_t q = p + 1; q < n; ++q) jacobi_rotation(a, rotations, p, q);
    }
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int64_t i, std::int64_t j) { return a(i, i) > a(j, j); });
  Eigen<S> out{{}, Dense<S>(n, n)};
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = order[static_cast<std::size_t>(i)];
    out.values.push_back(a(from, from));
    for (std::int64_t c = 0; c < n; ++c) out.vectors(i, c) = rotations(from, c);
  }
  return out;
}

}  // namespace m2st::reference
