#include "kernels/fill.h"

#include <algorithm>

#include "engine/parallel.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 16;  // elements; some ten microseconds of stores

}  // namespace

template <class T>
void fill(CpuContext& context, T value, Span<T> out) {
  parallel_for(context, static_cast<std::int64_t>(out.size()), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 std::fill(out.data() + begin, out.data() + end, value);
               });
}

#define INSTANTIATE(T) template void fill<T>(CpuContext&, T, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
