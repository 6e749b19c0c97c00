// Losses: from node rows to one number on the host (eq. 10).
#include <limits>

#include "autograd/ops.h"
#include "kernels/loss.h"

namespace m2st::autograd {

namespace {

constexpr double kElsewhere = std::numeric_limits<double>::quiet_NaN();

}  // namespace

template <class T>
Scalar scaled_cosine_loss(Tape<T>& tape, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, const Variable<T>& output,
                          Span<double> kept) {
  M2ST_CHECK(target.rows == output.rows() && target.cols == output.cols(),
             "scaled_cosine_loss: the target is ", target.rows, " x ", target.cols, ", the output ",
             output.rows(), " x ", output.cols());
  const Scalar loss(tape.context().dispatch([&](auto& c) {
    if (kept.empty()) return kernels::scaled_cosine_loss<T>(c, rows, gamma, target, output.value());
    kernels::scaled_cosine_loss<T>(c, rows, gamma, target, output.value(), kept);
    return kElsewhere;
  }));
  tape.record_always([&context = tape.context(), rows, gamma, target, output, loss] {
    if (!output.needs_gradient()) return;
    context.dispatch([&](auto& c) {
      const auto gradient = output.gradient_target(c.pool());
      kernels::scaled_cosine_loss_backward<T>(c, rows, gamma, target, output.value(),
                                              loss.gradient(), gradient.view, gradient.accumulate);
    });
  });
  return loss;
}

template <class T>
Scalar mse_loss(Tape<T>& tape, Span<const std::int32_t> rows, MatrixView<const T> target,
                const Variable<T>& output, Span<double> kept) {
  M2ST_CHECK(target.rows == output.rows() && target.cols == output.cols(),
             "mse_loss: the target is ", target.rows, " x ", target.cols, ", the output ",
             output.rows(), " x ", output.cols());
  const Scalar loss(tape.context().dispatch([&](auto& c) {
    if (kept.empty()) return kernels::mse_loss<T>(c, rows, target, output.value());
    kernels::mse_loss<T>(c, rows, target, output.value(), kept);
    return kElsewhere;
  }));
  tape.record_always([&context = tape.context(), rows, target, output, loss] {
    if (!output.needs_gradient()) return;
    context.dispatch([&](auto& c) {
      const auto gradient = output.gradient_target(c.pool());
      kernels::mse_loss_backward<T>(c, rows, target, output.value(), loss.gradient(), gradient.view,
                                    gradient.accumulate);
    });
  });
  return loss;
}

template <class T>
Scalar mean(Tape<T>& tape, const std::vector<Scalar>& losses) {
  M2ST_CHECK(!losses.empty(), "mean: no losses");
  const double share = 1.0 / static_cast<double>(losses.size());
  double sum = 0;
  for (const Scalar& loss : losses) sum += loss.value();
  const Scalar out(sum * share);
  tape.record_always([losses, share, out] {
    for (const Scalar& loss : losses) loss.add_gradient(share * out.gradient());
  });
  return out;
}

#define INSTANTIATE(T)                                                                          \
  template Scalar scaled_cosine_loss<T>(Tape<T>&, Span<const std::int32_t>, double,             \
                                        MatrixView<const T>, const Variable<T>&, Span<double>); \
  template Scalar mse_loss<T>(Tape<T>&, Span<const std::int32_t>, MatrixView<const T>,          \
                              const Variable<T>&, Span<double>);                                \
  template Scalar mean<T>(Tape<T>&, const std::vector<Scalar>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
