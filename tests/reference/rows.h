// Naive row movements and the sums that are their VJPs, matrices as flat row-major vectors.
#pragma once

#include <cstdint>
#include <vector>

namespace m2st::reference {

template <class S>
std::vector<S> gather_rows(const std::vector<std::int32_t>& rows, const std::vector<S>& x,
                           std::int64_t cols) {
  std::vector<S> out;
  for (const std::int32_t r : rows) {
    for (std::int64_t c = 0; c < cols; ++c) out.push_back(x[r * cols + c]);
  }
  return out;
}

// `start` with rows[r] raised by row r of x: the VJP of gather_rows, and scatter_rows with kAdd.
template <class S>
std::vector<S> scatter_add_rows(const std::vector<std::int32_t>& rows, const std::vector<S>& x,
                                std::vector<S> start, std::int64_t cols) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t c = 0; c < cols; ++c) start[rows[r] * cols + c] += x[r * cols + c];
  }
  return start;
}

// x with the listed rows replaced by `row`.
template <class S>
std::vector<S> fill_rows(const std::vector<std::int32_t>& rows, const std::vector<S>& row,
                         std::vector<S> x) {
  const auto cols = static_cast<std::int64_t>(row.size());
  for (const std::int32_t r : rows) {
    for (std::int64_t c = 0; c < cols; ++c) x[r * cols + c] = row[c];
  }
  return x;
}

// Σ over the listed rows: the VJP of fill_rows with respect to `row`.
template <class S>
std::vector<S> sum_of_rows(const std::vector<std::int32_t>& rows, const std::vector<S>& x,
                           std::int64_t cols) {
  std::vector<S> sums(cols, S(0));
  for (const std::int32_t r : rows) {
    for (std::int64_t c = 0; c < cols; ++c) sums[c] += x[r * cols + c];
  }
  return sums;
}

// x · diag(factors).
template <class S>
std::vector<S> scale_columns(const std::vector<S>& x, const std::vector<S>& factors) {
  std::vector<S> out = x;
  for (std::size_t k = 0; k < out.size(); ++k) out[k] *= factors[k % factors.size()];
  return out;
}

// Its VJP with respect to the factors; that of x is scale_columns of the gradient.
template <class S>
std::vector<S> scale_columns_vjp(const std::vector<S>& x, std::vector<S> start,
                                 const std::vector<S>& grad_out) {
  for (std::size_t k = 0; k < x.size(); ++k) start[k % start.size()] += x[k] * grad_out[k];
  return start;
}

}  // namespace m2st::reference
