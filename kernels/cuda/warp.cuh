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

// Four sums over the warp by six shuffles instead of twenty: lanes trade halves of what they hold.
// The sum of values[k] ends up on the lanes 8k .. 8k + 7.
template <class T>
__device__ inline T warp_sum_of_four(const T (&values)[4]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const bool upper = (lane & 16) != 0;
  T first = upper ? values[2] : values[0];
  T second = upper ? values[3] : values[1];
  first += __shfl_xor_sync(kAllLanes, upper ? values[0] : values[2], 16);
  second += __shfl_xor_sync(kAllLanes, upper ? values[1] : values[3], 16);
  const bool odd = (lane & 8) != 0;
  T sum = odd ? second : first;
  sum += __shfl_xor_sync(kAllLanes, odd ? first : second, 8);
  for (int offset = 4; offset > 0; offset /= 2) sum += __shfl_xor_sync(kAllLanes, sum, offset);
  return sum;
}

}  // namespace m2st::kernels
