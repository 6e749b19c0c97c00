// Products of batches on CUDA, in double on the tensor cores. The inner dimension is never cut: an
// entry's sum is in order of it, whatever the tile and however many members there are, so that a
// member's bytes are its own.
#include <cmath>

#include "kernels/batch_algebra.h"
#include "kernels/batch_shapes.h"
#include "kernels/cuda/double_tile.cuh"

namespace m2st::kernels {

namespace {

// Larger tiles read less for the same work, smaller ones keep more multiprocessors busy: the
// largest that still makes this many.
constexpr std::int64_t kWantedTiles = 64;

// Fused operations are spelled out: no compiler may round one tile's sums otherwise than another's.
struct MultiplyAdd {
  template <class T>
  static __device__ T add(T sum, T a, T b) {
    return fma(a, b, sum);
  }
};

template <class T>
struct BatchJob {
  TileOperand<T> a;
  TileOperand<T> b;
  std::int64_t a_member;
  std::int64_t b_member;
  std::int64_t depth;
  T alpha;
  T beta;
  BatchView<T> out;
};

template <class T>
__device__ inline TileOperand<T> of_member(const TileOperand<T>& operand, std::int64_t member) {
  return {operand.data + member, operand.stride, operand.along_depth, nullptr};
}

template <class T>
__device__ inline void write_entry(const BatchJob<T>& job, std::int64_t i, std::int64_t j, T sum) {
  T& target = job.out.data[blockIdx.z * job.out.member_stride + i * job.out.row_stride + j];
  const T product = job.alpha * sum;
  target = job.beta == T(0) ? product : fma(job.beta, target, product);
}

// blockIdx.z: the member.
template <int kOwned, class T>
__global__ void multiply_kernel(BatchJob<T> job) {
  constexpr int kTile = kOwned * kTileThreads;
  const TileRange rows{static_cast<std::int64_t>(blockIdx.x) * kTile, job.out.rows};
  const TileRange cols{static_cast<std::int64_t>(blockIdx.y) * kTile, job.out.cols};
  T sums[kOwned][kOwned] = {};
  add_tile<MultiplyAdd>(of_member(job.a, blockIdx.z * job.a_member),
                        of_member(job.b, blockIdx.z * job.b_member), rows, cols,
                        TileRange{0, job.depth}, sums);
#pragma unroll
  for (int r = 0; r < kOwned; ++r) {
    const std::int64_t i = rows.first + owned_index<kOwned>(threadIdx.x / kTileThreads, r);
    if (i >= job.out.rows) break;
#pragma unroll
    for (int c = 0; c < kOwned; ++c) {
      const std::int64_t j = cols.first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
      if (j >= job.out.cols) break;
      write_entry(job, i, j, sums[r][c]);
    }
  }
}

template <int kRows, int kCols, int kDepth>
__global__ void multiply_double_kernel(BatchJob<double> job) {
  using Tile = DoubleTile<kRows, kCols>;
  const TileRange rows{static_cast<std::int64_t>(blockIdx.x) * kRows * kTileThreads, job.out.rows};
  const TileRange cols{static_cast<std::int64_t>(blockIdx.y) * kCols * kTileThreads, job.out.cols};
  typename Tile::Sums sums = {};
  add_double_tile<kRows, kCols, kDepth>(of_member(job.a, blockIdx.z * job.a_member),
                                        of_member(job.b, blockIdx.z * job.b_member), rows, cols,
                                        TileRange{0, job.depth}, sums);
#pragma unroll
  for (int r = 0; r < Tile::kFragmentRows; ++r) {
    const std::int64_t i = rows.first + Tile::row(r);
    if (i >= job.out.rows) break;
#pragma unroll
    for (int c = 0; c < Tile::kFragmentCols; ++c) {
#pragma unroll
      for (int which = 0; which < 2; ++which) {
        const std::int64_t j = cols.first + Tile::col(c, which);
        if (j < job.out.cols) write_entry(job, i, j, sums[r][c][which]);
      }
    }
  }
}

template <int kRows, int kCols, class T>
dim3 tiles_of(const BatchView<T>& out) {
  return dim3(blocks_for(out.rows, kRows * kTileThreads).x,
              blocks_for(out.cols, kCols * kTileThreads).x, static_cast<unsigned>(out.count));
}

template <int kRows, int kCols, class T>
bool enough_tiles(const BatchView<T>& out) {
  const dim3 tiles = tiles_of<kRows, kCols>(out);
  return std::int64_t{tiles.x} * tiles.y * tiles.z >= kWantedTiles;
}

template <int kOwned>
void launch_tiles(CudaContext& context, const BatchJob<float>& job) {
  launch(multiply_kernel<kOwned, float>, tiles_of<kOwned, kOwned>(job.out), dim3(kBlockThreads),
         tile_bytes<float, kOwned, kOwned>(), context, job);
}

void launch_tiles(CudaContext& context, const BatchJob<float>& job) {
  if (enough_tiles<8, 8>(job.out)) {
    launch_tiles<8>(context, job);
  } else if (enough_tiles<4, 4>(job.out)) {
    launch_tiles<4>(context, job);
  } else {
    launch_tiles<1>(context, job);
  }
}

template <int kRows, int kCols, int kDepth>
void launch_double_tiles(CudaContext& context, const BatchJob<double>& job) {
  launch(multiply_double_kernel<kRows, kCols, kDepth>, tiles_of<kRows, kCols>(job.out),
         dim3(kBlockThreads), tile_bytes<double, kRows, kCols, kDepth>(), context, job);
}

// Few columns are one option set's clusters and common dimensions. Few tiles wait for memory rather
// than for arithmetic: they take more of it at a time.
void launch_tiles(CudaContext& context, const BatchJob<double>& job) {
  if (job.out.cols > 2 * kTileThreads && enough_tiles<8, 4>(job.out)) {
    launch_double_tiles<8, 4, kStageDepth<double>>(context, job);
  } else if (job.out.cols <= 2 * kTileThreads && enough_tiles<8, 2>(job.out)) {
    launch_double_tiles<8, 2, kStageDepth<double>>(context, job);
  } else {
    launch_double_tiles<2, 2, 4 * kStageDepth<double>>(context, job);
  }
}

}  // namespace

template <class T>
void multiply(CudaContext& context, Layout layout_a, Layout layout_b, T alpha, BatchView<const T> a,
              BatchView<const T> b, T beta, BatchView<T> out) {
  check_batch_product<T>(layout_a, layout_b, a, b, out);
  if (out.size() == 0) return;
  const BatchJob<T> job{{a.data, a.row_stride, layout_a == Layout::kPlain, nullptr},
                        {b.data, b.row_stride, layout_b == Layout::kTransposed, nullptr},
                        a.member_stride,
                        b.member_stride,
                        cols_of(layout_a, a),
                        alpha,
                        beta,
                        out};
  launch_tiles(context, job);
}

#define INSTANTIATE(T)                                                           \
  template void multiply<T>(CudaContext&, Layout, Layout, T, BatchView<const T>, \
                            BatchView<const T>, T, BatchView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
