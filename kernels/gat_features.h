// The fused attention of features that are not projected yet: all heads gather the same rows, which
// are narrower than the heads side by side, and what they sum is projected afterwards
// (project_heads.h). The gradient of the features is not made, so the backward gathers rows by
// destination alone; only numbers, (E, H), are summed by source. Derivation: docs/kernels.md,
// section 7. Equals gat_attention on the features repeated for every head.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"
#include "kernels/gat.h"

namespace m2st::kernels {

// Rows of the features that are one learned row, the token, times known factors.
template <class T>
struct TokenFactors {
  Span<const std::int32_t> rows;  // distinct; empty: the features hold no token
  MatrixView<const T> factors;    // (rows, D)
};

// features: (N, D); source_scores, destination_scores: (N, H).
// out[i,h,:] = Σ_{e: j → i} α[e,h] · features[j,:], (N, H·D); 0 for a node without in-edges.
// Saved for the backward: log_sums (N, H), as gat_attention's.
template <class T>
void gat_features(CpuContext& context, const GraphView& graph, const AttentionOptions& options,
                  MatrixView<const T> features, MatrixView<const T> source_scores,
                  MatrixView<const T> destination_scores, MatrixView<T> log_sums,
                  MatrixView<T> out);
template <class T>
void gat_features(CudaContext& context, const GraphView& graph, const AttentionOptions& options,
                  MatrixView<const T> features, MatrixView<const T> source_scores,
                  MatrixView<const T> destination_scores, MatrixView<T> log_sums,
                  MatrixView<T> out);

// Gradients of both scores (N, H), and of the token (D; through the sum only, the scores' part is
// the caller's): grad_token = Σ_i Σ_h grad_out[i,h,:] ⊙ Σ_{e: token row j → i} α[e,h] ·
// factors[j,:]. Without token rows it is left alone.
template <class T>
void gat_features_backward(CpuContext& context, const GraphView& graph,
                           const AttentionOptions& options, MatrixView<const T> features,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                           MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                           MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                           Span<T> grad_token, Accumulate accumulate_token);
template <class T>
void gat_features_backward(CudaContext& context, const GraphView& graph,
                           const AttentionOptions& options, MatrixView<const T> features,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                           MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                           MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                           Span<T> grad_token, Accumulate accumulate_token);

}  // namespace m2st::kernels
