// Reductions inside a warp, all 32 lanes taking part. The order is a fixed butterfly, so results
// are the same from run to run.
#pragma once

#include <cuda_runtime.h>

namespace m2st::kernels {

inline constexpr int kWarp = 32;
inline constexpr unsigned kAllLanes = 0xFFFFFFFFu;

// Over the lanes that differ from this one by multiples of `stride`, a power of two.
template <class T>
__device__ inline T warp_max(T value, int stride) {
  for (int offset = kWarp / 2; offset >= stride; offset /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, value, offset);
    value = other > value ? other : value;
  }
  return value;
}

template <class T>
__device__ inline T warp_sum(T value, int stride) {
  for (int offset = kWarp / 2; offset >= stride; offset /= 2) {
    value += __shfl_xor_sync(kAllLanes, value, offset);
  }
  return value;
}

}  // namespace m2st::kernels
