// Small steps on batches on CUDA: a warp, or a part of one, to a row.
#include "kernels/batch_blocks.h"
#include "kernels/batch_shapes.h"
#include "kernels/cuda/elementwise.cuh"

namespace m2st::kernels {

namespace {

template <class T>
struct BlockRows {
  const T* from;
  std::int64_t from_member, from_row, from_col;
  const T* factors;
  T factor;
  T* to;
  std::int64_t to_member, to_row;
  std::int64_t rows;  // of a member
  __device__ T* target(std::int64_t r) const {
    return to + r / rows * to_member + r % rows * to_row;
  }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    const std::int64_t s = r / rows;
    const T of_member = factors == nullptr ? factor : factor * factors[s];
    return of_member * from[s * from_member + r % rows * from_row + c * from_col];
  }
};

template <class T>
__global__ void add_to_diagonals_kernel(std::int64_t count, std::int64_t n, BatchView<T> x,
                                        const T* __restrict__ amounts) {
  const std::int64_t at = thread_number();
  if (at >= count * n) return;
  x.data[at / n * x.member_stride + at % n * (x.row_stride + 1)] += amounts[at / n];
}

template <class T>
struct TraceOf {
  BatchView<const T> x;
  __device__ T operator()(std::int64_t s) const {
    T sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) {
      sum += x.data[s * x.member_stride + i * (x.row_stride + 1)];
    }
    return sum;
  }
};

template <class T>
struct Finite {
  const T* x;
  T infinity;
  __device__ T operator()(std::int64_t i) const {
    const T value = x[i];
    if (isnan(value)) return T(0);
    return isinf(value) ? copysign(infinity, value) : value;
  }
};

// A warp a row of both.
template <class T>
__global__ void unit_rows_kernel(std::int64_t rows, std::int64_t cols, T* __restrict__ map,
                                 T* __restrict__ seen) {
  const std::int64_t row = thread_number() / kWarp;
  if (row >= rows) return;  // the whole warp
  T* of_map = map + row * cols;
  T* of_seen = seen + row * cols;
  T square = 0, size = 0;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    const T term = of_map[c] * of_seen[c];
    square += term;
    size += fabs(term);
  }
  square = warp_sum(square, 1);
  size = warp_sum(size, 1);
  const T rounding = static_cast<T>(cols) * kRounding<T> * size;
  const T factor = square > rounding ? 1 / sqrt(square) : T(0);
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    of_map[c] *= factor;
    of_seen[c] *= factor;
  }
}

}  // namespace

template <class T>
void copy_block(CudaContext& context, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate) {
  check_copy_block<T>(layout, factors, from, to);
  const bool plain = layout == Layout::kPlain;
  write_rows<T>(
      context, to.count * to.rows, to.cols, accumulate,
      BlockRows<T>{from.data, from.member_stride, plain ? from.row_stride : 1,
                   plain ? 1 : from.row_stride, factors.empty() ? nullptr : factors.data(), factor,
                   to.data, to.member_stride, to.row_stride, to.rows});
}

template <class T>
void add_to_diagonals(CudaContext& context, Span<const T> amounts, BatchView<T> x) {
  check_square_batch<T>("add_to_diagonals", x, amounts.size());
  if (x.size() == 0) return;
  launch(add_to_diagonals_kernel<T>, blocks_for(x.count * x.rows, kBlockThreads),
         dim3(kBlockThreads), 0, context, x.count, x.rows, x, amounts.data());
}

template <class T>
void traces(CudaContext& context, BatchView<const T> x, Span<T> traces) {
  check_square_batch<T>("traces", x, traces.size());
  write_elements(context, x.count, traces.data(), Accumulate::kOverwrite, TraceOf<T>{x});
}

template <class T>
void make_finite(CudaContext& context, T infinity, Span<T> x) {
  write_elements(context, std::ssize(x), x.data(), Accumulate::kOverwrite,
                 Finite<T>{x.data(), infinity});
}

template <class T>
void unit_rows(CudaContext& context, BatchView<T> map, BatchView<T> seen) {
  check_unit_rows<T>(map, seen);
  const std::int64_t rows = map.count * map.rows;
  if (rows == 0) return;
  launch(unit_rows_kernel<T>, blocks_for(rows, kBlockThreads / kWarp), dim3(kBlockThreads), 0,
         context, rows, map.cols, map.data, seen.data);
}

#define INSTANTIATE(T)                                                                    \
  template void copy_block<T>(CudaContext&, Layout, T, Span<const T>, BatchView<const T>, \
                              BatchView<T>, Accumulate);                                  \
  template void add_to_diagonals<T>(CudaContext&, Span<const T>, BatchView<T>);           \
  template void traces<T>(CudaContext&, BatchView<const T>, Span<T>);                     \
  template void make_finite<T>(CudaContext&, T, Span<T>);                                 \
  template void unit_rows<T>(CudaContext&, BatchView<T>, BatchView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
