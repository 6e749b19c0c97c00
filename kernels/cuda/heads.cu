#include "kernels/cuda/elementwise.cuh"
#include "kernels/heads.h"

namespace m2st::kernels {

namespace {

template <class T>
struct HeadSum {
  MatrixView<const T> x;
  MatrixView<T> out;
  __device__ T* target(std::int64_t n) const { return out.data + n * out.cols; }
  __device__ T value(std::int64_t n, std::int64_t f) const {
    const T* row = x.data + n * x.cols;
    T sum = row[f];
    for (std::int64_t c = f + out.cols; c < x.cols; c += out.cols) sum += row[c];
    return sum;
  }
};

template <class T>
struct ToEveryHead {
  MatrixView<const T> grad_out;
  MatrixView<T> grad_x;
  __device__ T* target(std::int64_t n) const { return grad_x.data + n * grad_x.cols; }
  __device__ T value(std::int64_t n, std::int64_t c) const {
    return grad_out.data[n * grad_out.cols + c % grad_out.cols];
  }
};

}  // namespace

template <class T>
void sum_heads(CudaContext& context, MatrixView<const T> x, MatrixView<T> out) {
  write_rows<T>(context, out.rows, out.cols, Accumulate::kOverwrite, HeadSum<T>{x, out});
}

template <class T>
void sum_heads_backward(CudaContext& context, MatrixView<const T> grad_out, MatrixView<T> grad_x,
                        Accumulate accumulate) {
  write_rows<T>(context, grad_x.rows, grad_x.cols, accumulate, ToEveryHead<T>{grad_out, grad_x});
}

#define INSTANTIATE(T)                                                          \
  template void sum_heads<T>(CudaContext&, MatrixView<const T>, MatrixView<T>); \
  template void sum_heads_backward<T>(CudaContext&, MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
