// Naive dense algebra for the tests: plain loops, templated on the scalar, nothing shared with the
// kernels. Matrices are row-major vectors with their shape beside them.
#pragma once

#include <cstdint>
#include <vector>

namespace m2st::reference {

template <class S>
struct Dense {
  Dense(std::int64_t row_count, std::int64_t col_count)
      : rows(row_count),
        cols(col_count),
        values(static_cast<std::size_t>(row_count * col_count), S(0)) {}
  S& operator()(std::int64_t i, std::int64_t j) {
    return values[static_cast<std::size_t>(i * cols + j)];
  }
  const S& operator()(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * cols + j)];
  }

  std::int64_t rows;
  std::int64_t cols;
  std::vector<S> values;
};

template <class S>
Dense<S> product(const Dense<S>& a, const Dense<S>& b) {
  Dense<S> out(a.rows, b.cols);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < b.cols; ++j) {
      for (std::int64_t l = 0; l < a.cols; ++l) out(i, j) += a(i, l) * b(l, j);
    }
  }
  return out;
}

template <class S>
Dense<S> transposed(const Dense<S>& a) {
  Dense<S> out(a.cols, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i) {
    for (std::int64_t j = 0; j < a.cols; ++j) out(j, i) = a(i, j);
  }
  return out;
}

template <class S>
Dense<S> identity(std::int64_t n) {
  Dense<S> out(n, n);
  for (std::int64_t i = 0; i < n; ++i) out(i, i) = S(1);
  return out;
}

// x with each column's mean taken away.
template <class S>
Dense<S> centred(Dense<S> x) {
  for (std::int64_t c = 0; c < x.cols; ++c) {
    S mean(0);
    for (std::int64_t n = 0; n < x.rows; ++n) mean += x(n, c) / static_cast<S>(x.rows);
    for (std::int64_t n = 0; n < x.rows; ++n) x(n, c) -= mean;
  }
  return x;
}

// Divided by N − 1.
template <class S>
Dense<S> covariance(const Dense<S>& x) {
  const Dense<S> shifted = centred(x);
  Dense<S> out = product(transposed(shifted), shifted);
  for (S& value : out.values) value /= static_cast<S>(x.rows - 1);
  return out;
}

}  // namespace m2st::reference
