// Scaling of rows and columns on CUDA.
#include <cmath>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/normalise.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

template <class T>
__global__ void normalise_rows_kernel(std::int64_t rows, std::int64_t cols, T* __restrict__ x) {
  const std::int64_t row = thread_number() / kWarp;
  if (row >= rows) return;  // the whole warp
  T* values = x + row * cols;
  double square = 0;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    const double value = values[c];
    square += value * value;
  }
  const double norm = sqrt(warp_sum(square, 1));
  if (norm == 0) return;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    values[c] = static_cast<T>(values[c] / norm);
  }
}

// A constant column becomes (x − x) / 1.
template <class T>
struct RangeOf {
  const T* minimum;
  const T* maximum;
  __device__ T operator()(std::int64_t c) const {
    const T range = maximum[c] - minimum[c];
    return range == T(0) ? T(1) : range;
  }
};

template <class T>
struct Unit {
  const T* minimum;
  const T* range;
  MatrixView<T> x;
  __device__ T* target(std::int64_t r) const { return x.data + r * x.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    return (x.data[r * x.cols + c] - minimum[c]) / range[c];
  }
};

template <class T>
struct Affine {
  const T* shift;
  const T* factor;
  MatrixView<T> x;
  __device__ T* target(std::int64_t r) const { return x.data + r * x.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    return (x.data[r * x.cols + c] - shift[c]) * factor[c];
  }
};

}  // namespace

template <class T>
void normalise_rows(CudaContext& context, MatrixView<T> x) {
  if (x.size() == 0) return;
  launch(normalise_rows_kernel<T>, blocks_for(x.rows, kBlockWarps), dim3(kBlockThreads), 0, context,
         x.rows, x.cols, x.data);
}

template <class T>
void min_max_columns(CudaContext& context, MatrixView<T> x) {
  if (x.size() == 0) return;
  Array<T> minimum(context.pool(), x.cols);
  Array<T> range(context.pool(), x.cols);
  column_min_max<T>(context, x, minimum.span(), range.span());
  write_elements(context, x.cols, range.data(), Accumulate::kOverwrite,
                 RangeOf<T>{minimum.data(), range.data()});
  write_rows<T>(context, x.rows, x.cols, Accumulate::kOverwrite,
                Unit<T>{minimum.data(), range.data(), x});
}

template <class T>
void affine_columns(CudaContext& context, Span<const T> shift, Span<const T> factor,
                    MatrixView<T> x) {
  M2ST_CHECK(std::ssize(shift) == x.cols && factor.size() == shift.size(),
             "affine_columns: shift and factor have ", shift.size(), " and ", factor.size(),
             " entries, x has ", x.cols, " columns");
  write_rows<T>(context, x.rows, x.cols, Accumulate::kOverwrite,
                Affine<T>{shift.data(), factor.data(), x});
}

#define INSTANTIATE(T)                                           \
  template void normalise_rows<T>(CudaContext&, MatrixView<T>);  \
  template void min_max_columns<T>(CudaContext&, MatrixView<T>); \
  template void affine_columns<T>(CudaContext&, Span<const T>, Span<const T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
