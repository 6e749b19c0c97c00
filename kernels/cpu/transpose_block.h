// A square block of a matrix turned in vector registers: log2(lanes) rounds of pairwise exchanges,
// each swapping the off-diagonal halves of ever larger blocks.
#pragma once

#include <cstdint>
#include <utility>

#include "kernels/cpu/gemm_entries.h"

namespace m2st::kernels {

template <class Entries>
struct TransposeBlock {
  using Packed = typename Entries::Packed;
  using Row = typename Vector<Packed>::Type;
  static constexpr int kLanes = Vector<Packed>::kLanes;

  Row rows[kLanes];

  // Rows of `kLanes` entries from `source`, `stride` values apart; rows from `count` on are zero.
  void load(const typename Entries::Value* source, std::int64_t stride, std::int64_t count) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      rows[i] = i < count ? Entries::load(source + i * stride) : Row{};
    }
  }

  template <int Step, int... Lane>
  void exchange(std::integer_sequence<int, Lane...>) {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if ((i & Step) != 0) continue;
      const Row first = rows[i];
      const Row second = rows[i + Step];
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

  void store(Packed* target, std::int64_t stride) const {
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      Vector<Packed>::store(rows[i], target + i * stride);
    }
  }
};

}  // namespace m2st::kernels
