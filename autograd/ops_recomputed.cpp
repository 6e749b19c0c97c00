// Ops that keep less and compute it again: for memory, never for another result.
#include "autograd/ops.h"
#include "kernels/dropout.h"
#include "kernels/gemm.h"

namespace m2st::autograd {

using kernels::Layout;

template <class T>
Variable<T> linear_of_dropped(Tape<T>& tape, RandomKey key, double probability,
                              Span<const std::int32_t> ids, const Variable<T>& x,
                              const Variable<T>& weight) {
  M2ST_CHECK(x.cols() == weight.cols(), "linear_of_dropped: x has ", x.cols(),
             " columns, the weight takes ", weight.cols());
  const auto dropped = [key, probability, ids, x](auto& c) {
    Matrix<T> out(c.pool(), x.rows(), x.cols());
    kernels::dropout<T>(c, key, probability, ids, x.value(), out.view(), Accumulate::kOverwrite);
    return out;
  };
  const Variable<T> out = tape.result(x.rows(), weight.rows(), x, weight);
  tape.context().dispatch([&](auto& c) {
    kernels::gemm<T>(c, Layout::kPlain, Layout::kTransposed, T(1), dropped(c).view(),
                     weight.value(), T(0), out.result());
  });
  tape.record(out, [&context = tape.context(), dropped, key, probability, ids, x, weight, out] {
    context.dispatch([&](auto& c) {
      const MatrixView<const T> grad_out = out.gradient();
      Matrix<T> buffer = dropped(c);
      if (weight.needs_gradient()) {
        const auto target = weight.gradient_target(c.pool());
        kernels::gemm<T>(c, Layout::kTransposed, Layout::kPlain, T(1), grad_out, buffer.view(),
                         target.beta(), target.view);
      }
      if (x.needs_gradient()) {
        kernels::gemm<T>(c, Layout::kPlain, Layout::kPlain, T(1), grad_out, weight.value(), T(0),
                         buffer.view());
        const auto target = x.gradient_target(c.pool());
        kernels::dropout<T>(c, key, probability, ids, buffer.view(), target.view,
                            target.accumulate);
      }
    });
  });
  return out;
}

#define INSTANTIATE(T)                                                                             \
  template Variable<T> linear_of_dropped<T>(Tape<T>&, RandomKey, double, Span<const std::int32_t>, \
                                            const Variable<T>&, const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
