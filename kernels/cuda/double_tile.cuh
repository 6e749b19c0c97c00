// Tiles of products in double on the tensor cores (sm_80 and later). One instruction multiplies an
// 8 × 4 by a 4 × 8 fragment for a warp: lane l brings a[l / 4, l % 4] and b[l % 4, l / 4] and owns
// the sums of row l / 4 and columns 2 (l % 4) and the next. An entry takes the same instructions on
// the same operands whatever the tile around it, so its bits depend on its row, its column and the
// range of p alone. Taken to add the four terms as a chain of fused operations in order of p, as
// the host's stand-in does; a device that adds them otherwise differs by rounding.
#pragma once

#include "kernels/cuda/tile.cuh"

namespace m2st::kernels {

inline constexpr int kFragment = 8;       // rows and columns
inline constexpr int kFragmentDepth = 4;  // terms an instruction

// sums[r][c] += fragment a[r] · fragment b[c]. By a whole warp.
template <int kRows, int kCols>
__device__ inline void add_fragments(const double (&a)[kRows], const double (&b)[kCols],
                                     double (&sums)[kRows][kCols][2]) {
#if defined(__CUDACC__)
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int c = 0; c < kCols; ++c) {
      asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                   : "+d"(sums[r][c][0]), "+d"(sums[r][c][1])
                   : "d"(a[r]), "d"(b[c]));
    }
  }
#else
  simt::warp_products({kRows, kCols, a, b, &sums[0][0][0]}, simt::Where::current());
#endif
}

// A block's tile of kRows · 16 by kCols · 16 entries: its warps stand four below one another, two
// side by side.
template <int kRows, int kCols>
struct DoubleTile {
  static constexpr int kWarpsDown = 4;
  static constexpr int kWarpsAcross = kBlockThreads / kWarp / kWarpsDown;
  static constexpr int kFragmentRows = kRows * kTileThreads / kFragment / kWarpsDown;
  static constexpr int kFragmentCols = kCols * kTileThreads / kFragment / kWarpsAcross;
  using Sums = double[kFragmentRows][kFragmentCols][2];

  // Within the tile, of this thread's sums[r][c][which].
  static __device__ int row(int r) {
    const int warp = threadIdx.x / kWarp / kWarpsAcross;
    return (warp * kFragmentRows + r) * kFragment + threadIdx.x % kWarp / kFragmentDepth;
  }
  static __device__ int col(int c, int which) {
    return first_col(c) + threadIdx.x % kFragmentDepth * 2 + which;
  }
  static __device__ int first_col(int c) {
    const int warp = threadIdx.x / kWarp % kWarpsAcross;
    return (warp * kFragmentCols + c) * kFragment;
  }
};

// sums += Σ over depths, kDepth terms a stage; all threads of the block call it. The padding of
// lines puts a fragment's elements into different banks.
template <int kRows, int kCols, int kDepth>
__device__ void add_double_tile(const TileOperand<double>& a, const TileOperand<double>& b,
                                TileRange rows, TileRange cols, TileRange depths,
                                typename DoubleTile<kRows, kCols>::Sums& sums) {
  using Tile = DoubleTile<kRows, kCols>;
  static_assert(kDepth % kFragmentDepth == 0);
  const int index = threadIdx.x % kWarp / kFragmentDepth, depth = threadIdx.x % kFragmentDepth;
  const auto add_stage = [&](const double* lines_a, const double* lines_b, std::int64_t left) {
#pragma unroll
    for (int p = 0; p < kDepth; p += kFragmentDepth) {
      if (p >= left) break;  // as many instructions for stages of any depth
      const double* line_a = lines_a + (p + depth) * TileStage<double, kRows, kDepth>::kLine;
      const double* line_b = lines_b + (p + depth) * TileStage<double, kCols, kDepth>::kLine;
      double values_a[Tile::kFragmentRows], values_b[Tile::kFragmentCols];
#pragma unroll
      for (int r = 0; r < Tile::kFragmentRows; ++r) values_a[r] = line_a[Tile::row(r)];
#pragma unroll
      for (int c = 0; c < Tile::kFragmentCols; ++c) {
        values_b[c] = line_b[Tile::first_col(c) + index];
      }
      add_fragments(values_a, values_b, sums);
    }
  };
  walk_stages<kRows, kCols, kDepth, AsTheyAre>(a, b, rows, cols, depths, add_stage);
}

}  // namespace m2st::kernels
