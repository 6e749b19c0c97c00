// Orders and offsets.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// offsets[i] = Σ_{j<i} counts[j], one longer than counts: the last is the total.
void exclusive_scan(CpuContext& context, Span<const std::int64_t> counts,
                    Span<std::int64_t> offsets);
void exclusive_scan(CudaContext& context, Span<const std::int64_t> counts,
                    Span<std::int64_t> offsets);

// order: the permutation that sorts keys ascending, stable.
void argsort(CpuContext& context, Span<const std::uint64_t> keys, Span<std::int32_t> order);
void argsort(CudaContext& context, Span<const std::uint64_t> keys, Span<std::int32_t> order);

// inverse[order[i]] = i.
void invert_permutation(CpuContext& context, Span<const std::int32_t> order,
                        Span<std::int32_t> inverse);
void invert_permutation(CudaContext& context, Span<const std::int32_t> order,
                        Span<std::int32_t> inverse);

}  // namespace m2st::kernels
