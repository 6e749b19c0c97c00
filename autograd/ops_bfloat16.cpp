// Products whose operands are stored in BF16: what they would round anyway, rounded once.
#include <memory>
#include <utility>

#include "autograd/ops.h"
#include "kernels/bfloat16.h"
#include "kernels/dropout.h"
#include "kernels/gemm.h"

namespace m2st::autograd {

using kernels::BFloat16;
using kernels::Layout;

namespace {

template <class Backend>
Matrix<BFloat16> rounded(Backend& backend, MatrixView<const float> x) {
  Matrix<BFloat16> out(backend.pool(), x.rows, x.cols);
  kernels::round_to_bfloat16(backend, x.span(), out.span());
  return out;
}

// The gradient of dropout(x)'s input: where it is the first to arrive, in the memory of that of
// dropout(x).
template <class Backend>
void add_input_gradient(Backend& backend, RandomKey key, double probability,
                        Span<const std::int32_t> ids, const Matrix<BFloat16>& grad_out,
                        const Matrix<BFloat16>& weight, const Variable<float>& x) {
  const auto target = x.gradient_target(backend.pool());
  const bool first = target.accumulate == Accumulate::kOverwrite;
  Matrix<float> buffer;
  if (!first) buffer = Matrix<float>(backend.pool(), x.rows(), x.cols());
  const MatrixView<float> grad = first ? target.view : buffer.view();
  kernels::gemm_of_bfloat16(backend, Layout::kPlain, Layout::kPlain, 1.0f, grad_out.view(),
                            weight.view(), 0.0f, grad);
  kernels::dropout<float>(backend, key, probability, ids, grad, target.view, target.accumulate);
}

}  // namespace

Variable<float> linear_in_bfloat16(Tape<float>& tape, RandomKey key, double probability,
                                   Span<const std::int32_t> ids, const Variable<float>& x,
                                   bool last_use, const Variable<float>& weight) {
  M2ST_CHECK(x.cols() == weight.cols(), "linear_in_bfloat16: x has ", x.cols(),
             " columns, the weight takes ", weight.cols());
  struct Operands {
    Matrix<BFloat16> kept, weight;
  };
  const auto operands = std::make_shared<Operands>();
  const Variable<float> out = tape.result(x.rows(), weight.rows(), x, weight);
  tape.context().dispatch([&](auto& c) {
    operands->kept = Matrix<BFloat16>(c.pool(), x.rows(), x.cols());
    kernels::dropout_to_bfloat16(c, key, probability, ids, x.value(), operands->kept.view());
    if (last_use) x.take_value();
    operands->weight = rounded(c, weight.value());
    kernels::gemm_of_bfloat16(c, Layout::kPlain, Layout::kTransposed, 1.0f, operands->kept.view(),
                              operands->weight.view(), 0.0f, out.result());
  });
  tape.record(out, [&context = tape.context(), operands, key, probability, ids, x, weight, out] {
    context.dispatch([&](auto& c) {
      const Matrix<BFloat16> grad_out = rounded(c, out.gradient());
      if (weight.needs_gradient()) {
        const auto target = weight.gradient_target(c.pool());
        kernels::gemm_of_bfloat16(c, Layout::kTransposed, Layout::kPlain, 1.0f, grad_out.view(),
                                  operands->kept.view(), target.beta(), target.view);
      }
      if (x.needs_gradient()) {
        add_input_gradient(c, key, probability, ids, grad_out, operands->weight, x);
      }
    });
  });
  return out;
}

}  // namespace m2st::autograd
