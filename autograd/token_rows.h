// What the ops on features with the token in them share, whichever order they compute in.
#pragma once

#include "autograd/ops.h"
#include "kernels/dropout.h"
#include "kernels/fill.h"
#include "kernels/rows.h"

namespace m2st::autograd {

template <class T>
void check_token_rows(const char* op, const TokenRows& tokens, const Variable<T>& x,
                      const Variable<T>& token) {
  M2ST_CHECK(!x.needs_gradient(), op, ": x has a gradient, which it would not get");
  M2ST_CHECK(x.cols() == token.cols() && token.rows() == 1, op, ": x has ", x.cols(),
             " columns, the token is ", token.rows(), " x ", token.cols());
  M2ST_CHECK(tokens.rows.size() == tokens.ids.size() &&
                 std::ssize(tokens.rows) + std::ssize(tokens.others) == x.rows(),
             op, ": ", tokens.rows.size(), " rows with ", tokens.ids.size(), " ids and ",
             tokens.others.size(), " others share out ", x.rows(), " rows");
}

// x := dropout(x with the token in its rows).
template <class T, class Backend>
void put_token(Backend& backend, RandomKey key, double probability, Span<const std::int32_t> ids,
               const TokenRows& tokens, MatrixView<const T> token, MatrixView<T> x) {
  kernels::fill_rows<T>(backend, tokens.rows, token.span(), x);
  kernels::dropout<T>(backend, key, probability, ids, x, x, Accumulate::kOverwrite);
}

// What dropout multiplies the token with in each of its rows: 0 or 1 / (1 − p).
template <class T, class Backend>
Matrix<T> token_factors(Backend& backend, RandomKey key, double probability,
                        const TokenRows& tokens, std::int64_t cols) {
  Matrix<T> factors(backend.pool(), std::ssize(tokens.rows), cols);
  kernels::fill<T>(backend, T(1), factors.span());
  kernels::dropout<T>(backend, key, probability, tokens.ids, factors.view(), factors.view(),
                      Accumulate::kOverwrite);
  return factors;
}

}  // namespace m2st::autograd
