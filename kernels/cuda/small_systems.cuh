// What a block of kBlockThreads threads does with one small dense system: shared by the kernels for
// one system and for batches of them.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

template <class T>
__device__ inline void copy_entries(std::int64_t size, const T* from, T* to) {
  for (std::int64_t i = threadIdx.x; i < size; i += kBlockThreads) to[i] = from[i];
}

// factor[i,j] −= factor[i,k] · row[j] for the part behind k; `row` is row k (LU) or column k, one
// number every `stride` (Cholesky).
template <class T>
__device__ inline void subtract_outer(int n, int k, const T* row, int stride, T* factor) {
  const int left = n - k - 1;
  for (int at = threadIdx.x; at < left * left; at += kBlockThreads) {
    const int i = k + 1 + at / left;
    const int j = k + 1 + at % left;
    factor[i * n + j] -= factor[i * n + k] * row[j * stride];
  }
}

// The row of the largest |factor[i,k]| from k on, the first of equals; by the first warp.
template <class T>
__device__ inline int pivot_row(int n, int k, const T* factor) {
  T best = T(-1);
  int row = k;
  for (int i = k + threadIdx.x; i < n; i += kWarp) {
    const T magnitude = fabs(factor[i * n + k]);
    if (magnitude > best) {
      best = magnitude;
      row = i;
    }
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, best, offset);
    const int other_row = __shfl_xor_sync(kAllLanes, row, offset);
    if (other > best || (other == best && other_row < row)) {
      best = other;
      row = other_row;
    }
  }
  return row;
}

// PA = LU in place; row k changed places with row swaps[k] at step k. `chosen`: shared, one int.
template <class T>
__device__ inline void factorise_lu(int n, T* factor, int* swaps, int* chosen) {
  for (int k = 0; k < n; ++k) {
    if (threadIdx.x < kWarp) {
      const int row = pivot_row(n, k, factor);
      if (threadIdx.x == 0) *chosen = swaps[k] = row;
    }
    __syncthreads();
    const int row = *chosen;
    for (int j = threadIdx.x; j < n && row != k; j += kBlockThreads) {
      const T value = factor[k * n + j];
      factor[k * n + j] = factor[row * n + j];
      factor[row * n + j] = value;
    }
    __syncthreads();
    const T pivot = factor[k * n + k];
    for (int i = k + 1 + threadIdx.x; i < n && pivot != T(0); i += kBlockThreads) {
      factor[i * n + k] /= pivot;
    }
    __syncthreads();
    subtract_outer(n, k, factor + k * n, 1, factor);
    __syncthreads();
  }
}

}  // namespace m2st::kernels
