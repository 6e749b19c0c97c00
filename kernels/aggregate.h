// Weighted sums over in-edges: out[i,h,:] = Σ_{e: j → i} weight[e,h] · features[j,h,:] (eq. 4).
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// weights: (E, H); features: (N, H·F); out: (N, H·F), overwritten.
template <class T>
void aggregate(CpuContext& context, CsrView graph, MatrixView<const T> weights,
               MatrixView<const T> features, MatrixView<T> out);
template <class T>
void aggregate(CudaContext& context, CsrView graph, MatrixView<const T> weights,
               MatrixView<const T> features, MatrixView<T> out);

// The transpose: grad_features[j,h,:] = Σ_{e: j → i} weight[e,h] · grad_out[i,h,:].
template <class T>
void aggregate_backward_features(CpuContext& context, const GraphView& graph,
                                 MatrixView<const T> weights, MatrixView<const T> grad_out,
                                 MatrixView<T> grad_features, Accumulate accumulate);
template <class T>
void aggregate_backward_features(CudaContext& context, const GraphView& graph,
                                 MatrixView<const T> weights, MatrixView<const T> grad_out,
                                 MatrixView<T> grad_features, Accumulate accumulate);

// The sampled product: grad_weights[e,h] = grad_out[i,h,:] · features[j,h,:].
template <class T>
void aggregate_backward_weights(CpuContext& context, CsrView graph, MatrixView<const T> features,
                                MatrixView<const T> grad_out, MatrixView<T> grad_weights,
                                Accumulate accumulate);
template <class T>
void aggregate_backward_weights(CudaContext& context, CsrView graph, MatrixView<const T> features,
                                MatrixView<const T> grad_out, MatrixView<T> grad_weights,
                                Accumulate accumulate);

// Unweighted mean over in-edges: out[i,:] = (1/deg i) Σ_j features[j,:]; 0 for isolated nodes.
template <class T>
void neighbour_mean(CpuContext& context, CsrView graph, MatrixView<const T> features,
                    MatrixView<T> out);
template <class T>
void neighbour_mean(CudaContext& context, CsrView graph, MatrixView<const T> features,
                    MatrixView<T> out);

}  // namespace m2st::kernels
