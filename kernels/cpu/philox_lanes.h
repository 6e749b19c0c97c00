// Philox for sixteen counters at once: the same words as philox() gives one by one, four times as
// fast, which is what keeps dropout near the speed of memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "engine/random.h"
#include "kernels/cpu/vector_bytes.h"

namespace m2st::kernels {

inline constexpr std::int64_t kCounters = 16;
static_assert(std::endian::native == std::endian::little);

// 32-bit numbers in the low halves of a register's 64-bit lanes; the high halves may hold anything,
// since the multiplication ignores them.
inline constexpr int kWideLanes = kVectorBytes / 8;
using WideLanes = std::uint64_t __attribute__((vector_size(kVectorBytes)));
using NarrowLanes = std::uint32_t __attribute__((vector_size(kVectorBytes / 2)));

// 32 × 32 → 64 bits. Compilers do not find the instruction for it by themselves.
inline WideLanes widening_product(WideLanes a, WideLanes b) {
#if defined(__AVX512F__)
  // The zeroing form: g++ 12 warns that the plain one reads an uninitialised register.
  return reinterpret_cast<WideLanes>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<WideLanes>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

inline WideLanes widened(const std::uint32_t* numbers) {
  NarrowLanes lanes;
  std::memcpy(&lanes, numbers, sizeof lanes);
  return __builtin_convertvector(lanes, WideLanes);
}

// a0 b0 a1 b1 …, of the lanes from `First` on.
template <std::size_t First, std::size_t... Lane>
inline WideLanes interleaved(WideLanes a, WideLanes b, std::index_sequence<Lane...>) {
  return __builtin_shufflevector(a, b, (First + Lane / 2 + (Lane % 2) * kWideLanes)...);
}

// The words of random_block(key, id[i], block[i]) for sixteen i, one block after another. Sets of
// lanes, two of them at a time, so that one's multiplications run while the other waits.
inline void random_blocks(RandomKey key, const std::uint32_t (&id)[kCounters],
                          const std::uint32_t (&block)[kCounters], void* words) {
  constexpr int kSets = 2;
  constexpr auto kLanes = std::make_index_sequence<kWideLanes>();
  const WideLanes factor0 = WideLanes{} + 0xD2511F53u;
  const WideLanes factor1 = WideLanes{} + 0xCD9E8D57u;
  auto* target = static_cast<std::byte*>(words);
  for (int from = 0; from < kCounters; from += kSets * kWideLanes) {
    WideLanes c0[kSets], c1[kSets], c2[kSets], c3[kSets];
    for (int set = 0; set < kSets; ++set) {
      c0[set] = widened(id + from + set * kWideLanes);
      c1[set] = widened(block + from + set * kWideLanes);
      c2[set] = WideLanes{} + key.epoch;
      c3[set] = WideLanes{} + key.stream;
    }
    std::uint32_t key0 = static_cast<std::uint32_t>(key.seed);
    std::uint32_t key1 = static_cast<std::uint32_t>(key.seed >> 32);
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
      const WideLanes first = interleaved<0>(low, high, kLanes);
      const WideLanes second = interleaved<kWideLanes / 2>(low, high, kLanes);
      std::memcpy(target, &first, kVectorBytes);
      std::memcpy(target + kVectorBytes, &second, kVectorBytes);
      target += 2 * kVectorBytes;
    }
  }
}

}  // namespace m2st::kernels
