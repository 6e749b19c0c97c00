// The ops of a GAT layer that sums features before it projects them (docs/kernels.md, section 7).
// The features get no gradient; a token that stands in some of their rows does.
#include "autograd/ops.h"
#include "autograd/token_rows.h"
#include "kernels/gat_features.h"
#include "kernels/gemm.h"
#include "kernels/project_heads.h"
#include "kernels/reduce.h"

namespace m2st::autograd {

using kernels::Layout;

namespace {

// All heads' vectors side by side in one row.
template <class T>
MatrixView<T> as_row(MatrixView<T> x) {
  return {x.data, 1, x.size()};
}

}  // namespace

template <class T>
Variable<T> fold_attention(Tape<T>& tape, const Variable<T>& attention, const Variable<T>& weight) {
  const std::int64_t heads = attention.rows();
  const Variable<T> out = tape.result(heads, weight.cols(), attention, weight);
  tape.context().dispatch([&](auto& c) {
    kernels::project_heads_backward_x<T>(c, heads, as_row(attention.value()), weight.value(),
                                         as_row(out.result()));
  });
  tape.record(out, [&context = tape.context(), attention, weight, out] {
    context.dispatch([&](auto& c) {
      const std::int64_t heads_of_out = out.rows();
      const MatrixView<const T> gradient = as_row(out.gradient());
      if (attention.needs_gradient()) {
        const auto target = attention.gradient_target(c.pool());
        kernels::project_heads<T>(c, heads_of_out, gradient, weight.value(), {},
                                  as_row(target.view), target.accumulate);
      }
      if (weight.needs_gradient()) {
        const auto target = weight.gradient_target(c.pool());
        kernels::project_heads_backward_weight<T>(c, heads_of_out, as_row(attention.value()),
                                                  gradient, target.view, target.accumulate);
      }
    });
  });
  return out;
}

template <class T>
Variable<T> project_heads(Tape<T>& tape, int heads, const Variable<T>& x, const Variable<T>& weight,
                          const Variable<T>& bias) {
  const Variable<T> out = tape.result(x.rows(), weight.rows(), x, weight, bias);
  tape.context().dispatch([&](auto& c) {
    const Span<const T> shift = bias.defined() ? bias.value().span() : Span<const T>();
    kernels::project_heads<T>(c, heads, x.value(), weight.value(), shift, out.result(),
                              Accumulate::kOverwrite);
  });
  tape.record(out, [&context = tape.context(), heads, x, weight, bias, out] {
    context.dispatch([&](auto& c) {
      if (bias.needs_gradient()) {
        const auto target = bias.gradient_target(c.pool());
        kernels::column_sums<T>(c, out.gradient(), target.view.span(), target.accumulate);
      }
      const auto target = weight.gradient_target(c.pool());
      kernels::project_heads_backward_weight<T>(c, heads, out.gradient(), x.value(), target.view,
                                                target.accumulate);
      const auto target_x = x.gradient_target(c.pool());
      M2ST_CHECK(target_x.accumulate == Accumulate::kOverwrite,
                 "project_heads: its input has users recorded after it");
      kernels::project_heads_backward_x<T>(c, heads, out.gradient(), weight.value(), target_x.view);
    });
  });
  return out;
}

namespace {

// The token that stands in some rows; none: no rows, and `token` undefined.
template <class T>
struct Token {
  RandomKey key;
  double probability = 0;
  TokenRows tokens;
  Variable<T> token;
};

// What the forward leaves to the backward.
template <class T>
struct FeatureSums {
  GraphView graph;
  kernels::AttentionOptions options;
  Token<T> token;
  Variable<T> x, source_vectors, destination_vectors;
  Variable<T> source_scores, destination_scores, log_sums;  // (N, H), without gradients
  Variable<T> out;
};

// What the gradient of one half of the scores gives to the vectors it came from, and to the token.
template <class T, class Backend>
void add_scores(Backend& backend, const FeatureSums<T>& s, MatrixView<const T> grad_scores,
                const Variable<T>& vectors, MatrixView<const T> factors) {
  const auto target = vectors.gradient_target(backend.pool());
  kernels::gemm<T>(backend, Layout::kTransposed, Layout::kPlain, T(1), grad_scores, s.x.value(),
                   target.beta(), target.view);
  if (factors.rows == 0) return;
  // The token's rows are factors · diag(token), their scores products of the factors with vectors ·
  // diag(token), whose gradient gives the token's.
  Matrix<T> grad_scaled(backend.pool(), vectors.rows(), vectors.cols());
  Matrix<T> of_vectors(backend.pool(), vectors.rows(), vectors.cols());
  kernels::gemm_of_rows<T>(backend, s.token.tokens.rows, grad_scores, factors, T(0),
                           grad_scaled.view());
  const auto token = s.token.token.gradient_target(backend.pool());
  kernels::scale_columns_backward<T>(backend, vectors.value(), s.token.token.value().span(),
                                     grad_scaled.view(), of_vectors.view(), Accumulate::kOverwrite,
                                     token.view.span(), token.accumulate);
}

template <class T, class Backend>
void add_gradients(Backend& backend, const FeatureSums<T>& s) {
  const std::int64_t nodes = s.x.rows(), heads = s.source_vectors.rows();
  Matrix<T> grad_source(backend.pool(), nodes, heads);
  Matrix<T> grad_destination(backend.pool(), nodes, heads);
  const Matrix<T> factors =
      token_factors<T>(backend, s.token.key, s.token.probability, s.token.tokens, s.x.cols());
  GradientTarget<T> token;
  if (!factors.empty()) token = s.token.token.gradient_target(backend.pool());
  kernels::gat_features_backward<T>(backend, s.graph, s.options, s.x.value(),
                                    s.source_scores.value(), s.destination_scores.value(),
                                    s.log_sums.value(), s.out.gradient(),
                                    {s.token.tokens.rows, factors.view()}, grad_source.view(),
                                    grad_destination.view(), token.view.span(), token.accumulate);
  add_scores<T>(backend, s, grad_source.view(), s.source_vectors, factors.view());
  add_scores<T>(backend, s, grad_destination.view(), s.destination_vectors, factors.view());
}

// x: as attention sees it.
template <class T>
Variable<T> sum_dropped(Tape<T>& tape, const GraphView& graph,
                        const kernels::AttentionOptions& options, const Token<T>& token,
                        const Variable<T>& x, const Variable<T>& source_vectors,
                        const Variable<T>& destination_vectors) {
  const std::int64_t heads = source_vectors.rows();
  const auto scores = [&] { return Variable<T>(Matrix<T>(tape.pool(), x.rows(), heads), false); };
  const FeatureSums<T> sums{
      graph,
      options,
      token,
      x,
      source_vectors,
      destination_vectors,
      scores(),
      scores(),
      scores(),
      tape.result(x.rows(), heads * x.cols(), source_vectors, destination_vectors, token.token)};
  tape.context().dispatch([&](auto& c) {
    kernels::gemm<T>(c, Layout::kPlain, Layout::kTransposed, T(1), x.value(),
                     source_vectors.value(), T(0), sums.source_scores.result());
    kernels::gemm<T>(c, Layout::kPlain, Layout::kTransposed, T(1), x.value(),
                     destination_vectors.value(), T(0), sums.destination_scores.result());
    kernels::gat_features<T>(c, graph, options, x.value(), sums.source_scores.value(),
                             sums.destination_scores.value(), sums.log_sums.result(),
                             sums.out.result());
  });
  tape.record(sums.out, [&context = tape.context(), sums] {
    context.dispatch([&](auto& c) { add_gradients<T>(c, sums); });
  });
  return sums.out;
}

}  // namespace

template <class T>
Variable<T> sum_features(Tape<T>& tape, const GraphView& graph,
                         const kernels::AttentionOptions& options, const Variable<T>& x,
                         const Variable<T>& source_vectors,
                         const Variable<T>& destination_vectors) {
  M2ST_CHECK(!x.needs_gradient(), "sum_features: x has a gradient, which it would not get");
  return sum_dropped(tape, graph, options, Token<T>(), x, source_vectors, destination_vectors);
}

template <class T>
Variable<T> sum_features_of_tokens(Tape<T>& tape, const GraphView& graph,
                                   const kernels::AttentionOptions& options, RandomKey key,
                                   double probability, const TokenRows& tokens,
                                   const Variable<T>& x, const Variable<T>& token,
                                   const Variable<T>& source_vectors,
                                   const Variable<T>& destination_vectors) {
  check_token_rows("sum_features_of_tokens", tokens, x, token);
  const Variable<T> dropped(x.take_value(), false);
  tape.context().dispatch([&](auto& c) {
    put_token<T>(c, key, probability, graph.ids, tokens, token.value(), dropped.result());
  });
  return sum_dropped(tape, graph, options, {key, probability, tokens, token}, dropped,
                     source_vectors, destination_vectors);
}

#define INSTANTIATE(T)                                                                         \
  template Variable<T> fold_attention<T>(Tape<T>&, const Variable<T>&, const Variable<T>&);    \
  template Variable<T> project_heads<T>(Tape<T>&, int, const Variable<T>&, const Variable<T>&, \
                                        const Variable<T>&);                                   \
  template Variable<T> sum_features<T>(Tape<T>&, const GraphView&,                             \
                                       const kernels::AttentionOptions&, const Variable<T>&,   \
                                       const Variable<T>&, const Variable<T>&);                \
  template Variable<T> sum_features_of_tokens<T>(                                              \
      Tape<T>&, const GraphView&, const kernels::AttentionOptions&, RandomKey, double,         \
      const TokenRows&, const Variable<T>&, const Variable<T>&, const Variable<T>&,            \
      const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
