// The fused attention of one GAT layer: logits, softmax, attention dropout, aggregation and bias in
// one pass over the in-edges, one in the backward over the out-edges. Equals the composition
// edge_scores → edge_softmax → edge_dropout → aggregate → + bias, which stays as its oracle.
// Derivations: docs/kernels.md. No edge-sized array is kept between the two: the backward
// recomputes the weights from `log_sums`, and the softmax's row term comes from grad_out ·
// (out − bias). While it runs it holds one array of (E, H).
#pragma once

#include "engine/contexts.h"
#include "engine/random.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

struct AttentionOptions {
  double leaky_slope = 0.2;
  double dropout = 0.0;  // of the attention coefficients; 0 draws nothing
  RandomKey key;         // of the dropout's draws
  // (N) or empty: how many more edges lead into each node, from nodes whose features are zeros and
  // with logits that are 0 whatever the scores. They take part in the softmax alone.
  Span<const std::int32_t> silent;
};

// projected: (N, H·F); source_scores, destination_scores: (N, H); bias: (H·F) or empty.
// Saved for the backward: log_sums (N, H) = max + log Σ exp of the logits into each node.
// out: (N, H·F). A node without in-edges gets the bias alone.
template <class T>
void gat_attention(CpuContext& context, const GraphView& graph, const AttentionOptions& options,
                   MatrixView<const T> projected, MatrixView<const T> source_scores,
                   MatrixView<const T> destination_scores, Span<const T> bias,
                   MatrixView<T> log_sums, MatrixView<T> out);
template <class T>
void gat_attention(CudaContext& context, const GraphView& graph, const AttentionOptions& options,
                   MatrixView<const T> projected, MatrixView<const T> source_scores,
                   MatrixView<const T> destination_scores, Span<const T> bias,
                   MatrixView<T> log_sums, MatrixView<T> out);

// Gradients of `projected` (through the sum only: the scores' part is node_scores_backward's), of
// both scores (N, H) and of the bias (H·F or empty). `out` is what the forward gave.
template <class T>
void gat_attention_backward(CpuContext& context, const GraphView& graph,
                            const AttentionOptions& options, MatrixView<const T> projected,
                            MatrixView<const T> source_scores,
                            MatrixView<const T> destination_scores, Span<const T> bias,
                            MatrixView<const T> log_sums, MatrixView<const T> out,
                            MatrixView<const T> grad_out, MatrixView<T> grad_projected,
                            MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                            Span<T> grad_bias, Accumulate accumulate_bias);
template <class T>
void gat_attention_backward(CudaContext& context, const GraphView& graph,
                            const AttentionOptions& options, MatrixView<const T> projected,
                            MatrixView<const T> source_scores,
                            MatrixView<const T> destination_scores, Span<const T> bias,
                            MatrixView<const T> log_sums, MatrixView<const T> out,
                            MatrixView<const T> grad_out, MatrixView<T> grad_projected,
                            MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                            Span<T> grad_bias, Accumulate accumulate_bias);

}  // namespace m2st::kernels
