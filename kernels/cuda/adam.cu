// Adam on CUDA: one pass over the four blocks.
#include "kernels/adam.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/math/adam.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

template <class T>
__global__ void adam_kernel(std::int64_t size, AdamFactors<T> factors,
                            const T* __restrict__ gradient, T* __restrict__ first_moment,
                            T* __restrict__ second_moment, T* __restrict__ parameters) {
  const std::int64_t i = thread_number();
  if (i >= size) return;
  T first = first_moment[i];
  T second = second_moment[i];
  T parameter = parameters[i];
  adam_update(factors, gradient[i], first, second, parameter);
  first_moment[i] = first;
  second_moment[i] = second;
  parameters[i] = parameter;
}

}  // namespace

template <class T>
void adam_step(CudaContext& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters) {
  check_adam_step<T>(step, gradient, first_moment, second_moment, parameters);
  if (parameters.empty()) return;
  launch(adam_kernel<T>, blocks_for(std::ssize(parameters), kBlockThreads), dim3(kBlockThreads), 0,
         context, std::ssize(parameters), adam_factors<T>(options, step), gradient.data(),
         first_moment.data(), second_moment.data(), parameters.data());
}

#define INSTANTIATE(T)                                                                      \
  template void adam_step<T>(CudaContext&, const AdamOptions&, std::int64_t, Span<const T>, \
                             Span<T>, Span<T>, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
