// A square block of a matrix turned in vector registers: log2(lanes) rounds of pairwise exchanges,
// each swapping the off-diagonal halves of ever larger blocks.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cpu/gemm_tile.h"

namespace m2st::kernels {

template <class T>
struct TransposeBlock {
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  typedef T LooseVector __attribute__((vector_size(kVectorBytes), aligned(sizeof(T))));
  using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef Index Lanes __attribute__((vector_size(kVectorBytes)));

  Vector rows[kLanes];

  // Rows of `kLanes` elements from `source`, `stride` apart; rows from `count` on are zero.
  void load(const T* source, std::int64_t stride, std::int64_t count) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      rows[i] =
          i < count ? Vector(*reinterpret_cast<const LooseVector*>(source + i * stride)) : Vector{};
    }
  }

  template <int Step>
  void exchange() {
    Lanes low;
    Lanes high;
#pragma GCC unroll 16
    for (int j = 0; j < kLanes; ++j) {
      low[j] = (j & Step) != 0 ? kLanes + j - Step : j;
      high[j] = (j & Step) != 0 ? kLanes + j : j + Step;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & Step) != 0) continue;
      const Vector first = rows[i];
      const Vector second = rows[i + Step];
      rows[i] = __builtin_shuffle(first, second, low);
      rows[i + Step] = __builtin_shuffle(first, second, high);
    }
  }

  void transpose() {
    exchange<1>();
    exchange<2>();
    if constexpr (kLanes > 4) exchange<4>();
    if constexpr (kLanes > 8) exchange<8>();
  }

  void store(T* target, std::int64_t stride) const {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) *reinterpret_cast<LooseVector*>(target + i * stride) = rows[i];
  }
};

}  // namespace m2st::kernels
