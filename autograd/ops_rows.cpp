// Ops that move and replace rows.
#include "autograd/ops.h"
#include "autograd/pass_gradient.h"
#include "kernels/fill.h"
#include "kernels/rows.h"

namespace m2st::autograd {

template <class T>
Variable<T> fill_rows_in_place(Tape<T>& tape, Span<const std::int32_t> rows, const Variable<T>& x,
                               const Variable<T>& row) {
  M2ST_CHECK(!row.defined() || (row.rows() == 1 && row.cols() == x.cols()),
             "fill_rows: the row has ", row.defined() ? row.cols() : 0, " columns, x has ",
             x.cols());
  const Variable<T> out = tape.result_over(x.take_value(), x, row);
  tape.context().dispatch([&](auto& c) {
    const Span<const T> values = row.defined() ? row.value().span() : Span<const T>();
    kernels::fill_rows<T>(c, rows, values, out.result());
  });
  tape.record(out, [&context = tape.context(), rows, x, row, out] {
    context.dispatch([&](auto& c) {
      if (row.needs_gradient()) {
        const auto target = row.gradient_target(c.pool());
        kernels::fill_rows_backward<T>(c, rows, out.gradient(), target.view.span(),
                                       target.accumulate);
      }
      if (x.needs_gradient()) {
        // What reached the replaced rows is not x's; their gradient is zero, not a sum.
        kernels::fill_rows<T>(c, rows, Span<const T>(), out.spent_gradient());
        pass_gradient(c, x, out);
      }
    });
  });
  return out;
}

template <class T>
Variable<T> gather_rows(Tape<T>& tape, Span<const std::int32_t> rows, const Variable<T>& x) {
  const Variable<T> out = tape.result(static_cast<std::int64_t>(rows.size()), x.cols(), x);
  tape.context().dispatch(
      [&](auto& c) { kernels::gather_rows<T>(c, rows, x.value(), out.result()); });
  tape.record(out, [&context = tape.context(), rows, x, out] {
    context.dispatch([&](auto& c) {
      const auto target = x.gradient_target(c.pool());
      if (target.accumulate == Accumulate::kOverwrite) kernels::fill<T>(c, 0, target.view.span());
      kernels::scatter_rows<T>(c, rows, out.gradient(), target.view, target.accumulate);
    });
  });
  return out;
}

namespace {

// The gradient of x gets, or adds, the rows `rows` of `gradient`.
template <class T, class Backend>
void pass_gathered(Backend& backend, Span<const std::int32_t> rows, MatrixView<const T> gradient,
                   const Variable<T>& x) {
  const auto target = x.gradient_target(backend.pool());
  if (target.accumulate == Accumulate::kOverwrite) {
    kernels::gather_rows<T>(backend, rows, gradient, target.view);
    return;
  }
  Matrix<T> gathered(backend.pool(), x.rows(), x.cols());
  kernels::gather_rows<T>(backend, rows, gradient, gathered.view());
  kernels::axpby<T>(backend, T(1), gathered.span(), T(1), target.view.span());
}

}  // namespace

template <class T>
Variable<T> spread_rows(Tape<T>& tape, Span<const std::int32_t> rows,
                        Span<const std::int32_t> others, const Variable<T>& x) {
  M2ST_CHECK(std::ssize(rows) == x.rows(), "spread_rows: ", rows.size(), " places for ", x.rows(),
             " rows");
  const Variable<T> out =
      tape.result(static_cast<std::int64_t>(rows.size() + others.size()), x.cols(), x);
  tape.context().dispatch([&](auto& c) {
    kernels::scatter_rows<T>(c, rows, x.value(), out.result(), Accumulate::kOverwrite);
    kernels::fill_rows<T>(c, others, Span<const T>(), out.result());
  });
  tape.record(out, [&context = tape.context(), rows, x, out] {
    context.dispatch([&](auto& c) { pass_gathered<T>(c, rows, out.gradient(), x); });
  });
  return out;
}

template <class T>
Variable<T> scatter_rows_in_place(Tape<T>& tape, Span<const std::int32_t> rows,
                                  const Variable<T>& base, const Variable<T>& x) {
  M2ST_CHECK(x.cols() == base.cols(), "scatter_rows: x has ", x.cols(), " columns, the base ",
             base.cols());
  const Variable<T> out = tape.result_over(base.take_value(), base, x);
  tape.context().dispatch([&](auto& c) {
    kernels::scatter_rows<T>(c, rows, x.value(), out.result(), Accumulate::kOverwrite);
  });
  tape.record(out, [&context = tape.context(), rows, base, x, out] {
    context.dispatch([&](auto& c) {
      if (x.needs_gradient()) pass_gathered<T>(c, rows, out.gradient(), x);
      if (base.needs_gradient()) {
        kernels::fill_rows<T>(c, rows, Span<const T>(), out.spent_gradient());
        pass_gradient(c, base, out);
      }
    });
  });
  return out;
}

#define INSTANTIATE(T)                                                                         \
  template Variable<T> fill_rows_in_place<T>(Tape<T>&, Span<const std::int32_t>,               \
                                             const Variable<T>&, const Variable<T>&);          \
  template Variable<T> gather_rows<T>(Tape<T>&, Span<const std::int32_t>, const Variable<T>&); \
  template Variable<T> spread_rows<T>(Tape<T>&, Span<const std::int32_t>,                      \
                                      Span<const std::int32_t>, const Variable<T>&);           \
  template Variable<T> scatter_rows_in_place<T>(Tape<T>&, Span<const std::int32_t>,            \
                                                const Variable<T>&, const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
