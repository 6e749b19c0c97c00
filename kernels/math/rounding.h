// float32 rounded to formats with the same exponent and fewer bits of fraction: TF32 and BF16.
#pragma once

#include "engine/philox.h"

namespace m2st::kernels {

inline constexpr int kBitsBelowTf32 = 13;
inline constexpr int kBitsBelowBf16 = 16;

// The bits of a float32, or of a vector of them, with the lowest `kBits` rounded away: to nearest,
// ties to even. NaN stays NaN, what is too large becomes infinite.
template <int kBits, class Bits>
M2ST_HOST_DEVICE inline Bits rounded_bits(Bits bits) {
  const Bits rounded = bits + ((1u << (kBits - 1)) - 1) + (bits >> kBits & 1u);
  const Bits quiet = bits | 0x400000u;
  const Bits kept = (bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded;
  return kept & ~((1u << kBits) - 1);
}

}  // namespace m2st::kernels
