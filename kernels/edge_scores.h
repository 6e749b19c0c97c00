// Attention logits on edges: score[e,h] = LeakyReLU(source[j,h] + destination[i,h]) for e: j → i.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// source_scores, destination_scores: (N, H); scores: (E, H).
template <class T>
void edge_scores(CpuContext& context, CsrView graph, MatrixView<const T> source_scores,
                 MatrixView<const T> destination_scores, T leaky_slope, MatrixView<T> scores);
template <class T>
void edge_scores(CudaContext& context, CsrView graph, MatrixView<const T> source_scores,
                 MatrixView<const T> destination_scores, T leaky_slope, MatrixView<T> scores);

// Needs the logits' inputs again; the kink at 0 takes the slope's side (as PyTorch does).
template <class T>
void edge_scores_backward(CpuContext& context, const GraphView& graph,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          T leaky_slope, MatrixView<const T> grad_scores,
                          MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                          Accumulate accumulate);
template <class T>
void edge_scores_backward(CudaContext& context, const GraphView& graph,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          T leaky_slope, MatrixView<const T> grad_scores,
                          MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                          Accumulate accumulate);

}  // namespace m2st::kernels
