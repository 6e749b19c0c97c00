// How the entries of a product's operands enter its tiles: as they are, as float32 rounded to fewer
// bits, or as pairs of BF16 for the processor's dot products. What is packed for the tiles stands
// for kSteps steps of the inner dimension each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/vector_bytes.h"
#include "kernels/math/bfloat16.h"
#include "kernels/math/rounding.h"
#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace m2st::kernels {

// Each kind of entries has
//   Value, Packed      what the operands hold, what the tiles read
//   Result             what the sums are stored as
//   kSteps             steps of the inner dimension in a Packed
//   kReadsUnpacked     whether tiles can read an operand where it lies
//   pack(line, next)   an entry of two steps, or of the first alone where kSteps is 1
//   pack_lanes(...)    optional: many of them at a time
//   load(from)         a vector of entries whose steps lie one behind the other
//   add(sum, a, b)     sum + the products of an entry with a vector of them
template <class T>
struct ExactEntries {
  using Value = T;
  using Result = T;
  using Packed = T;
  using Sums = typename Vector<T>::Type;
  static constexpr int kSteps = 1;
  static constexpr bool kReadsUnpacked = true;

  static T pack(T value, T) { return value; }
  static Sums load(const T* from) { return Vector<T>::load(from); }
  static Sums add(Sums sum, T a, Sums b) { return sum + a * b; }
};

template <int kBits>
struct RoundedEntries {
  using Value = float;
  using Result = float;
  using Packed = float;
  using Sums = Vector<float>::Type;
  static constexpr int kSteps = 1;
  static constexpr bool kReadsUnpacked = false;

  static float pack(float value, float) {
    return std::bit_cast<float>(rounded_bits<kBits>(std::bit_cast<std::uint32_t>(value)));
  }
  static Sums load(const float* from) {
    using Bits = Vector<std::uint32_t>::Type;
    return reinterpret_cast<Sums>(
        rounded_bits<kBits>(reinterpret_cast<Bits>(Vector<float>::load(from))));
  }
  static Sums add(Sums sum, float a, Sums b) { return sum + a * b; }
};

using Tf32Entries = RoundedEntries<kBitsBelowTf32>;

#if defined(__AVX512BF16__)
inline __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>((1U << std::clamp<std::int64_t>(count, 0, 16)) - 1);
}

// Pairs of steps, the earlier in the low half, as vdpbf16ps wants them. The instruction takes
// numbers below 2^-126 for zero.
struct PairsOfBf16 {
  using Result = float;
  using Packed = std::uint32_t;
  using Sums = Vector<float>::Type;
  static constexpr int kSteps = 2;
  static constexpr bool kReadsUnpacked = false;

  static Sums add(Sums sum, std::uint32_t a, Vector<std::uint32_t>::Type b) {
    const __m512i entry = _mm512_set1_epi32(static_cast<int>(a));
    return reinterpret_cast<Sums>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                   reinterpret_cast<__m512bh>(entry),
                                                   reinterpret_cast<__m512bh>(b)));
  }
};

struct Bf16Entries : PairsOfBf16 {
  using Value = float;

  static std::uint32_t pack(float value, float next) {
    return rounded_bits<kBitsBelowBf16>(std::bit_cast<std::uint32_t>(value)) >> 16 |
           rounded_bits<kBitsBelowBf16>(std::bit_cast<std::uint32_t>(next));
  }
  // The first `width` <= 16 entries of two lines that have `count` and `count_of_next` values;
  // zeros behind them.
  static void pack_lanes(const float* line, std::int64_t count, const float* next,
                         std::int64_t count_of_next, int width, std::uint32_t* packed) {
    const __m512bh halves =
        _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first_lanes(count_of_next), next),
                            _mm512_maskz_loadu_ps(first_lanes(count), line));
    const __m512i alternately =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                         23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_mask_storeu_epi32(
        packed, first_lanes(width),
        _mm512_permutexvar_epi16(alternately, reinterpret_cast<__m512i>(halves)));
  }
  static Vector<std::uint32_t>::Type load(const float* from) {
    const __m512 low = _mm512_loadu_ps(from);
    const __m512 high = _mm512_loadu_ps(from + 16);
    return reinterpret_cast<Vector<std::uint32_t>::Type>(_mm512_cvtne2ps_pbh(high, low));
  }
};

struct StoredBf16Entries : PairsOfBf16 {
  using Value = BFloat16;

  static std::uint32_t pack(BFloat16 value, BFloat16 next) { return value.bits | float_bits(next); }
  static void pack_lanes(const BFloat16* line, std::int64_t count, const BFloat16* next,
                         std::int64_t count_of_next, int width, std::uint32_t* packed) {
    const Vector<std::uint32_t>::Type pairs = widened(line, count) | widened(next, count_of_next)
                                                                         << 16;
    _mm512_mask_storeu_epi32(packed, first_lanes(width), reinterpret_cast<__m512i>(pairs));
  }
  static Vector<std::uint32_t>::Type load(const BFloat16* from) {
    return reinterpret_cast<Vector<std::uint32_t>::Type>(_mm512_loadu_si512(from));
  }
  static Vector<std::uint32_t>::Type widened(const BFloat16* from, std::int64_t count) {
    const __mmask16 exist = first_lanes(count);
    return reinterpret_cast<Vector<std::uint32_t>::Type>(
        _mm512_maskz_cvtepu16_epi32(exist, _mm256_maskz_loadu_epi16(exist, from)));
  }
};
#else
using Bf16Entries = RoundedEntries<kBitsBelowBf16>;

struct StoredBf16Entries {
  using Value = BFloat16;
  using Result = float;
  using Packed = float;
  using Sums = Vector<float>::Type;
  static constexpr int kSteps = 1;
  static constexpr bool kReadsUnpacked = false;

  static float pack(BFloat16 value, BFloat16) { return to_float(value); }
  static Sums load(const BFloat16* from) {
    float values[Vector<float>::kLanes];
    for (int i = 0; i < Vector<float>::kLanes; ++i) values[i] = to_float(from[i]);
    return Vector<float>::load(values);
  }
  static Sums add(Sums sum, float a, Sums b) { return sum + a * b; }
};
#endif

}  // namespace m2st::kernels
