// How the entries of a product's operands enter its tiles: as they are, as float32 rounded to fewer
// bits, or as pairs of BF16 for the processor's dot products. What is packed for the tiles stands
// for kSteps steps of the inner dimension each.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/vector_bytes.h"
#include "kernels/math/rounding.h"
#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace m2st::kernels {

template <class T>
struct Vector {
  typedef T Type __attribute__((vector_size(kVectorBytes)));
  typedef T Loose __attribute__((vector_size(kVectorBytes), aligned(sizeof(T))));
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

  static Type load(const T* from) { return Type(*reinterpret_cast<const Loose*>(from)); }
  static void store(Type values, T* to) { *reinterpret_cast<Loose*>(to) = values; }
};

// Each kind of entries has
//   Value, Packed      what the operands hold, what the tiles read
//   kSteps             steps of the inner dimension in a Packed
//   kReadsUnpacked     whether tiles can read an operand where it lies
//   pack(line, next)   an entry of two steps, or of the first alone where kSteps is 1
//   load(from)         a vector of entries whose steps lie one behind the other
//   add(sum, a, b)     sum + the products of an entry with a vector of them
template <class T>
struct ExactEntries {
  using Value = T;
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
// The earlier of two steps in the low half, as vdpbf16ps wants it. The instruction takes numbers
// below 2^-126 for zero.
struct Bf16Entries {
  using Value = float;
  using Packed = std::uint32_t;
  using Sums = Vector<float>::Type;
  static constexpr int kSteps = 2;
  static constexpr bool kReadsUnpacked = false;

  static std::uint32_t pack(float value, float next) {
    return rounded_bits<kBitsBelowBf16>(std::bit_cast<std::uint32_t>(value)) >> 16 |
           rounded_bits<kBitsBelowBf16>(std::bit_cast<std::uint32_t>(next));
  }
  static Vector<std::uint32_t>::Type load(const float* from) {
    const __m512 low = _mm512_loadu_ps(from);
    const __m512 high = _mm512_loadu_ps(from + 16);
    return reinterpret_cast<Vector<std::uint32_t>::Type>(_mm512_cvtne2ps_pbh(high, low));
  }
  static Sums add(Sums sum, std::uint32_t a, Vector<std::uint32_t>::Type b) {
    const __m512i entry = _mm512_set1_epi32(static_cast<int>(a));
    return reinterpret_cast<Sums>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                   reinterpret_cast<__m512bh>(entry),
                                                   reinterpret_cast<__m512bh>(b)));
  }
};
#else
using Bf16Entries = RoundedEntries<kBitsBelowBf16>;
#endif

}  // namespace m2st::kernels
