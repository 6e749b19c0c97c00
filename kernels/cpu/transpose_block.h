// A square block of a matrix turned in vector registers: log2(lanes) rounds of pairwise exchanges,
// each swapping the off-diagonal halves of ever larger blocks.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/cpu/vector_bytes.h"

namespace m2st::kernels {

template <class T>
struct TransposeBlock {
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  typedef T LooseVector __attribute__((vector_size(kVectorBytes), aligned(sizeof(T))));

  Vector rows[kLanes];

  // Rows of `kLanes` elements from `source`, `stride` apart; rows from `count` on are zero.
  void load(const T* source, std::int64_t stride, std::int64_t count) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      rows[i] =
          i < count ? Vector(*reinterpret_cast<const LooseVector*>(source + i * stride)) : Vector{};
    }
  }

  template <int Step, int... Lane>
  void exchange(std::integer_sequence<int, Lane...>) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & Step) != 0) continue;
      const Vector first = rows[i];
      const Vector second = rows[i + Step];
      rows[i] = __builtin_shufflevector(first, second,
                                        ((Lane & Step) != 0 ? kLanes + Lane - Step : Lane)...);
      rows[i + Step] = __builtin_shufflevector(
          first, second, ((Lane & Step) != 0 ? kLanes + Lane : Lane + Step)...);
    }
  }
  template <int Step>
  void exchange() {
    exchange<Step>(std::make_integer_sequence<int, kLanes>());
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
