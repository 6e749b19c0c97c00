// The backward of ops that leave a gradient as it is.
#pragma once

#include "autograd/variable.h"
#include "kernels/rows.h"

namespace m2st::autograd {

// The gradient of `out` becomes, or is added to, that of x; handed over without a copy when x has
// none yet. Returns where it now is.
template <class T, class Backend>
MatrixView<T> pass_gradient(Backend& backend, const Variable<T>& x, const Variable<T>& out) {
  const MatrixView<const T> grad_out = out.gradient();
  const auto target = x.gradient_target_in_place(backend.pool(), out);
  if (target.view.data != grad_out.data) {
    kernels::axpby<T>(backend, T(1), grad_out.span(), target.beta(), target.view.span());
  }
  return target.view;
}

}  // namespace m2st::autograd
