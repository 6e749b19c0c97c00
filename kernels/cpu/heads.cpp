#include "kernels/heads.h"

#include <algorithm>

#include "engine/parallel.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kElementsAChunk = 1 << 15;

std::int64_t rows_a_chunk(std::int64_t cols) {
  return std::max<std::int64_t>(1, kElementsAChunk / std::max<std::int64_t>(1, cols));
}

}  // namespace

template <class T>
void sum_heads(CpuContext& context, MatrixView<const T> x, MatrixView<T> out) {
  parallel_for(context, out.rows, rows_a_chunk(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const T* __restrict__ from = x.data + n * x.cols;
      T* __restrict__ to = out.data + n * out.cols;
      std::copy(from, from + out.cols, to);
      for (std::int64_t head = out.cols; head < x.cols; head += out.cols) {
        for (std::int64_t f = 0; f < out.cols; ++f) to[f] += from[head + f];
      }
    }
  });
}

template <class T>
void sum_heads_backward(CpuContext& context, MatrixView<const T> grad_out, MatrixView<T> grad_x,
                        Accumulate accumulate) {
  const std::int64_t features = grad_out.cols;
  parallel_for(context, grad_out.rows, rows_a_chunk(grad_x.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t n = begin; n < end; ++n) {
                   const T* __restrict__ from = grad_out.data + n * features;
                   for (std::int64_t head = 0; head < grad_x.cols; head += features) {
                     T* __restrict__ to = grad_x.data + n * grad_x.cols + head;
                     if (accumulate == Accumulate::kOverwrite) {
                       std::copy(from, from + features, to);
                     } else {
                       for (std::int64_t f = 0; f < features; ++f) to[f] += from[f];
                     }
                   }
                 }
               });
}

#define INSTANTIATE(T)                                                         \
  template void sum_heads<T>(CpuContext&, MatrixView<const T>, MatrixView<T>); \
  template void sum_heads_backward<T>(CpuContext&, MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
