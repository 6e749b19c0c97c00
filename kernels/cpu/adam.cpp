// Adam on the CPU: one pass over the four blocks.
#include "kernels/adam.h"

#include "engine/check.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/math/adam.h"

namespace m2st::kernels {

template <class T>
void adam_step(CpuContext& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters) {
  M2ST_CHECK(step >= 1, "adam_step: step is ", step, ", counts from 1");
  M2ST_CHECK(gradient.size() == parameters.size() && first_moment.size() == parameters.size() &&
                 second_moment.size() == parameters.size(),
             "adam_step: gradient and moments have ", gradient.size(), ", ", first_moment.size(),
             " and ", second_moment.size(), " entries, there are ", parameters.size(),
             " parameters");
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
