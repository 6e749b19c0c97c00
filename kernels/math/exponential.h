// exp as a branch-free polynomial that compilers turn into vector code: within 2 units in the last
// place, 0 below the smallest normal result, NaN for NaN. Arguments must not exceed the logarithm
// of the largest number; softmax only has arguments near 0 or below.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "engine/philox.h"

namespace m2st::kernels {

// exp(x) = 2^n · exp(r) with n = round(x / ln 2), |r| <= ln(2) / 2, and exp(r) by its Taylor sum:
// the first term left out is below 1e-8 (float, degree 7) and 1e-17 (double, degree 13).
template <class T>
M2ST_HOST_DEVICE inline T exponential(T x) {
  constexpr bool kDouble = std::is_same_v<T, double>;
  using Bits = std::conditional_t<kDouble, std::uint64_t, std::uint32_t>;
  constexpr int kMantissa = kDouble ? 52 : 23;
  constexpr T kLowest = kDouble ? T(-708.0) : T(-87.0);
  // Adding this number rounds to an integer and leaves it in the mantissa's low bits.
  constexpr T kRounder = kDouble ? T(0x1.8p52) : T(0x1.8p23);
  constexpr T kLn2High = kDouble ? T(0x1.62e42feep-1) : T(0x1.62e4p-1);
  constexpr T kLn2Low = kDouble ? T(0x1.a39ef35793c76p-33) : T(0x1.7f7d1cp-20);
  constexpr T kInverse[] = {T(1.0 / 2),        T(1.0 / 6),         T(1.0 / 24),
                            T(1.0 / 120),      T(1.0 / 720),       T(1.0 / 5040),
                            T(1.0 / 40320),    T(1.0 / 362880),    T(1.0 / 3628800),
                            T(1.0 / 39916800), T(1.0 / 479001600), T(1.0 / 6227020800)};
  constexpr int kTerms = kDouble ? 12 : 6;

  const T bounded = x < kLowest ? kLowest : x;
  const T rounded = bounded * T(0x1.71547652b82fep0) + kRounder;
  const T n = rounded - kRounder;
  const T r = (bounded - n * kLn2High) - n * kLn2Low;
  T sum = kInverse[kTerms - 1];
  for (int k = kTerms - 2; k >= 0; --k) sum = sum * r + kInverse[k];
  const T mantissa = (sum * r) * r + r + T(1);
  constexpr Bits kBias = kDouble ? 1023 : 127;
  const Bits power = (std::bit_cast<Bits>(rounded) + kBias) << kMantissa;
  const T result = mantissa * std::bit_cast<T>(power);
  return x < kLowest ? T(0) : result;
}

}  // namespace m2st::kernels
