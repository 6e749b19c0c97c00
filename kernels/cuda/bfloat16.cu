#include "kernels/bfloat16.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

struct Rounded {
  const float* x;
  __device__ std::uint16_t operator()(std::int64_t i) const {
    return bfloat16_of(__float_as_uint(x[i])).bits;
  }
};

struct Widened {
  const BFloat16* x;
  __device__ float operator()(std::int64_t i) const { return __uint_as_float(float_bits(x[i])); }
};

}  // namespace

void round_to_bfloat16(CudaContext& context, Span<const float> x, Span<BFloat16> out) {
  check_same_size("round_to_bfloat16", x, out);
  // The loop over elements can add, which BFloat16 cannot: its bits are written.
  write_elements(context, std::ssize(x), reinterpret_cast<std::uint16_t*>(out.data()),
                 Accumulate::kOverwrite, Rounded{x.data()});
}

void widen_to_float(CudaContext& context, Span<const BFloat16> x, Span<float> out) {
  check_same_size("widen_to_float", x, out);
  write_elements(context, std::ssize(x), out.data(), Accumulate::kOverwrite, Widened{x.data()});
}

}  // namespace m2st::kernels
