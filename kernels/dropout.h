// Inverted dropout by counter: nothing is stored, the backward draws the same bits again.
// An element is kept when its 16-bit draw is >= ⌊p · 65536 + ½⌋, and kept ones are divided by the
// exact keep probability 1 − threshold / 65536. Eight elements share a Philox call.
#pragma once

#include "engine/contexts.h"
#include "engine/random.h"
#include "engine/view.h"
#include "kernels/accumulate.h"
#include "kernels/math/bfloat16.h"

namespace m2st::kernels {

// out[n,c] = x[n,c] · keep(key, ids[n], c). ids: (N) global node ids. out may be x.
// The backward is the same function applied to the gradient, with kAdd where it is not the first.
template <class T>
void dropout(CpuContext& context, RandomKey key, double probability, Span<const std::int32_t> ids,
             MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate);
template <class T>
void dropout(CudaContext& context, RandomKey key, double probability, Span<const std::int32_t> ids,
             MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate);

// The same, rounded to BF16.
void dropout_to_bfloat16(CpuContext& context, RandomKey key, double probability,
                         Span<const std::int32_t> ids, MatrixView<const float> x,
                         MatrixView<BFloat16> out);
void dropout_to_bfloat16(CudaContext& context, RandomKey key, double probability,
                         Span<const std::int32_t> ids, MatrixView<const float> x,
                         MatrixView<BFloat16> out);

// dropout on edge coefficients (E, H), keyed by the global ids of both ends: keep(key, destination
// id, source id, h). The rule for head h: word h mod 4 of block (destination, source, h div 4).
template <class T>
void edge_dropout(CpuContext& context, const GraphView& graph, RandomKey key, double probability,
                  MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate);
template <class T>
void edge_dropout(CudaContext& context, const GraphView& graph, RandomKey key, double probability,
                  MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate);

}  // namespace m2st::kernels
