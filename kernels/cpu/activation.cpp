// Elementwise activations on the CPU: fixed chunks; the slope's gradient is summed in double, in
// the pass that makes the gradient of x.
#include "kernels/activation.h"

#include "engine/check.h"
#include "kernels/cpu/double_lanes.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/math/activation.h"

namespace m2st::kernels {

namespace {

void check_sizes(const char* op, std::size_t x, std::size_t other) {
  M2ST_CHECK(x == other, op, ": output or gradient has ", other, " entries, x has ", x);
}

}  // namespace

template <class T>
void leaky_relu(CpuContext& context, Span<const T> x, T slope, Span<T> out) {
  check_sizes("leaky_relu", x.size(), out.size());
  write_elements(context, static_cast<std::int64_t>(x.size()), out.data(), Accumulate::kOverwrite,
                 [x = x.data(), slope](std::int64_t i) { return leaky(x[i], slope); });
}

template <class T>
void leaky_relu_backward(CpuContext& context, Span<const T> x, T slope, Span<const T> grad_out,
                         Span<T> grad_x, Accumulate accumulate) {
  check_sizes("leaky_relu_backward", x.size(), grad_out.size());
  check_sizes("leaky_relu_backward", x.size(), grad_x.size());
  write_elements(context, static_cast<std::int64_t>(x.size()), grad_x.data(), accumulate,
                 [x = x.data(), grad = grad_out.data(), slope](std::int64_t i) {
                   return leaky_grad(x[i], slope, grad[i]);
                 });
}

template <class T>
void prelu(CpuContext& context, Span<const T> x, Span<const T> slope, Span<T> out) {
  M2ST_CHECK(slope.size() == 1, "prelu: slope has ", slope.size(), " entries, needs 1");
  leaky_relu<T>(context, x, slope[0], out);
}

template <class T>
void prelu_backward(CpuContext& context, Span<const T> x, Span<const T> slope,
                    Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate_x,
                    Span<T> grad_slope, Accumulate accumulate_slope) {
  M2ST_CHECK(slope.size() == 1 && grad_slope.size() == 1, "prelu_backward: slope has ",
             slope.size(), " entries and its gradient ", grad_slope.size(), ", both need 1");
  check_sizes("prelu_backward", x.size(), grad_out.size());
  check_sizes("prelu_backward", x.size(), grad_x.size());
  // Σ of x · grad_out where x is on the slope's side.
  const auto term = [](DoubleLanes value, DoubleLanes grad) {
    return value > 0.0 ? DoubleLanes{} : value * grad;
  };
  const double sum = parallel_reduce(
      context, static_cast<std::int64_t>(x.size()), kElementGrain, 0.0,
      [&, values = x.data(), grad = grad_out.data(), a = slope[0]](std::int64_t begin,
                                                                   std::int64_t end) {
        // A chunk's sum comes first: grad_x may be grad_out.
        const double part = sum_terms(end - begin, term, values + begin, grad + begin);
        write_range(begin, end, grad_x.data(), accumulate_x,
                    [=](std::int64_t i) { return leaky_grad(values[i], a, grad[i]); });
        return part;
      },
      [](double a, double b) { return a + b; });
  const T total = static_cast<T>(sum);
  grad_slope[0] = accumulate_slope == Accumulate::kAdd ? grad_slope[0] + total : total;
}

template <class T>
void elu(CpuContext& context, Span<const T> x, Span<T> out) {
  check_sizes("elu", x.size(), out.size());
  write_elements(context, static_cast<std::int64_t>(x.size()), out.data(), Accumulate::kOverwrite,
                 [x = x.data()](std::int64_t i) { return elu_value(x[i]); });
}

template <class T>
void elu_backward(CpuContext& context, Span<const T> x, Span<const T> grad_out, Span<T> grad_x,
                  Accumulate accumulate) {
  check_sizes("elu_backward", x.size(), grad_out.size());
  check_sizes("elu_backward", x.size(), grad_x.size());
  write_elements(
      context, static_cast<std::int64_t>(x.size()), grad_x.data(), accumulate,
      [x = x.data(), grad = grad_out.data()](std::int64_t i) { return elu_grad(x[i], grad[i]); });
}

#define INSTANTIATE(T)                                                                        \
  template void prelu<T>(CpuContext&, Span<const T>, Span<const T>, Span<T>);                 \
  template void prelu_backward<T>(CpuContext&, Span<const T>, Span<const T>, Span<const T>,   \
                                  Span<T>, Accumulate, Span<T>, Accumulate);                  \
  template void leaky_relu<T>(CpuContext&, Span<const T>, T, Span<T>);                        \
  template void leaky_relu_backward<T>(CpuContext&, Span<const T>, T, Span<const T>, Span<T>, \
                                       Accumulate);                                           \
  template void elu<T>(CpuContext&, Span<const T>, Span<T>);                                  \
  template void elu_backward<T>(CpuContext&, Span<const T>, Span<const T>, Span<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
