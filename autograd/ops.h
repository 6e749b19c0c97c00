// The differentiable operations. Each computes its result with one kernel and records one closure
// with the kernel's backward. Views, spans and graphs given to an op must outlive the tape's
// backward. Ops named *_in_place take over the memory of their input, whose value is gone then.
#pragma once

#include <vector>

#include "autograd/tape.h"
#include "engine/random.h"
#include "kernels/gat.h"

namespace m2st::autograd {

// x · weightᵀ; x: (N, in), weight: (out, in).
template <class T>
Variable<T> linear(Tape<T>& tape, const Variable<T>& x, const Variable<T>& weight);

// Rows of features that hold one learned row, the token, and the rows that do not; `ids` are the
// global ids of `rows`.
struct TokenRows {
  Span<const std::int32_t> rows;
  Span<const std::int32_t> ids;
  Span<const std::int32_t> others;
};

// linear(dropout(x with the token (1, in) in its rows `tokens.rows`)), in x's memory; x is data,
// without a gradient. The token's gradient costs no product of its own: docs/kernels.md, section 6.
template <class T>
Variable<T> linear_of_tokens(Tape<T>& tape, RandomKey key, double probability,
                             Span<const std::int32_t> ids, const TokenRows& tokens,
                             const Variable<T>& x, const Variable<T>& token,
                             const Variable<T>& weight);

// x + bias, bias: (1, cols).
template <class T>
Variable<T> add_row_in_place(Tape<T>& tape, const Variable<T>& x, const Variable<T>& bias);

// Inverted dropout keyed by (key, ids[row], column); `x` itself for probability 0.
template <class T>
Variable<T> dropout(Tape<T>& tape, RandomKey key, double probability, Span<const std::int32_t> ids,
                    const Variable<T>& x);
template <class T>
Variable<T> dropout_in_place(Tape<T>& tape, RandomKey key, double probability,
                             Span<const std::int32_t> ids, const Variable<T>& x);

// linear(dropout(x), weight), whose backward drops again instead of keeping what was dropped: the
// same bytes for less memory. Worth it where x is kept anyway.
template <class T>
Variable<T> linear_of_dropped(Tape<T>& tape, RandomKey key, double probability,
                              Span<const std::int32_t> ids, const Variable<T>& x,
                              const Variable<T>& weight);

// linear(dropout(x), weight) as MatmulPrecision::kMedium computes it, to the bit, where all three
// products read operands that were rounded to BF16 once: half the memory is kept. After the last
// use of x its value is gone.
Variable<float> linear_in_bfloat16(Tape<float>& tape, RandomKey key, double probability,
                                   Span<const std::int32_t> ids, const Variable<float>& x,
                                   bool last_use, const Variable<float>& weight);

// slope: (1, 1).
template <class T>
Variable<T> prelu(Tape<T>& tape, const Variable<T>& x, const Variable<T>& slope);

// (N, H·F) → (N, F), the sum over heads (the paper's merge).
template <class T>
Variable<T> sum_heads(Tape<T>& tape, const Variable<T>& x, int heads);

// x with the rows `rows` replaced by `row` (1, cols), or by zeros when `row` is not defined.
template <class T>
Variable<T> fill_rows_in_place(Tape<T>& tape, Span<const std::int32_t> rows, const Variable<T>& x,
                               const Variable<T>& row);

// out[r,:] = x[rows[r],:]; rows are distinct.
template <class T>
Variable<T> gather_rows(Tape<T>& tape, Span<const std::int32_t> rows, const Variable<T>& x);

// out[rows[r],:] = x[r,:] and out[others[r],:] = 0, where the two lists share out the rows of out.
template <class T>
Variable<T> spread_rows(Tape<T>& tape, Span<const std::int32_t> rows,
                        Span<const std::int32_t> others, const Variable<T>& x);

// base with base[rows[r],:] = x[r,:]; rows are distinct.
template <class T>
Variable<T> scatter_rows_in_place(Tape<T>& tape, Span<const std::int32_t> rows,
                                  const Variable<T>& base, const Variable<T>& x);

template <class T>
struct NodeScores {
  Variable<T> source;       // (N, H)
  Variable<T> destination;  // (N, H)
};

// The two halves of the attention logits; attention_*: (H, F), projected: (N, H·F).
template <class T>
NodeScores<T> node_scores(Tape<T>& tape, const Variable<T>& projected,
                          const Variable<T>& attention_source,
                          const Variable<T>& attention_destination);

// A GAT layer in the other order, features summed before they are projected (docs/kernels.md,
// section 7), is three ops: attention vectors folded into the weight, sums, projection.

// folded[h,:] = weight_hᵀ · attention[h,:], (H, D); attention: (H, F), weight: (H·F, D).
template <class T>
Variable<T> fold_attention(Tape<T>& tape, const Variable<T>& attention, const Variable<T>& weight);

// The attention's sums of x, (N, H·D), where the logits' halves are products of x with the folded
// vectors (H, D). x: (N, D) is data, without a gradient.
template <class T>
Variable<T> sum_features(Tape<T>& tape, const GraphView& graph,
                         const kernels::AttentionOptions& options, const Variable<T>& x,
                         const Variable<T>& source_vectors, const Variable<T>& destination_vectors);
// The same of dropout(x with the token (1, D) in its rows `tokens.rows`), in x's memory, as
// linear_of_tokens has it.
template <class T>
Variable<T> sum_features_of_tokens(Tape<T>& tape, const GraphView& graph,
                                   const kernels::AttentionOptions& options, RandomKey key,
                                   double probability, const TokenRows& tokens,
                                   const Variable<T>& x, const Variable<T>& token,
                                   const Variable<T>& source_vectors,
                                   const Variable<T>& destination_vectors);

// out[n,h,:] = weight_h · x[n,h,:] + bias[h,:]; x: (N, H·D), weight: (H·F, D), bias: (1, H·F) or
// undefined.
template <class T>
Variable<T> project_heads(Tape<T>& tape, int heads, const Variable<T>& x, const Variable<T>& weight,
                          const Variable<T>& bias);

// One fused kernel; bias (1, H·F) may be undefined. `projected` and the scores must have no other
// user after this op: its backward is the first writer of their gradients.
template <class T>
Variable<T> gat_attention(Tape<T>& tape, const GraphView& graph,
                          const kernels::AttentionOptions& options, const Variable<T>& projected,
                          const NodeScores<T>& scores, const Variable<T>& bias);

// The same by edge_scores → edge_softmax → edge_dropout → aggregate → + bias: the oracle.
template <class T>
Variable<T> gat_attention_composed(Tape<T>& tape, const GraphView& graph,
                                   const kernels::AttentionOptions& options,
                                   const Variable<T>& projected, const NodeScores<T>& scores,
                                   const Variable<T>& bias);

// Logits LeakyReLU(source[j] + destination[i]) on edges j → i: (E, H).
template <class T>
Variable<T> edge_scores(Tape<T>& tape, const GraphView& graph, const NodeScores<T>& scores,
                        double leaky_slope);
// Softmax over the in-edges of each node: (E, H).
template <class T>
Variable<T> edge_softmax(Tape<T>& tape, const GraphView& graph, const Variable<T>& scores);
// Inverted dropout keyed by the edge's two global ids; `x` itself for probability 0.
template <class T>
Variable<T> edge_dropout(Tape<T>& tape, const GraphView& graph, RandomKey key, double probability,
                         const Variable<T>& x);
// Weighted sums over in-edges; weights: (E, H), features: (N, H·F).
template <class T>
Variable<T> aggregate(Tape<T>& tape, const GraphView& graph, const Variable<T>& weights,
                      const Variable<T>& features);

// Mean over `rows` of (1 − cos(target, output))^gamma (eq. 10). With `kept` (1), in the context's
// memory, the loss goes there, and the Scalar's value is NaN: nothing waits for a device.
template <class T>
Scalar scaled_cosine_loss(Tape<T>& tape, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, const Variable<T>& output,
                          Span<double> kept = {});
// Mean over `rows` and columns of (output − target)².
template <class T>
Scalar mse_loss(Tape<T>& tape, Span<const std::int32_t> rows, MatrixView<const T> target,
                const Variable<T>& output, Span<double> kept = {});
// The plain mean.
template <class T>
Scalar mean(Tape<T>& tape, const std::vector<Scalar>& losses);

}  // namespace m2st::autograd
