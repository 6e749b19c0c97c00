// The inner part of matrix products and of distances: a block's tile of Σ_p op(a[i,p], b[p,j]), in
// registers, fed through shared memory. Terms are added in order of p by one thread, so a sum
// depends on its row, its column and the range of p alone.
#pragma once

#include <cstdint>

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/shared.cuh"

namespace m2st::kernels {

inline constexpr int kTileThreads = 16;  // each way: 256 a block
// Depth of a stage: 128 bytes of each of the tile's rows.
template <class T>
inline constexpr int kStageDepth = 64 / static_cast<int>(sizeof(T));
// Keeps lines 16-byte aligned while moving them to other banks.
inline constexpr int kTilePadding = 4;

// One side of a product: index i along the tile, p along the sum. Stored: what T is made from.
template <class T, class Stored = T>
struct TileOperand {
  const Stored* data;
  std::int64_t stride;
  bool along_depth;          // element (i, p) at i · stride + p; else at p · stride + i
  const std::int32_t* rows;  // not along depth: which lines p stands for; null: line p itself

  __device__ T at(std::int64_t i, std::int64_t p) const {
    if (along_depth) return static_cast<T>(data[i * stride + p]);
    return static_cast<T>(data[(rows == nullptr ? p : rows[p]) * stride + i]);
  }
};

// A range of the tile's indices, and of the sum.
struct TileRange {
  std::int64_t first;
  std::int64_t end;
};

// A thread owns kOwned indices: single ones side by side, or groups of four, 64 apart.
template <int kOwned>
__device__ inline int owned_index(int thread, int which) {
  static_assert(kOwned == 1 || kOwned % 4 == 0);
  if constexpr (kOwned == 1) return thread;
  return which / 4 * (4 * kTileThreads) + thread * 4 + which % 4;
}

// The terms of a squared distance.
struct SquaredDifference {
  template <class T>
  static __device__ T add(T sum, T a, T b) {
    const T difference = a - b;
    return sum + difference * difference;
  }
};

// How elements enter the tiles: as they are.
struct AsTheyAre {
  template <class T>
  static __device__ T entry(T value) {
    return value;
  }
};

template <class T, int kOwned, int kDepth = kStageDepth<T>>
struct TileStage {
  static constexpr int kWidth = kOwned * kTileThreads;
  static constexpr int kLine = kWidth + kTilePadding;
  static constexpr int kSize = kLine * kDepth;
  static constexpr int kElements = kWidth * kDepth;
  static constexpr int kLoads = (kElements + kBlockThreads - 1) / kBlockThreads;

  T loaded[kLoads];

  // Neighbouring threads read neighbouring elements, whichever way the operand lies.
  static __device__ int index_of(bool along_depth, int element) {
    return along_depth ? element / kDepth : element % kWidth;
  }
  static __device__ int depth_of(bool along_depth, int element) {
    return along_depth ? element % kDepth : element / kWidth;
  }
  template <class Entries, class Stored>
  __device__ void load(const TileOperand<T, Stored>& operand, TileRange indices, TileRange depths) {
#pragma unroll
    for (int k = 0; k < kLoads; ++k) {
      const int element = threadIdx.x + k * kBlockThreads;
      const std::int64_t i = indices.first + index_of(operand.along_depth, element);
      const std::int64_t p = depths.first + depth_of(operand.along_depth, element);
      const bool inside = element < kElements && i < indices.end && p < depths.end;
      loaded[k] = inside ? Entries::entry(operand.at(i, p)) : T(0);
    }
  }
  __device__ void store(bool along_depth, T* lines) const {
#pragma unroll
    for (int k = 0; k < kLoads; ++k) {
      const int element = threadIdx.x + k * kBlockThreads;
      if (element >= kElements) break;
      lines[depth_of(along_depth, element) * kLine + index_of(along_depth, element)] = loaded[k];
    }
  }
};

template <class T, int kOwned>
__device__ inline void read_owned(const T* line, int thread, T (&values)[kOwned]) {
  if constexpr (kOwned == 1) {
    values[0] = line[thread];
  } else {
    constexpr int kPack = kWidestPack<T>;
#pragma unroll
    for (int k = 0; k < kOwned; k += kPack) {
      const auto pack = load_pack<kPack>(line + owned_index<kOwned>(thread, k));
#pragma unroll
      for (int i = 0; i < kPack; ++i) values[k + i] = pack.of[i];
    }
  }
}

// Bytes of shared memory of two stages, one computed with while the next arrives.
template <class T, int kRows, int kCols, int kDepth = kStageDepth<T>>
constexpr std::size_t tile_bytes() {
  return 2 * (TileStage<T, kRows, kDepth>::kSize + TileStage<T, kCols, kDepth>::kSize) * sizeof(T);
}

// add(lines of a, lines of b, terms left) for one stage after the other, an operand's depth p being
// line p of its stage; all threads of the block call it. Beyond the ranges operands count as zeros.
template <int kRows, int kCols, int kDepth, class Entries, class T, class A, class B, class Add>
__device__ void walk_stages(const TileOperand<T, A>& a, const TileOperand<T, B>& b, TileRange rows,
                            TileRange cols, TileRange depths, const Add& add) {
  constexpr int kSizeA = TileStage<T, kRows, kDepth>::kSize;
  constexpr int kSize = kSizeA + TileStage<T, kCols, kDepth>::kSize;
  T* stages = block_shared_dynamic<T>();
  TileStage<T, kRows, kDepth> stage_a;
  TileStage<T, kCols, kDepth> stage_b;
  stage_a.template load<Entries>(a, rows, depths);
  stage_b.template load<Entries>(b, cols, depths);
  stage_a.store(a.along_depth, stages);
  stage_b.store(b.along_depth, stages + kSizeA);
  __syncthreads();
  for (int current = 0; depths.first < depths.end; current ^= 1) {
    const std::int64_t left = depths.end - depths.first;
    depths.first += kDepth;
    const bool more = depths.first < depths.end;
    if (more) {
      stage_a.template load<Entries>(a, rows, depths);
      stage_b.template load<Entries>(b, cols, depths);
    }
    add(stages + current * kSize, stages + current * kSize + kSizeA, left);
    if (more) {
      stage_a.store(a.along_depth, stages + (current ^ 1) * kSize);
      stage_b.store(b.along_depth, stages + (current ^ 1) * kSize + kSizeA);
    }
    __syncthreads();
  }
}

// sums[r][c] += Σ over depths of op, for the thread's rows and columns.
template <class Op, class Entries = AsTheyAre, class T, class A, class B, int kRows, int kCols>
__device__ void add_tile(const TileOperand<T, A>& a, const TileOperand<T, B>& b, TileRange rows,
                         TileRange cols, TileRange depths, T (&sums)[kRows][kCols]) {
  const int thread_col = threadIdx.x % kTileThreads;
  const int thread_row = threadIdx.x / kTileThreads;
  const auto add_stage = [&](const T* lines_a, const T* lines_b, std::int64_t) {
#pragma unroll
    for (int p = 0; p < kStageDepth<T>; ++p) {
      T values_a[kRows], values_b[kCols];
      read_owned(lines_a + p * TileStage<T, kRows>::kLine, thread_row, values_a);
      read_owned(lines_b + p * TileStage<T, kCols>::kLine, thread_col, values_b);
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
#pragma unroll
        for (int c = 0; c < kCols; ++c) sums[r][c] = Op::add(sums[r][c], values_a[r], values_b[c]);
      }
    }
  };
  walk_stages<kRows, kCols, kStageDepth<T>, Entries>(a, b, rows, cols, depths, add_stage);
}

}  // namespace m2st::kernels
