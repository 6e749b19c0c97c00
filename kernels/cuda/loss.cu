// Reconstruction losses on CUDA: a warp a row, sums in double; rows' values are added in a fixed
// order. The losses are host values: they wait for the device.
#include <algorithm>

#include "engine/array.h"
#include "engine/copy.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/fill.h"
#include "kernels/loss.h"
#include "kernels/math/loss.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

template <class T>
struct LossRows {
  const std::int32_t* rows;
  std::int64_t count;
  std::int64_t cols;
  const T* target;
  const T* output;
};

template <class T>
LossRows<T> loss_rows(Span<const std::int32_t> rows, MatrixView<const T> target,
                      MatrixView<const T> output) {
  return {rows.data(), std::ssize(rows), target.cols, target.data, output.data};
}

// By a whole warp; every lane has the result.
template <class T>
__device__ CosineParts cosine_of(std::int64_t cols, const T* target, const T* output) {
  double dot = 0, target_square = 0, output_square = 0;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    const double t = target[c];
    const double o = output[c];
    dot += t * o;
    target_square += t * t;
    output_square += o * o;
  }
  return cosine_parts(warp_sum(dot, 1), warp_sum(target_square, 1), warp_sum(output_square, 1));
}

template <class T>
__global__ void cosine_loss_kernel(LossRows<T> job, double gamma, double* __restrict__ values) {
  const std::int64_t r = thread_number() / kWarp;
  if (r >= job.count) return;  // the whole warp
  const std::int64_t first = job.rows[r] * job.cols;
  const CosineParts parts = cosine_of(job.cols, job.target + first, job.output + first);
  if (threadIdx.x % kWarp == 0) values[r] = scaled_cosine(parts, gamma);
}

template <class T>
__global__ void cosine_loss_backward_kernel(LossRows<T> job, double gamma, double share,
                                            T* __restrict__ grad_output) {
  const std::int64_t r = thread_number() / kWarp;
  if (r >= job.count) return;  // the whole warp
  const std::int64_t first = job.rows[r] * job.cols;
  const CosineParts parts = cosine_of(job.cols, job.target + first, job.output + first);
  const CosineGrad factor = scaled_cosine_grad(parts, gamma, share);
  const T of_target = static_cast<T>(factor.of_target);
  const T of_output = static_cast<T>(factor.of_output);
  for (std::int64_t c = threadIdx.x % kWarp; c < job.cols; c += kWarp) {
    grad_output[first + c] += of_target * job.target[first + c] + of_output * job.output[first + c];
  }
}

template <class T>
__global__ void mse_loss_kernel(LossRows<T> job, double* __restrict__ values) {
  const std::int64_t r = thread_number() / kWarp;
  if (r >= job.count) return;  // the whole warp
  const std::int64_t first = job.rows[r] * job.cols;
  double sum = 0;
  for (std::int64_t c = threadIdx.x % kWarp; c < job.cols; c += kWarp) {
    const double difference =
        static_cast<double>(job.output[first + c]) - static_cast<double>(job.target[first + c]);
    sum += difference * difference;
  }
  sum = warp_sum(sum, 1);
  if (threadIdx.x % kWarp == 0) values[r] = sum;
}

template <class T>
struct MseGrad {
  LossRows<T> job;
  T factor;
  T* grad_output;
  __device__ T* target(std::int64_t r) const { return grad_output + job.rows[r] * job.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    const std::int64_t at = job.rows[r] * job.cols + c;
    return factor * (job.output[at] - job.target[at]);
  }
};

struct StoreMean {
  double* mean;
  double count;
  __device__ void operator()(std::int64_t, double total) const { *mean = total / count; }
};

void store_mean(CudaContext& context, Span<const double> values, double count, Span<double> loss) {
  M2ST_CHECK(loss.size() == 1, "loss: there is room for ", loss.size(), " numbers, needs 1");
  reduce<double>(context, std::ssize(values), ReadPart<double>{values.data()}, Plus{},
                 StoreMean{loss.data(), count});
}

double on_host(CudaContext& context, const Array<double>& value) {
  double here = 0;
  copy_out<double>(context, value.span(), Span<double>(&here, 1));
  return here;
}

template <class T>
void clear_unless_added(CudaContext& context, MatrixView<T> grad_output, Accumulate accumulate) {
  if (accumulate == Accumulate::kOverwrite) fill<T>(context, T(0), grad_output.span());
}

}  // namespace

template <class T>
double scaled_cosine_loss(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, MatrixView<const T> output) {
  Array<double> loss(context.pool(), 1);
  scaled_cosine_loss<T>(context, rows, gamma, target, output, loss.span());
  return on_host(context, loss);
}

template <class T>
void scaled_cosine_loss(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                        MatrixView<const T> target, MatrixView<const T> output, Span<double> loss) {
  check_loss_shapes("scaled_cosine_loss", target, output);
  if (rows.empty()) return fill<double>(context, 0, loss);
  Array<double> values(context.pool(), std::ssize(rows));
  launch(cosine_loss_kernel<T>, blocks_for(values.size(), kBlockWarps), dim3(kBlockThreads), 0,
         context, loss_rows<T>(rows, target, output), gamma, values.data());
  store_mean(context, values.span(), static_cast<double>(rows.size()), loss);
}

template <class T>
void scaled_cosine_loss_backward(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                                 MatrixView<const T> target, MatrixView<const T> output,
                                 double grad_loss, MatrixView<T> grad_output,
                                 Accumulate accumulate) {
  check_loss_shapes("scaled_cosine_loss_backward", target, output);
  check_loss_shapes<T>("scaled_cosine_loss_backward", target, grad_output);
  clear_unless_added(context, grad_output, accumulate);
  if (rows.empty()) return;
  launch(cosine_loss_backward_kernel<T>, blocks_for(std::ssize(rows), kBlockWarps),
         dim3(kBlockThreads), 0, context, loss_rows<T>(rows, target, output), gamma,
         grad_loss / static_cast<double>(rows.size()), grad_output.data);
}

template <class T>
double mse_loss(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                MatrixView<const T> output) {
  Array<double> loss(context.pool(), 1);
  mse_loss<T>(context, rows, target, output, loss.span());
  return on_host(context, loss);
}

template <class T>
void mse_loss(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
              MatrixView<const T> output, Span<double> loss) {
  check_loss_shapes("mse_loss", target, output);
  if (rows.empty() || target.cols == 0) return fill<double>(context, 0, loss);
  Array<double> values(context.pool(), std::ssize(rows));
  launch(mse_loss_kernel<T>, blocks_for(values.size(), kBlockWarps), dim3(kBlockThreads), 0,
         context, loss_rows<T>(rows, target, output), values.data());
  const double entries = static_cast<double>(rows.size()) * static_cast<double>(target.cols);
  store_mean(context, values.span(), entries, loss);
}

template <class T>
void mse_loss_backward(CudaContext& context, Span<const std::int32_t> rows,
                       MatrixView<const T> target, MatrixView<const T> output, double grad_loss,
                       MatrixView<T> grad_output, Accumulate accumulate) {
  check_loss_shapes("mse_loss_backward", target, output);
  check_loss_shapes<T>("mse_loss_backward", target, grad_output);
  clear_unless_added(context, grad_output, accumulate);
  const double entries = static_cast<double>(rows.size()) * static_cast<double>(target.cols);
  const T factor = static_cast<T>(2 * grad_loss / std::max(1.0, entries));
  write_rows<T>(context, std::ssize(rows), target.cols, Accumulate::kAdd,
                MseGrad<T>{loss_rows<T>(rows, target, output), factor, grad_output.data});
}

#define INSTANTIATE(T)                                                                            \
  template double scaled_cosine_loss<T>(CudaContext&, Span<const std::int32_t>, double,           \
                                        MatrixView<const T>, MatrixView<const T>);                \
  template void scaled_cosine_loss<T>(CudaContext&, Span<const std::int32_t>, double,             \
                                      MatrixView<const T>, MatrixView<const T>, Span<double>);    \
  template void scaled_cosine_loss_backward<T>(CudaContext&, Span<const std::int32_t>, double,    \
                                               MatrixView<const T>, MatrixView<const T>, double,  \
                                               MatrixView<T>, Accumulate);                        \
  template double mse_loss<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>,        \
                              MatrixView<const T>);                                               \
  template void mse_loss<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>,          \
                            MatrixView<const T>, Span<double>);                                   \
  template void mse_loss_backward<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>, \
                                     MatrixView<const T>, double, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
