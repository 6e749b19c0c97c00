// The attention logits' two halves: score[n,h] = Σ_f attention[h,f] · projected[n,h,f] (paper eq. 2
// splits a·[Wx_i ‖ Wx_j] into a part of the source and a part of the destination).
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// projected: (N, H·F); attention_source, attention_destination: (H, F);
// source_scores, destination_scores: (N, H).
template <class T>
void node_scores(CpuContext& context, MatrixView<const T> projected,
                 MatrixView<const T> attention_source, MatrixView<const T> attention_destination,
                 MatrixView<T> source_scores, MatrixView<T> destination_scores);
template <class T>
void node_scores(CudaContext& context, MatrixView<const T> projected,
                 MatrixView<const T> attention_source, MatrixView<const T> attention_destination,
                 MatrixView<T> source_scores, MatrixView<T> destination_scores);

// grad_projected (N, H·F) gets grad_source_scores ⊗ attention_source + the destination's twin;
// grad_attention_* (H, F) get Σ_n grad_score[n,h] · projected[n,h,f].
template <class T>
void node_scores_backward(CpuContext& context, MatrixView<const T> projected,
                          MatrixView<const T> attention_source,
                          MatrixView<const T> attention_destination,
                          MatrixView<const T> grad_source_scores,
                          MatrixView<const T> grad_destination_scores, MatrixView<T> grad_projected,
                          Accumulate accumulate_projected, MatrixView<T> grad_attention_source,
                          MatrixView<T> grad_attention_destination,
                          Accumulate accumulate_attention);
template <class T>
void node_scores_backward(CudaContext& context, MatrixView<const T> projected,
                          MatrixView<const T> attention_source,
                          MatrixView<const T> attention_destination,
                          MatrixView<const T> grad_source_scores,
                          MatrixView<const T> grad_destination_scores, MatrixView<T> grad_projected,
                          Accumulate accumulate_projected, MatrixView<T> grad_attention_source,
                          MatrixView<T> grad_attention_destination,
                          Accumulate accumulate_attention);

}  // namespace m2st::kernels
