// Loops over elements and over rows, one owner an element, overwriting or adding. A thread reads
// four elements, a block or a row's lanes apart, before it writes one: loads are contiguous across
// the warp whatever the alignment, and enough are under way to fill the memory's pipe. `out` may be
// an input itself, never half overlap one.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/cuda_launch.cuh"
#include "kernels/accumulate.h"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

inline constexpr int kBlockThreads = 256;
inline constexpr int kElementsAThread = 4;
// Device code may read constants, not call the standard library's functions for them.
template <class T>
inline constexpr T kRounding = std::numeric_limits<T>::epsilon();

// Blocks for `count` things, `per_block` to a block.
inline dim3 blocks_for(std::int64_t count, std::int64_t per_block) {
  return dim3(static_cast<unsigned>((count + per_block - 1) / per_block));
}

__device__ inline std::int64_t thread_number() {
  return static_cast<std::int64_t>(blockIdx.x) * kBlockThreads + threadIdx.x;
}

template <class T, class Value>
__global__ void elements_kernel(std::int64_t size, bool add, T* out, Value value) {
  const std::int64_t first =
      std::int64_t{kBlockThreads} * kElementsAThread * blockIdx.x + threadIdx.x;
  T results[kElementsAThread] = {};
#pragma unroll
  for (int k = 0; k < kElementsAThread; ++k) {
    const std::int64_t i = first + k * kBlockThreads;
    if (i < size) results[k] = add ? out[i] + value(i) : value(i);
  }
#pragma unroll
  for (int k = 0; k < kElementsAThread; ++k) {
    const std::int64_t i = first + k * kBlockThreads;
    if (i < size) out[i] = results[k];
  }
}

// out[i] = value(i) or +=; Value is a struct with a __device__ operator().
template <class T, class Value>
void write_elements(CudaContext& context, std::int64_t size, T* out, Accumulate accumulate,
                    const Value& value) {
  if (size == 0) return;
  launch(elements_kernel<T, Value>, blocks_for(size, kBlockThreads * kElementsAThread),
         dim3(kBlockThreads), 0, context, size, accumulate == Accumulate::kAdd, out, value);
}

// Threads to a row: a power of two, a warp at most.
inline int lanes_of_row(std::int64_t cols) {
  int lanes = 1;
  while (lanes < cols && lanes < kWarp) lanes *= 2;
  return lanes;
}

template <class T, class Rows>
__global__ void rows_kernel(std::int64_t rows, std::int64_t cols, int lanes, bool add, Rows body) {
  const std::int64_t row = thread_number() / lanes;
  if (row >= rows) return;
  T* target = body.target(row);
  for (std::int64_t c = threadIdx.x % lanes; c < cols; c += kElementsAThread * lanes) {
    T results[kElementsAThread] = {};
#pragma unroll
    for (int k = 0; k < kElementsAThread; ++k) {
      const std::int64_t at = c + k * lanes;
      if (at < cols) results[k] = add ? target[at] + body.value(row, at) : body.value(row, at);
    }
#pragma unroll
    for (int k = 0; k < kElementsAThread; ++k) {
      const std::int64_t at = c + k * lanes;
      if (at < cols) target[at] = results[k];
    }
  }
}

// body.target(row)[c] = body.value(row, c) or += for all rows and columns; the targets of two rows
// do not overlap.
template <class T, class Rows>
void write_rows(CudaContext& context, std::int64_t rows, std::int64_t cols, Accumulate accumulate,
                const Rows& body) {
  if (rows == 0 || cols == 0) return;
  const int lanes = lanes_of_row(cols);
  launch(rows_kernel<T, Rows>, blocks_for(rows, kBlockThreads / lanes), dim3(kBlockThreads), 0,
         context, rows, cols, lanes, accumulate == Accumulate::kAdd, body);
}

}  // namespace m2st::kernels
