// Adam on the CPU: one pass over the four blocks.
#include "kernels/adam.h"

#include "kernels/cpu/elementwise.h"
#include "kernels/math/adam.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

template <class T>
void adam_step(CpuContext& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters) {
  check_adam_step<T>(step, gradient, first_moment, second_moment, parameters);
  const AdamFactors<T> factors = adam_factors<T>(options, step);
  const T* g = gradient.data();
  T* first = first_moment.data();
  T* second = second_moment.data();
  T* parameter = parameters.data();
  parallel_for(context, static_cast<std::int64_t>(parameters.size()), kElementGrain,
               [=](std::int64_t begin, std::int64_t end) {
#pragma GCC ivdep
                 for (std::int64_t i = begin; i < end; ++i) {
                   adam_update(factors, g[i], first[i], second[i], parameter[i]);
                 }
               });
}

#define INSTANTIATE(T)                                                                     \
  template void adam_step<T>(CpuContext&, const AdamOptions&, std::int64_t, Span<const T>, \
                             Span<T>, Span<T>, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
