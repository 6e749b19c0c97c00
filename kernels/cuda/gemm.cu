// Matrix products on CUDA, tiled in registers. How the work is cut depends on the shapes alone;
// where tiles are few and the inner dimension is long (gradients of weights), slices of it give
// partial products that are added in order. Products in float32 go to cuBLASLt where the context
// has it and they fill its tiles.
#include <type_traits>
#include <utility>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/bfloat16.h"
#include "kernels/cuda/library_products.cuh"
#include "kernels/cuda/product_entries.cuh"
#include "kernels/cuda/product_slices.cuh"
#include "kernels/cuda/tile.cuh"
#include "kernels/gemm.h"
#include "kernels/gemm_shapes.h"

namespace m2st::kernels {

namespace {

template <class T>
struct GemmJob {
  TileOperand<T> a;
  TileOperand<T> b;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t depth;
  std::int64_t slice;  // depth of one block's part, blockIdx.z its number
  T alpha;
  T beta;
  T* out;  // or partial products, slice by slice
};

template <int kOwned, class Entries, class T>
__global__ void gemm_kernel(GemmJob<T> job) {
  constexpr int kTile = kOwned * kTileThreads;
  const TileRange rows{static_cast<std::int64_t>(blockIdx.x) * kTile, job.rows};
  const TileRange cols{static_cast<std::int64_t>(blockIdx.y) * kTile, job.cols};
  const std::int64_t begin = blockIdx.z * job.slice;
  const std::int64_t end = begin + job.slice < job.depth ? begin + job.slice : job.depth;
  T sums[kOwned][kOwned] = {};
  add_tile<MultiplyAdd, Entries>(job.a, job.b, rows, cols, TileRange{begin, end}, sums);
  T* out = job.out + blockIdx.z * job.rows * job.cols;
#pragma unroll
  for (int r = 0; r < kOwned; ++r) {
    const std::int64_t i = rows.first + owned_index<kOwned>(threadIdx.x / kTileThreads, r);
    if (i >= job.rows) break;
#pragma unroll
    for (int c = 0; c < kOwned; ++c) {
      const std::int64_t j = cols.first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
      if (j >= job.cols) break;
      T& target = out[i * job.cols + j];
      const T product = job.alpha * sums[r][c];
      target = job.beta == T(0) ? product : product + job.beta * target;
    }
  }
}

template <class T>
struct ScaledSum {
  SumOfSlices<T> sum;
  T alpha;
  T beta;
  const T* out;
  __device__ T operator()(std::int64_t i) const {
    const T scaled = alpha * sum(i);
    return beta == T(0) ? scaled : scaled + beta * out[i];
  }
};

template <class T>
struct Scaled {
  T beta;
  const T* out;
  __device__ T operator()(std::int64_t i) const { return beta == T(0) ? T(0) : beta * out[i]; }
};

template <int kOwned, class Entries, class T>
void launch_tiles(CudaContext& context, const GemmJob<T>& job, std::int64_t slices) {
  constexpr int kTile = kOwned * kTileThreads;
  const dim3 grid(static_cast<unsigned>(tiles(job.rows, kTile)),
                  static_cast<unsigned>(tiles(job.cols, kTile)), static_cast<unsigned>(slices));
  launch(gemm_kernel<kOwned, Entries, T>, grid, dim3(kBlockThreads),
         tile_bytes<T, kOwned, kOwned>(), context, job);
}

template <class Entries, class T>
void multiply_by_slices(CudaContext& context, GemmJob<T> job, std::int64_t wanted) {
  job.slice = slice_depth<T>(job.depth, wanted);
  const std::int64_t slices = tiles(job.depth, job.slice);
  const std::int64_t size = job.rows * job.cols;
  Array<T> partial(context.pool(), slices * size);
  const ScaledSum<T> sum{{partial.data(), size, slices}, job.alpha, job.beta, job.out};
  T* out = std::exchange(job.out, partial.data());
  job.alpha = T(1);
  job.beta = T(0);
  launch_tiles<4, Entries>(context, job, slices);
  write_elements(context, size, out, Accumulate::kOverwrite, sum);
}

template <class Entries, class T>
void multiply_by_tiles(CudaContext& context, const GemmJob<T>& job) {
  const std::int64_t slices = wanted_slices(1, job.rows, job.cols, job.depth);
  if (slices > 1) {
    multiply_by_slices<Entries>(context, job, slices);
  } else if (tiles_of_products(1, job.rows, job.cols, 128) >= kLargeTiles) {
    launch_tiles<8, Entries>(context, job, 1);
  } else {
    launch_tiles<4, Entries>(context, job, 1);
  }
}

// Products without elements or without terms.
template <class T>
bool multiply_nothing(CudaContext& context, const GemmJob<T>& job) {
  if (job.rows * job.cols > 0 && job.depth > 0) return false;
  write_elements(context, job.rows * job.cols, job.out, Accumulate::kOverwrite,
                 Scaled<T>{job.beta, job.out});
  return true;
}

template <class T>
TileOperand<T> along_rows(MatrixView<const T> a, Layout layout) {
  return {a.data, a.cols, layout == Layout::kPlain, nullptr};
}

template <class T>
TileOperand<T> along_columns(MatrixView<const T> b, Layout layout) {
  return {b.data, b.cols, layout == Layout::kTransposed, nullptr};
}

// By tiles that take the operands' elements as they are.
template <class T>
void multiply_by_own(CudaContext& context, const GemmJob<T>& job) {
  if (!multiply_nothing(context, job)) multiply_by_tiles<AsTheyAre>(context, job);
}

template <class T>
void multiply(CudaContext& context, const GemmJob<T>& job) {
  if (multiply_nothing(context, job)) return;
  if constexpr (std::is_same_v<T, float>) {
    if (multiply_by_library(context, {.a = job.a,
                                      .b = job.b,
                                      .rows = job.rows,
                                      .cols = job.cols,
                                      .depth = job.depth,
                                      .alpha = job.alpha,
                                      .beta = job.beta,
                                      .out = job.out,
                                      .out_stride = job.cols})) {
      return;
    }
  }
  with_entries<T>(context, [&]<class Entries>() { multiply_by_tiles<Entries>(context, job); });
}

}  // namespace

template <class T>
void gemm(CudaContext& context, Layout layout_a, Layout layout_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out) {
  const GemmSizes size = checked_gemm_sizes(layout_a, layout_b, a, b, out);
  multiply(context, GemmJob<T>{along_rows(a, layout_a), along_columns(b, layout_b), size.rows,
                               size.cols, size.depth, size.depth, alpha, beta, out.data});
}

bool multiplies_bfloat16(const CudaContext& context) { return context.cublas_lt() != nullptr; }

void gemm_of_bfloat16(CudaContext& context, Layout layout_a, Layout layout_b, float alpha,
                      MatrixView<const BFloat16> a, MatrixView<const BFloat16> b, float beta,
                      MatrixView<float> out) {
  const GemmSizes size = checked_gemm_sizes(layout_a, layout_b, a, b, out);
  if (multiply_by_library(context, layout_a, layout_b, alpha, a, b, beta, out)) return;
  Matrix<float> wide_a(context.pool(), a.rows, a.cols), wide_b(context.pool(), b.rows, b.cols);
  widen_to_float(context, a.span(), wide_a.span());
  widen_to_float(context, b.span(), wide_b.span());
  multiply_by_own(
      context, GemmJob<float>{along_rows<float>(wide_a.view(), layout_a),
                              along_columns<float>(wide_b.view(), layout_b), size.rows, size.cols,
                              size.depth, size.depth, alpha, beta, out.data});
}

template <class T>
void gemm_of_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out) {
  const std::int64_t depth = std::ssize(rows);
  M2ST_CHECK(b.rows == depth && out.rows == a.cols && out.cols == b.cols, "gemm_of_rows: ", depth,
             " rows of a width of ", a.cols, ", b is ", b.rows, " x ", b.cols, ", out is ",
             out.rows, " x ", out.cols);
  multiply(context, GemmJob<T>{{a.data, a.cols, false, rows.data()},
                               {b.data, b.cols, false, nullptr},
                               out.rows,
                               out.cols,
                               depth,
                               depth,
                               T(1),
                               beta,
                               out.data});
}

#define INSTANTIATE(T)                                                                             \
  template void gemm<T>(CudaContext&, Layout, Layout, T, MatrixView<const T>, MatrixView<const T>, \
                        T, MatrixView<T>);                                                         \
  template void gemm_of_rows<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>,       \
                                MatrixView<const T>, T, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
