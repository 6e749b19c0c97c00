// Softmax over the in-edges of each node, per head: weight[e,h] = exp(x[e,h] − max) / Σ exp(...).
// A node without in-edges has no weights. Paper eq. 3.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// scores, weights: (E, H). On the CUDA backend all pointers are device pointers.
template <class T>
void edge_softmax(CpuContext& context, CsrView graph, MatrixView<const T> scores,
                  MatrixView<T> weights);
template <class T>
void edge_softmax(CudaContext& context, CsrView graph, MatrixView<const T> scores,
                  MatrixView<T> weights);

// grad_scores[e,h] = weight[e,h] · (grad_weights[e,h] − Σ_{e' into i} weight · grad_weights).
template <class T>
void edge_softmax_backward(CpuContext& context, CsrView graph, MatrixView<const T> weights,
                           MatrixView<const T> grad_weights, MatrixView<T> grad_scores,
                           Accumulate accumulate);
template <class T>
void edge_softmax_backward(CudaContext& context, CsrView graph, MatrixView<const T> weights,
                           MatrixView<const T> grad_weights, MatrixView<T> grad_scores,
                           Accumulate accumulate);

}  // namespace m2st::kernels
