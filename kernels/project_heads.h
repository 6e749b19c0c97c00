// Products head by head: rows hold the features of all heads side by side, every head has a weight
// of its own. With one row it is a product of vectors with weights, which is how attention vectors
// are folded into weights (docs/kernels.md, section 7). Sums in an order that shapes alone decide.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// out[n,h,:] = weight_h · x[n,h,:] + bias[h,:]; x: (N, H·D), weight: (H·F, D), bias: (H·F) or
// empty, out: (N, H·F). The bias is added where the result is overwritten only.
template <class T>
void project_heads(CpuContext& context, std::int64_t heads, MatrixView<const T> x,
                   MatrixView<const T> weight, Span<const T> bias, MatrixView<T> out,
                   Accumulate accumulate);
template <class T>
void project_heads(CudaContext& context, std::int64_t heads, MatrixView<const T> x,
                   MatrixView<const T> weight, Span<const T> bias, MatrixView<T> out,
                   Accumulate accumulate);

// grad_x[n,h,:] = weight_hᵀ · grad_out[n,h,:].
template <class T>
void project_heads_backward_x(CpuContext& context, std::int64_t heads, MatrixView<const T> grad_out,
                              MatrixView<const T> weight, MatrixView<T> grad_x);
template <class T>
void project_heads_backward_x(CudaContext& context, std::int64_t heads,
                              MatrixView<const T> grad_out, MatrixView<const T> weight,
                              MatrixView<T> grad_x);

// grad_weight_h = Σ_n grad_out[n,h,:] ⊗ x[n,h,:].
template <class T>
void project_heads_backward_weight(CpuContext& context, std::int64_t heads,
                                   MatrixView<const T> grad_out, MatrixView<const T> x,
                                   MatrixView<T> grad_weight, Accumulate accumulate);
template <class T>
void project_heads_backward_weight(CudaContext& context, std::int64_t heads,
                                   MatrixView<const T> grad_out, MatrixView<const T> x,
                                   MatrixView<T> grad_weight, Accumulate accumulate);

}  // namespace m2st::kernels
