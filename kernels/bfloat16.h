// What products read, rounded to BF16 once and stored so: half the bytes, and with kMedium the same
// products. float32 alone.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/math/bfloat16.h"

namespace m2st::kernels {

// out[i] = x[i].
void round_to_bfloat16(CpuContext& context, Span<const float> x, Span<BFloat16> out);
void round_to_bfloat16(CudaContext& context, Span<const float> x, Span<BFloat16> out);

// out[i] = x[i].
void widen_to_float(CpuContext& context, Span<const BFloat16> x, Span<float> out);
void widen_to_float(CudaContext& context, Span<const BFloat16> x, Span<float> out);

}  // namespace m2st::kernels
