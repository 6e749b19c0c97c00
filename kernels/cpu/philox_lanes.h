// Philox for sixteen counters at once: the same words as philox() gives one by one, four times as
// fast, which is what keeps dropout near the speed of memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "engine/random.h"

namespace m2st::kernels {

inline constexpr std::int64_t kCounters = 16;
static_assert(std::endian::native == std::endian::little);

// Eight 32-bit numbers in the low halves of 64-bit lanes; the high halves may hold anything, since
// the multiplication ignores them.
using WideLanes = std::uint64_t __attribute__((vector_size(64)));
using NarrowLanes = std::uint32_t __attribute__((vector_size(32)));
using HalfLanes = std::uint64_t __attribute__((vector_size(32)));

// 32 × 32 → 64 bits. Compilers do not find the instruction for it by themselves.
inline WideLanes widening_product(WideLanes a, WideLanes b) {
#if defined(__AVX512F__)
  // The zeroing form: g++ 12 warns that the plain one reads an uninitialised register.
  return reinterpret_cast<WideLanes>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  const auto product = [](HalfLanes x, HalfLanes y) {
    return reinterpret_cast<HalfLanes>(
        _mm256_mul_epu32(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(y)));
  };
  const HalfLanes low =
      product(__builtin_shufflevector(a, a, 0, 1, 2, 3), __builtin_shufflevector(b, b, 0, 1, 2, 3));
  const HalfLanes high =
      product(__builtin_shufflevector(a, a, 4, 5, 6, 7), __builtin_shufflevector(b, b, 4, 5, 6, 7));
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

inline WideLanes widened(const std::uint32_t* numbers) {
  NarrowLanes lanes;
  std::memcpy(&lanes, numbers, sizeof lanes);
  return __builtin_convertvector(lanes, WideLanes);
}

// The words of random_block(key, id[i], block[i]) for sixteen i, one block after another. Two sets
// of lanes, so that one's multiplications run while the other waits.
inline void random_blocks(RandomKey key, const std::uint32_t (&id)[kCounters],
                          const std::uint32_t (&block)[kCounters], void* words) {
  constexpr int kSets = 2;
  constexpr int kWidth = 8;
  WideLanes c0[kSets], c1[kSets], c2[kSets], c3[kSets];
  for (int set = 0; set < kSets; ++set) {
    c0[set] = widened(id + set * kWidth);
    c1[set] = widened(block + set * kWidth);
    c2[set] = WideLanes{} + key.epoch;
    c3[set] = WideLanes{} + key.stream;
  }
  std::uint32_t key0 = static_cast<std::uint32_t>(key.seed);
  std::uint32_t key1 = static_cast<std::uint32_t>(key.seed >> 32);
  const WideLanes factor0 = WideLanes{} + 0xD2511F53u;
  const WideLanes factor1 = WideLanes{} + 0xCD9E8D57u;
  for (int round = 0; round < 10; ++round) {
    for (int set = 0; set < kSets; ++set) {
      const WideLanes product0 = widening_product(c0[set], factor0);
      const WideLanes product1 = widening_product(c2[set], factor1);
      c0[set] = (product1 >> 32) ^ c1[set] ^ key0;
      c2[set] = (product0 >> 32) ^ c3[set] ^ key1;
      c1[set] = product1;
      c3[set] = product0;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int set = 0; set < kSets; ++set) {
    const WideLanes low = (c0[set] & 0xFFFFFFFFu) | c1[set] << 32;
    const WideLanes high = (c2[set] & 0xFFFFFFFFu) | c3[set] << 32;
    const WideLanes first = __builtin_shufflevector(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
    const WideLanes second = __builtin_shufflevector(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
    std::memcpy(static_cast<std::byte*>(words) + set * 128, &first, 64);
    std::memcpy(static_cast<std::byte*>(words) + set * 128 + 64, &second, 64);
  }
}

}  // namespace m2st::kernels
