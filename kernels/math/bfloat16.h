// BF16 as it is stored: the upper half of a float32's bits. Arithmetic is float32's.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/math/rounding.h"

namespace m2st::kernels {

struct BFloat16 {
  std::uint16_t bits;
};

// From the bits of a float32: to nearest, ties to even. And back.
M2ST_HOST_DEVICE inline BFloat16 bfloat16_of(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(rounded_bits<kBitsBelowBf16>(bits) >> kBitsBelowBf16)};
}
M2ST_HOST_DEVICE inline std::uint32_t float_bits(BFloat16 value) {
  return static_cast<std::uint32_t>(value.bits) << kBitsBelowBf16;
}

// The same on the host, where bits and values are cast by the library.
inline BFloat16 to_bfloat16(float value) {
  return bfloat16_of(std::bit_cast<std::uint32_t>(value));
}
inline float to_float(BFloat16 value) { return std::bit_cast<float>(float_bits(value)); }

}  // namespace m2st::kernels
