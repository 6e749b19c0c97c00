// Products of batches on CUDA. The inner dimension is never cut: an entry's sum is in order of it,
// whatever the tile and however many members there are, so that a member's bytes are its own.
#include <cmath>

#include "kernels/batch_algebra.h"
#include "kernels/batch_shapes.h"
#include "kernels/cuda/tile.cuh"

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

// blockIdx.z: the member.
template <int kOwned, class T>
__global__ void multiply_kernel(BatchJob<T> job) {
  constexpr int kTile = kOwned * kTileThreads;
  const TileRange rows{static_cast<std::int64_t>(blockIdx.x) * kTile, job.out.rows};
  const TileRange cols{static_cast<std::int64_t>(blockIdx.y) * kTile, job.out.cols};
  const TileOperand<T> a{job.a.data + blockIdx.z * job.a_member, job.a.stride, job.a.along_depth,
                         nullptr};
  const TileOperand<T> b{job.b.data + blockIdx.z * job.b_member, job.b.stride, job.b.along_depth,
                         nullptr};
  T sums[kOwned][kOwned] = {};
  add_tile<MultiplyAdd>(a, b, rows, cols, TileRange{0, job.depth}, sums);
  T* out = job.out.data + blockIdx.z * job.out.member_stride;
#pragma unroll
  for (int r = 0; r < kOwned; ++r) {
    const std::int64_t i = rows.first + owned_index<kOwned>(threadIdx.x / kTileThreads, r);
    if (i >= job.out.rows) break;
#pragma unroll
    for (int c = 0; c < kOwned; ++c) {
      const std::int64_t j = cols.first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
      if (j >= job.out.cols) break;
      T& target = out[i * job.out.row_stride + j];
      const T product = job.alpha * sums[r][c];
      target = job.beta == T(0) ? product : fma(job.beta, target, product);
    }
  }
}

template <int kOwned>
std::int64_t tiles_of(std::int64_t size) {
  return (size + kOwned * kTileThreads - 1) / (kOwned * kTileThreads);
}

template <int kOwned, class T>
std::int64_t all_tiles(const BatchView<T>& out) {
  return out.count * tiles_of<kOwned>(out.rows) * tiles_of<kOwned>(out.cols);
}

template <int kOwned, class T>
void launch_tiles(CudaContext& context, const BatchJob<T>& job) {
  const dim3 grid(static_cast<unsigned>(tiles_of<kOwned>(job.out.rows)),
                  static_cast<unsigned>(tiles_of<kOwned>(job.out.cols)),
                  static_cast<unsigned>(job.out.count));
  launch(multiply_kernel<kOwned, T>, grid, dim3(kBlockThreads), tile_bytes<T, kOwned, kOwned>(),
         context, job);
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
  if constexpr (sizeof(T) == 4) {  // 64 sums in double are more registers than a thread has
    if (all_tiles<8>(out) >= kWantedTiles) {
      launch_tiles<8>(context, job);
      return;
    }
  }
  if (all_tiles<4>(out) >= kWantedTiles) {
    launch_tiles<4>(context, job);
  } else {
    launch_tiles<1>(context, job);
  }
}

#define INSTANTIATE(T)                                                           \
  template void multiply<T>(CudaContext&, Layout, Layout, T, BatchView<const T>, \
                            BatchView<const T>, T, BatchView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
