// Sums in double over eight lanes: vectorised, and in an order that depends on the length alone.
// A compiler may not reorder a plain sum, and one running sum would be slow and less exact.
#pragma once

#include <cstdint>
#include <cstring>

namespace m2st::kernels {

inline constexpr std::int64_t kLanes = 8;
using DoubleLanes = double __attribute__((vector_size(kLanes * sizeof(double))));
using FloatLanes = float __attribute__((vector_size(kLanes * sizeof(float))));

inline DoubleLanes load_lanes(const double* x) {
  DoubleLanes lanes;
  std::memcpy(&lanes, x, sizeof lanes);
  return lanes;
}

inline DoubleLanes load_lanes(const float* x) {
  FloatLanes lanes;
  std::memcpy(&lanes, x, sizeof lanes);
  return __builtin_convertvector(lanes, DoubleLanes);
}

// The first `count` < 8 lanes, zeros behind them.
template <class T>
DoubleLanes load_some_lanes(const T* x, std::int64_t count) {
  DoubleLanes lanes = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = x[i];
  return lanes;
}

inline double sum_of_lanes(DoubleLanes x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// Σ_i term(x[i], ...) for i < n. Of zeros, `term` must give zero: the last lanes are padded so.
template <class Term, class... T>
double sum_terms(std::int64_t n, const Term& term, const T*... x) {
  DoubleLanes total[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int k = 0; k < 4; ++k) total[k] += term(load_lanes(x + i + k * kLanes)...);
  }
  for (; i + kLanes <= n; i += kLanes) total[0] += term(load_lanes(x + i)...);
  if (i < n) total[1] += term(load_some_lanes(x + i, n - i)...);
  return sum_of_lanes((total[0] + total[1]) + (total[2] + total[3]));
}

template <class T>
double dot_of(std::int64_t n, const T* x, const T* y) {
  return sum_terms(
      n, [](DoubleLanes a, DoubleLanes b) { return a * b; }, x, y);
}

template <class T>
double squares_of(std::int64_t n, const T* x) {
  return sum_terms(
      n, [](DoubleLanes a) { return a * a; }, x);
}

}  // namespace m2st::kernels
