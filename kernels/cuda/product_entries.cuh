// Sums of products in tiles, and how the operands' elements enter them at each MatmulPrecision.
#pragma once

#include <type_traits>

#include "engine/cuda_context.h"
#include "kernels/cuda/tile.cuh"
#include "kernels/math/rounding.h"

namespace m2st::kernels {

struct MultiplyAdd {
  template <class T>
  static __device__ T add(T sum, T a, T b) {
    return sum + a * b;
  }
};

template <int kBits>
struct RoundedEntries {
  static __device__ float entry(float value) {
    return __uint_as_float(rounded_bits<kBits>(__float_as_uint(value)));
  }
};

// launch.operator()<Entries>() with those of the context's precision.
template <class T, class Launch>
void with_entries(const CudaContext& context, const Launch& launch) {
  if constexpr (std::is_same_v<T, float>) {
    switch (context.matmul_precision()) {
      case MatmulPrecision::kHighest:
        break;
      case MatmulPrecision::kHigh:
        return launch.template operator()<RoundedEntries<kBitsBelowTf32>>();
      case MatmulPrecision::kMedium:
        return launch.template operator()<RoundedEntries<kBitsBelowBf16>>();
    }
  }
  launch.template operator()<AsTheyAre>();
}

}  // namespace m2st::kernels
