// Systems with a Cholesky factor and many right sides: substitution over strips of right sides that
// stay in the first cache, each row held in registers while those before it stream by. The order of
// every sum is that of the rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/view.h"

namespace m2st::kernels {

// `Vectors` registers of right sides side by side.
template <class T, int Vectors>
struct RightSideStrip {
  static constexpr int kBytes = 64;
  typedef T Vector __attribute__((vector_size(kBytes)));
  static constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
  static constexpr std::int64_t kWidth = Vectors * kLanes;

  // row = (row − Σ_j factors[j] · rows[j]) · reciprocal, over `count` rows that lie one after the
  // other.
  static void eliminate(std::int64_t count, const T* factors, const T* rows, T reciprocal, T* row) {
    Vector local[Vectors];
    std::memcpy(local, row, sizeof local);
    for (std::int64_t j = 0; j < count; ++j) {
      const T factor = factors[j];
      const T* other = rows + j * kWidth;
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) {
        Vector values;
        std::memcpy(&values, other + v * kLanes, sizeof values);
        local[v] -= factor * values;
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) local[v] *= reciprocal;
    std::memcpy(row, local, sizeof local);
  }
};

// The lower triangle L (n × n, column by column, as Eigen keeps it), its rows, and 1 / diagonal.
template <class T>
struct CholeskyFactor {
  CholeskyFactor(std::int64_t size, const T* factor)
      : n(size), columns(factor), rows(static_cast<std::size_t>(size * size)) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) rows[i * n + j] = columns[j * n + i];
      reciprocals.push_back(T(1) / columns[i * n + i]);
    }
  }

  std::int64_t n;
  const T* columns;
  std::vector<T> rows, reciprocals;
};

// Right sides [first, first + count), count at most the strip's width, through `strip` (n, width).
template <class T, int Vectors>
void solve_strip(const CholeskyFactor<T>& factor, MatrixView<const T> right_side,
                 std::int64_t first, std::int64_t count, T* strip, MatrixView<T> solution) {
  using Strip = RightSideStrip<T, Vectors>;
  const std::int64_t n = factor.n;
  for (std::int64_t i = 0; i < n; ++i) {
    T* row = strip + i * Strip::kWidth;
    std::copy_n(right_side.row(i).data() + first, count, row);
    std::fill(row + count, row + Strip::kWidth, T(0));
    Strip::eliminate(i, &factor.rows[i * n], strip, factor.reciprocals[i], row);
  }
  for (std::int64_t i = n - 1; i >= 0; --i) {
    T* row = strip + i * Strip::kWidth;
    Strip::eliminate(n - 1 - i, factor.columns + i * n + i + 1, row + Strip::kWidth,
                     factor.reciprocals[i], row);
    std::copy_n(row, count, solution.row(i).data() + first);
  }
}

// solution = (L Lᵀ)⁻¹ right_side, with the lower triangle L (n × n) column by column.
template <class T>
void solve_with_cholesky(std::int64_t n, const T* lower, MatrixView<const T> right_side,
                         MatrixView<T> solution) {
  constexpr std::int64_t kWide = RightSideStrip<T, 8>::kWidth;
  const CholeskyFactor<T> factor(n, lower);
  std::vector<T> strip(static_cast<std::size_t>(n * kWide));
  for (std::int64_t first = 0; first < right_side.cols;) {
    const std::int64_t left = right_side.cols - first;
    const std::int64_t count = std::min(left, kWide);
    if (left <= kWide / 4) {
      solve_strip<T, 2>(factor, right_side, first, count, strip.data(), solution);
    } else if (left <= kWide / 2) {
      solve_strip<T, 4>(factor, right_side, first, count, strip.data(), solution);
    } else {
      solve_strip<T, 8>(factor, right_side, first, count, strip.data(), solution);
    }
    first += count;
  }
}

}  // namespace m2st::kernels
