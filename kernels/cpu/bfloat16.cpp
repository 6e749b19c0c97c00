#include "kernels/bfloat16.h"

#include "kernels/cpu/elementwise.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

template <class From, class To, class Convert>
void convert(CpuContext& context, const char* op, Span<const From> x, Span<To> out,
             const Convert& converted) {
  check_same_size(op, x, out);
  parallel_for(context, std::ssize(x), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    const From* const from = x.data();
    To* const to = out.data();
    for (std::int64_t i = begin; i < end; ++i) to[i] = converted(from[i]);
  });
}

}  // namespace

void round_to_bfloat16(CpuContext& context, Span<const float> x, Span<BFloat16> out) {
  convert(context, "round_to_bfloat16", x, out, [](float value) { return to_bfloat16(value); });
}

void widen_to_float(CpuContext& context, Span<const BFloat16> x, Span<float> out) {
  convert(context, "widen_to_float", x, out, [](BFloat16 value) { return to_float(value); });
}

}  // namespace m2st::kernels
