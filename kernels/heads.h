// Heads merged by their sum instead of side by side (the paper's variant).
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// out[n,f] = Σ_h x[n,h,f], added in order of h. x: (N, H·F); out: (N, F), overwritten.
template <class T>
void sum_heads(CpuContext& context, MatrixView<const T> x, MatrixView<T> out);
template <class T>
void sum_heads(CudaContext& context, MatrixView<const T> x, MatrixView<T> out);

// grad_x[n,h,f] = grad_out[n,f] for every h.
template <class T>
void sum_heads_backward(CpuContext& context, MatrixView<const T> grad_out, MatrixView<T> grad_x,
                        Accumulate accumulate);
template <class T>
void sum_heads_backward(CudaContext& context, MatrixView<const T> grad_out, MatrixView<T> grad_x,
                        Accumulate accumulate);

}  // namespace m2st::kernels
