// Reductions to one value and down the columns. Their shape depends on the size alone: chunks of
// constant length, each reduced by a block in a fixed order, then one block over the chunks' parts.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/array.h"
#include "engine/cuda_launch.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

inline constexpr int kBlockWarps = kBlockThreads / kWarp;
inline constexpr std::int64_t kReductionChunk = 16 * kBlockThreads;

struct Plus {
  template <class V>
  __device__ V operator()(V a, V b) const {
    return a + b;
  }
};

struct Larger {
  template <class V>
  __device__ V operator()(V a, V b) const {
    return b > a ? b : a;
  }
};

template <class V, class Combine>
__device__ V warp_combine(V value, const Combine& combine) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value = combine(value, static_cast<V>(__shfl_xor_sync(kAllLanes, value, offset)));
  }
  return value;
}

// Over the block's threads; thread 0 has the result. `parts`: kBlockWarps values, free for reuse
// after the caller's next barrier.
template <class V, class Combine>
__device__ V block_combine(V value, const Combine& combine, V* parts) {
  value = warp_combine(value, combine);
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int warp = 1; warp < kBlockWarps; ++warp) value = combine(value, parts[warp]);
  }
  return value;
}

// store(block, value) with the value of terms [block · chunk, (block + 1) · chunk).
template <class V, class Term, class Combine, class Store>
__global__ void reduction_kernel(std::int64_t size, std::int64_t chunk, Term term, Combine combine,
                                 Store store) {
  const std::int64_t begin = blockIdx.x * chunk;
  const std::int64_t end = begin + chunk < size ? begin + chunk : size;
  V value = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kBlockThreads) {
    value = combine(value, term(i));
  }
  value = block_combine(value, combine, block_shared_dynamic<V>());
  if (threadIdx.x == 0) store(blockIdx.x, value);
}

template <class V>
struct ReadPart {
  const V* parts;
  __device__ V operator()(std::int64_t i) const { return parts[i]; }
};

template <class V>
struct StorePart {
  V* parts;
  __device__ void operator()(std::int64_t i, V value) const { parts[i] = value; }
};

// store(0, combine of term(i) for i < size); 0 is the neutral element, and the result for size 0.
template <class V, class Term, class Combine, class Store>
void reduce(CudaContext& context, std::int64_t size, const Term& term, const Combine& combine,
            const Store& store) {
  const std::size_t shared = kBlockWarps * sizeof(V);
  if (size <= kReductionChunk) {
    launch(reduction_kernel<V, Term, Combine, Store>, dim3(1), dim3(kBlockThreads), shared, context,
           size, kReductionChunk, term, combine, store);
    return;
  }
  const dim3 blocks = blocks_for(size, kReductionChunk);
  Array<V> parts(context.pool(), blocks.x);
  launch(reduction_kernel<V, Term, Combine, StorePart<V>>, blocks, dim3(kBlockThreads), shared,
         context, size, kReductionChunk, term, combine, StorePart<V>{parts.data()});
  launch(reduction_kernel<V, ReadPart<V>, Combine, Store>, dim3(1), dim3(kBlockThreads), shared,
         context, parts.size(), parts.size(), ReadPart<V>{parts.data()}, combine, store);
}

// Columns are cut into tiles of a warp's width; a block's warps take the rows of its part in turn.
inline constexpr std::int64_t kLeastRowsOfPart = 64;
inline constexpr std::int64_t kMostParts = 256;

inline std::int64_t rows_of_part(std::int64_t rows) {
  return std::max(kLeastRowsOfPart, (rows + kMostParts - 1) / kMostParts);
}

// store(part, c, value) with the combined terms (r, c) of the part's rows, blockIdx.y being the
// part.
template <class V, class Term, class Combine, class Store>
__global__ void columns_kernel(std::int64_t rows, std::int64_t cols, std::int64_t rows_a_part,
                               Term term, Combine combine, Store store) {
  const int lane = threadIdx.x % kWarp;
  const int warp = threadIdx.x / kWarp;
  const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * kWarp + lane;
  const std::int64_t begin = blockIdx.y * rows_a_part;
  const std::int64_t end = begin + rows_a_part < rows ? begin + rows_a_part : rows;
  V value = combine.neutral();
  if (c < cols) {
    for (std::int64_t r = begin + warp; r < end; r += kBlockWarps)
      value = combine(value, term(r, c));
  }
  V* parts = block_shared_dynamic<V>();
  parts[threadIdx.x] = value;
  __syncthreads();
  if (warp > 0 || c >= cols) return;
  for (int k = 1; k < kBlockWarps; ++k) value = combine(value, parts[k * kWarp + lane]);
  store(blockIdx.y, c, value);
}

struct PlusDoubles {
  __device__ double neutral() const { return 0; }
  __device__ double operator()(double a, double b) const { return a + b; }
};

template <class V>
struct ReadRowOfParts {
  const V* parts;
  std::int64_t cols;
  __device__ V operator()(std::int64_t part, std::int64_t c) const {
    return parts[part * cols + c];
  }
};

template <class V>
struct StoreRowOfParts {
  V* parts;
  std::int64_t cols;
  __device__ void operator()(std::int64_t part, std::int64_t c, V value) const {
    parts[part * cols + c] = value;
  }
};

// store(0, c, combine over rows of term(r, c)) for every column; combine.neutral() without rows.
template <class V, class Term, class Combine, class Store>
void combine_columns(CudaContext& context, std::int64_t rows, std::int64_t cols, const Term& term,
                     const Combine& combine, const Store& store) {
  if (cols == 0) return;
  const std::size_t shared = kBlockThreads * sizeof(V);
  const dim3 tiles = blocks_for(cols, kWarp);
  const std::int64_t rows_a_part = rows_of_part(rows);
  if (rows <= rows_a_part) {
    launch(columns_kernel<V, Term, Combine, Store>, tiles, dim3(kBlockThreads), shared, context,
           rows, cols, rows_a_part, term, combine, store);
    return;
  }
  const unsigned count = blocks_for(rows, rows_a_part).x;
  Matrix<V> parts(context.pool(), count, cols);
  launch(columns_kernel<V, Term, Combine, StoreRowOfParts<V>>, dim3(tiles.x, count),
         dim3(kBlockThreads), shared, context, rows, cols, rows_a_part, term, combine,
         StoreRowOfParts<V>{parts.data(), cols});
  launch(columns_kernel<V, ReadRowOfParts<V>, Combine, Store>, tiles, dim3(kBlockThreads), shared,
         context, parts.rows(), cols, parts.rows(), ReadRowOfParts<V>{parts.data(), cols}, combine,
         store);
}

// The usual end of a sum down the columns: written or added, rounded once.
template <class T>
struct StoreSum {
  T* sums;
  bool add;
  __device__ void operator()(std::int64_t, std::int64_t c, double total) const {
    const T value = static_cast<T>(total);
    sums[c] = add ? sums[c] + value : value;
  }
};

}  // namespace m2st::kernels
