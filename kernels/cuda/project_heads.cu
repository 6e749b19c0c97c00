// Products head by head on CUDA: the tiles of kernels/cuda/gemm.cu on columns that lie side by
// side, all heads in one launch. Where tiles are few and the inner dimension is long, slices of it
// give partial products that are added in order. Products in float32 go to cuBLASLt as those of
// gemm.cu do.
#include <type_traits>

#include "engine/array.h"
#include "kernels/cuda/library_products.cuh"
#include "kernels/cuda/product_entries.cuh"
#include "kernels/cuda/product_slices.cuh"
#include "kernels/cuda/tile.cuh"
#include "kernels/project_heads.h"
#include "kernels/rows.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

// Head 0's operands and target; those of head h lie h steps further on.
template <class T>
struct HeadsJob {
  TileOperand<T> a, b;
  std::int64_t step_a, step_b, step_out;
  std::int64_t heads, rows, cols, depth;
  std::int64_t slice;   // depth of one block's part; blockIdx.z = head + heads · its number
  std::int64_t stride;  // of the target's rows
  bool add;
  const T* bias;  // (heads · cols) or null
  T* out;         // or partial products, slice by slice: (heads, rows, cols) each
};

template <int kOwned, class Entries, class T>
__global__ void project_heads_kernel(HeadsJob<T> job) {
  constexpr int kTile = kOwned * kTileThreads;
  const std::int64_t head = blockIdx.z % job.heads;
  const std::int64_t part = blockIdx.z / job.heads;
  const TileRange rows{static_cast<std::int64_t>(blockIdx.x) * kTile, job.rows};
  const TileRange cols{static_cast<std::int64_t>(blockIdx.y) * kTile, job.cols};
  const std::int64_t begin = part * job.slice;
  const std::int64_t end = begin + job.slice < job.depth ? begin + job.slice : job.depth;
  job.a.data += head * job.step_a;
  job.b.data += head * job.step_b;
  T sums[kOwned][kOwned] = {};
  add_tile<MultiplyAdd, Entries>(job.a, job.b, rows, cols, TileRange{begin, end}, sums);
  T* out = job.out + part * job.heads * job.rows * job.cols + head * job.step_out;
#pragma unroll
  for (int r = 0; r < kOwned; ++r) {
    const std::int64_t i = rows.first + owned_index<kOwned>(threadIdx.x / kTileThreads, r);
    if (i >= job.rows) break;
#pragma unroll
    for (int c = 0; c < kOwned; ++c) {
      const std::int64_t j = cols.first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
      if (j >= job.cols) break;
      T value = sums[r][c];
      if (job.bias != nullptr) value += job.bias[head * job.cols + j];
      T& target = out[i * job.stride + j];
      target = job.add ? target + value : value;
    }
  }
}

template <int kOwned, class T>
void launch_tiles(CudaContext& context, const HeadsJob<T>& job, std::int64_t slices) {
  constexpr int kTile = kOwned * kTileThreads;
  const dim3 grid(static_cast<unsigned>(tiles(job.rows, kTile)),
                  static_cast<unsigned>(tiles(job.cols, kTile)),
                  static_cast<unsigned>(job.heads * slices));
  with_entries<T>(context, [&]<class Entries>() {
    launch(project_heads_kernel<kOwned, Entries, T>, grid, dim3(kBlockThreads),
           tile_bytes<T, kOwned, kOwned>(), context, job);
  });
}

// False when the products are left to the tiles.
template <class T>
bool project_by_library(CudaContext& context, const HeadsJob<T>& job) {
  if constexpr (std::is_same_v<T, float>) {
    if (!multiply_by_library(context, {.a = job.a,
                                       .b = job.b,
                                       .step_a = job.step_a,
                                       .step_b = job.step_b,
                                       .out_step = job.step_out,
                                       .count = job.heads,
                                       .rows = job.rows,
                                       .cols = job.cols,
                                       .depth = job.depth,
                                       .alpha = 1,
                                       .beta = job.add ? 1.0f : 0.0f,
                                       .out = job.out,
                                       .out_stride = job.stride})) {
      return false;
    }
    if (job.bias != nullptr) {
      add_row<float>(context, {job.bias, static_cast<std::size_t>(job.stride)},
                     {job.out, job.rows, job.stride});
    }
    return true;
  }
  return false;
}

template <class T>
void launch_heads(CudaContext& context, const HeadsJob<T>& job) {
  if (job.heads * job.rows * job.cols == 0 || project_by_library(context, job)) return;
  if (tiles_of_products(job.heads, job.rows, job.cols, 128) >= kLargeTiles) {
    launch_tiles<8>(context, job, 1);
  } else {
    launch_tiles<4>(context, job, 1);
  }
}

}  // namespace

template <class T>
void project_heads(CudaContext& context, std::int64_t heads, MatrixView<const T> x,
                   MatrixView<const T> weight, Span<const T> bias, MatrixView<T> out,
                   Accumulate accumulate) {
  check_project_heads<T>("project_heads", heads, x, weight, out);
  check_bias_of_heads<T>("project_heads", bias, out, accumulate);
  const std::int64_t features = weight.rows / heads;
  launch_heads(context, HeadsJob<T>{.a = {x.data, x.cols, true, nullptr},
                                    .b = {weight.data, weight.cols, true, nullptr},
                                    .step_a = weight.cols,
                                    .step_b = features * weight.cols,
                                    .step_out = features,
                                    .heads = heads,
                                    .rows = x.rows,
                                    .cols = features,
                                    .depth = weight.cols,
                                    .slice = weight.cols,
                                    .stride = out.cols,
                                    .add = accumulate == Accumulate::kAdd,
                                    .bias = bias.empty() ? nullptr : bias.data(),
                                    .out = out.data});
}

template <class T>
void project_heads_backward_x(CudaContext& context, std::int64_t heads,
                              MatrixView<const T> grad_out, MatrixView<const T> weight,
                              MatrixView<T> grad_x) {
  check_project_heads<T>("project_heads_backward_x", heads, grad_x, weight, grad_out);
  const std::int64_t features = weight.rows / heads;
  launch_heads(context, HeadsJob<T>{.a = {grad_out.data, grad_out.cols, true, nullptr},
                                    .b = {weight.data, weight.cols, false, nullptr},
                                    .step_a = features,
                                    .step_b = features * weight.cols,
                                    .step_out = weight.cols,
                                    .heads = heads,
                                    .rows = grad_out.rows,
                                    .cols = weight.cols,
                                    .depth = features,
                                    .slice = features,
                                    .stride = grad_x.cols,
                                    .add = false,
                                    .bias = nullptr,
                                    .out = grad_x.data});
}

template <class T>
void project_heads_backward_weight(CudaContext& context, std::int64_t heads,
                                   MatrixView<const T> grad_out, MatrixView<const T> x,
                                   MatrixView<T> grad_weight, Accumulate accumulate) {
  check_project_heads<T>("project_heads_backward_weight", heads, x, grad_weight, grad_out);
  const std::int64_t features = grad_weight.rows / heads;
  const std::int64_t size = grad_weight.size();
  if (size == 0) return;
  HeadsJob<T> job{.a = {grad_out.data, grad_out.cols, false, nullptr},
                  .b = {x.data, x.cols, false, nullptr},
                  .step_a = features,
                  .step_b = grad_weight.cols,
                  .step_out = features * grad_weight.cols,
                  .heads = heads,
                  .rows = features,
                  .cols = grad_weight.cols,
                  .depth = x.rows,
                  .slice = x.rows,
                  .stride = grad_weight.cols,
                  .add = accumulate == Accumulate::kAdd,
                  .bias = nullptr,
                  .out = grad_weight.data};
  if (project_by_library(context, job)) return;
  const std::int64_t wanted = wanted_slices(heads, job.rows, job.cols, job.depth);
  if (wanted <= 1) return launch_heads(context, job);
  job.slice = slice_depth<T>(job.depth, wanted);
  const std::int64_t slices = tiles(job.depth, job.slice);
  Array<T> partial(context.pool(), slices * size);
  job.out = partial.data();
  job.add = false;
  launch_tiles<4>(context, job, slices);
  write_elements(context, size, grad_weight.data, accumulate,
                 SumOfSlices<T>{partial.data(), size, slices});
}

#define INSTANTIATE(T)                                                                            \
  template void project_heads<T>(CudaContext&, std::int64_t, MatrixView<const T>,                 \
                                 MatrixView<const T>, Span<const T>, MatrixView<T>, Accumulate);  \
  template void project_heads_backward_x<T>(CudaContext&, std::int64_t, MatrixView<const T>,      \
                                            MatrixView<const T>, MatrixView<T>);                  \
  template void project_heads_backward_weight<T>(CudaContext&, std::int64_t, MatrixView<const T>, \
                                                 MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
