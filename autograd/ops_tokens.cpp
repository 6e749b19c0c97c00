// The projection of features in whose rows a learned token stands. With dropout the token's rows
// differ, so they cannot be projected once; but each is the token times factors known without it,
// which makes the token's gradient a by-product of the weight's (docs/kernels.md, section 6).
#include "autograd/ops.h"
#include "autograd/token_rows.h"
#include "kernels/gemm.h"
#include "kernels/rows.h"

namespace m2st::autograd {

using kernels::Layout;

namespace {

template <class T>
struct TokenProjection {
  RandomKey key;
  double probability;
  TokenRows tokens;
  Variable<T> dropped;  // the features as they are projected
  Variable<T> token, weight, out;
};

// What the rows without the token give to the weight's gradient; returns where it is.
template <class T, class Backend>
MatrixView<T> add_other_rows(Backend& backend, const TokenProjection<T>& p) {
  const auto target = p.weight.gradient_target(backend.pool());
  Matrix<T> features(backend.pool(), std::ssize(p.tokens.others), p.dropped.cols());
  kernels::gather_rows<T>(backend, p.tokens.others, p.dropped.value(), features.view());
  kernels::gemm_of_rows<T>(backend, p.tokens.others, p.out.gradient(), features.view(),
                           target.beta(), target.view);
  return target.view;
}

// The token's rows are factors · diag(token), so their projection is factors · (weight ·
// diag(token))ᵀ: the gradient of that scaled weight gives the token's and the rest of the weight's.
template <class T, class Backend>
void add_token_rows(Backend& backend, const TokenProjection<T>& p, MatrixView<T> grad_weight) {
  const Matrix<T> factors =
      token_factors<T>(backend, p.key, p.probability, p.tokens, p.dropped.cols());
  Matrix<T> grad_scaled(backend.pool(), grad_weight.rows, grad_weight.cols);
  kernels::gemm_of_rows<T>(backend, p.tokens.rows, p.out.gradient(), factors.view(), T(0),
                           grad_scaled.view());
  const auto target = p.token.gradient_target(backend.pool());
  kernels::scale_columns_backward<T>(backend, p.weight.value(), p.token.value().span(),
                                     grad_scaled.view(), grad_weight, Accumulate::kAdd,
                                     target.view.span(), target.accumulate);
}

}  // namespace

template <class T>
Variable<T> linear_of_tokens(Tape<T>& tape, RandomKey key, double probability,
                             Span<const std::int32_t> ids, const TokenRows& tokens,
                             const Variable<T>& x, const Variable<T>& token,
                             const Variable<T>& weight) {
  check_token_rows("linear_of_tokens", tokens, x, token);
  M2ST_CHECK(x.cols() == weight.cols(), "linear_of_tokens: x has ", x.cols(),
             " columns, the weight takes ", weight.cols());
  const Variable<T> dropped(x.take_value(), false);
  const Variable<T> out = tape.result(x.rows(), weight.rows(), token, weight);
  tape.context().dispatch([&](auto& c) {
    put_token<T>(c, key, probability, ids, tokens, token.value(), dropped.result());
    kernels::gemm<T>(c, Layout::kPlain, Layout::kTransposed, T(1), dropped.value(), weight.value(),
                     T(0), out.result());
  });
  const TokenProjection<T> projection{key, probability, tokens, dropped, token, weight, out};
  tape.record(out, [&context = tape.context(), projection] {
    context.dispatch([&](auto& c) {
      const MatrixView<T> grad_weight = add_other_rows<T>(c, projection);
      add_token_rows<T>(c, projection, grad_weight);
    });
  });
  return out;
}

#define INSTANTIATE(T)                                                                            \
  template Variable<T> linear_of_tokens<T>(Tape<T>&, RandomKey, double, Span<const std::int32_t>, \
                                           const TokenRows&, const Variable<T>&,                  \
                                           const Variable<T>&, const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
