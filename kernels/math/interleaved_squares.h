// Sums of squares on the host, in eight interleaved partial sums, so that they vectorise in a fixed
// order.
#pragma once

#include <array>
#include <cstddef>

#include "engine/view.h"

namespace m2st::kernels {

inline constexpr std::size_t kSquareLanes = 8;  // one AVX-512 register of doubles

inline double sum_of(const std::array<double, kSquareLanes>& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// Σ term(i)² over i < size.
template <class Term>
double sum_of_squares(std::size_t size, Term&& term) {
  std::array<double, kSquareLanes> lanes{};
  std::size_t i = 0;
  for (; i + kSquareLanes <= size; i += kSquareLanes) {
    for (std::size_t lane = 0; lane < kSquareLanes; ++lane) {
      const double value = term(i + lane);
      lanes[lane] += value * value;
    }
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) lanes[lane] += term(i) * term(i);
  return sum_of(lanes);
}

// ‖a − b‖².
inline double squared_distance(Span<const double> a, Span<const double> b) {
  return sum_of_squares(a.size(), [=](std::size_t i) { return a[i] - b[i]; });
}

}  // namespace m2st::kernels
