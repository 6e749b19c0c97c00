// Ops on node rows: linear maps, bias, dropout, activation, sum over heads.
#include <utility>

#include "autograd/ops.h"
#include "autograd/pass_gradient.h"
#include "kernels/activation.h"
#include "kernels/dropout.h"
#include "kernels/gemm.h"
#include "kernels/heads.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"

namespace m2st::autograd {

using kernels::Layout;

template <class T>
Variable<T> linear(Tape<T>& tape, const Variable<T>& x, const Variable<T>& weight) {
  M2ST_CHECK(x.cols() == weight.cols(), "linear: x has ", x.cols(), " columns, the weight takes ",
             weight.cols());
  const Variable<T> out = tape.result(x.rows(), weight.rows(), x, weight);
  tape.context().dispatch([&](auto& c) {
    kernels::gemm<T>(c, Layout::kPlain, Layout::kTransposed, T(1), x.value(), weight.value(), T(0),
                     out.result());
  });
  tape.record(out, [&context = tape.context(), x, weight, out] {
    context.dispatch([&](auto& c) {
      const MatrixView<const T> grad_out = out.gradient();
      if (weight.needs_gradient()) {
        const auto target = weight.gradient_target(c.pool());
        kernels::gemm<T>(c, Layout::kTransposed, Layout::kPlain, T(1), grad_out, x.value(),
                         target.beta(), target.view);
      }
      if (x.needs_gradient()) {
        const auto target = x.gradient_target(c.pool());
        kernels::gemm<T>(c, Layout::kPlain, Layout::kPlain, T(1), grad_out, weight.value(),
                         target.beta(), target.view);
      }
    });
  });
  return out;
}

template <class T>
Variable<T> add_row_in_place(Tape<T>& tape, const Variable<T>& x, const Variable<T>& bias) {
  M2ST_CHECK(bias.rows() == 1 && bias.cols() == x.cols(), "add_row: the row has ", bias.cols(),
             " columns, x has ", x.cols());
  const Variable<T> out = tape.result_over(x.take_value(), x, bias);
  tape.context().dispatch(
      [&](auto& c) { kernels::add_row<T>(c, bias.value().span(), out.result()); });
  tape.record(out, [&context = tape.context(), x, bias, out] {
    context.dispatch([&](auto& c) {
      if (bias.needs_gradient()) {
        const auto target = bias.gradient_target(c.pool());
        kernels::column_sums<T>(c, out.gradient(), target.view.span(), target.accumulate);
      }
      if (x.needs_gradient()) pass_gradient(c, x, out);
    });
  });
  return out;
}

namespace {

// The backward of dropout is dropout of the gradient with the same draws.
template <class T>
void record_dropout(Tape<T>& tape, RandomKey key, double probability, Span<const std::int32_t> ids,
                    const Variable<T>& x, const Variable<T>& out) {
  tape.record(out, [&context = tape.context(), key, probability, ids, x, out] {
    context.dispatch([&](auto& c) {
      const MatrixView<const T> grad_out = out.gradient();
      const auto target = x.gradient_target_in_place(c.pool(), out);
      kernels::dropout<T>(c, key, probability, ids, grad_out, target.view, target.accumulate);
    });
  });
}

}  // namespace

template <class T>
Variable<T> dropout(Tape<T>& tape, RandomKey key, double probability, Span<const std::int32_t> ids,
                    const Variable<T>& x) {
  if (probability == 0) return x;
  const Variable<T> out = tape.result(x.rows(), x.cols(), x);
  tape.context().dispatch([&](auto& c) {
    kernels::dropout<T>(c, key, probability, ids, x.value(), out.result(), Accumulate::kOverwrite);
  });
  record_dropout(tape, key, probability, ids, x, out);
  return out;
}

template <class T>
Variable<T> dropout_in_place(Tape<T>& tape, RandomKey key, double probability,
                             Span<const std::int32_t> ids, const Variable<T>& x) {
  if (probability == 0) return x;
  const Variable<T> out = tape.result_over(x.take_value(), x);
  tape.context().dispatch([&](auto& c) {
    kernels::dropout<T>(c, key, probability, ids, out.value(), out.result(),
                        Accumulate::kOverwrite);
  });
  record_dropout(tape, key, probability, ids, x, out);
  return out;
}

template <class T>
Variable<T> prelu(Tape<T>& tape, const Variable<T>& x, const Variable<T>& slope) {
  M2ST_CHECK(slope.rows() * slope.cols() == 1, "prelu: the slope has ", slope.rows() * slope.cols(),
             " values, need 1");
  const Variable<T> out = tape.result(x.rows(), x.cols(), x, slope);
  tape.context().dispatch([&](auto& c) {
    kernels::prelu<T>(c, x.value().span(), slope.value().span(), out.result().span());
  });
  tape.record(out, [&context = tape.context(), x, slope, out] {
    context.dispatch([&](auto& c) {
      const MatrixView<const T> grad_out = out.gradient();
      const auto target_x = x.gradient_target_in_place(c.pool(), out);
      const auto target_slope = slope.gradient_target(c.pool());
      kernels::prelu_backward<T>(c, x.value().span(), slope.value().span(), grad_out.span(),
                                 target_x.view.span(), target_x.accumulate,
                                 target_slope.view.span(), target_slope.accumulate);
    });
  });
  return out;
}

template <class T>
Variable<T> sum_heads(Tape<T>& tape, const Variable<T>& x, int heads) {
  M2ST_CHECK(heads > 0 && x.cols() % heads == 0, "sum_heads: ", x.cols(), " columns, need ", heads,
             " equal heads");
  if (heads == 1) return x;
  const Variable<T> out = tape.result(x.rows(), x.cols() / heads, x);
  tape.context().dispatch([&](auto& c) { kernels::sum_heads<T>(c, x.value(), out.result()); });
  tape.record(out, [&context = tape.context(), x, out] {
    context.dispatch([&](auto& c) {
      const auto target = x.gradient_target(c.pool());
      kernels::sum_heads_backward<T>(c, out.gradient(), target.view, target.accumulate);
    });
  });
  return out;
}

#define INSTANTIATE(T)                                                                            \
  template Variable<T> linear<T>(Tape<T>&, const Variable<T>&, const Variable<T>&);               \
  template Variable<T> add_row_in_place<T>(Tape<T>&, const Variable<T>&, const Variable<T>&);     \
  template Variable<T> dropout<T>(Tape<T>&, RandomKey, double, Span<const std::int32_t>,          \
                                  const Variable<T>&);                                            \
  template Variable<T> dropout_in_place<T>(Tape<T>&, RandomKey, double, Span<const std::int32_t>, \
                                           const Variable<T>&);                                   \
  template Variable<T> prelu<T>(Tape<T>&, const Variable<T>&, const Variable<T>&);                \
  template Variable<T> sum_heads<T>(Tape<T>&, const Variable<T>&, int);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
