// Reconstruction losses on the CPU: a row at a time, sums in double.
#include "kernels/loss.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/double_lanes.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/math/loss.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

// Σ_r value(target row, output row) over the listed rows.
template <class T, class Value>
double sum_over_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                     MatrixView<const T> output, const Value& value) {
  return parallel_reduce(
      context, static_cast<std::int64_t>(rows.size()), row_grain(target.cols), 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        double total = 0;
        for (std::int64_t r = begin; r < end; ++r) {
          total += value(target.data + rows[r] * target.cols, output.data + rows[r] * target.cols);
        }
        return total;
      },
      [](double a, double b) { return a + b; });
}

// Zeroes the gradient where it is to be overwritten, then body(target row, output row, grad row)
// for the listed rows, which adds.
template <class T, class Body>
void add_to_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                 MatrixView<const T> output, MatrixView<T> grad_output, Accumulate accumulate,
                 const Body& body) {
  if (accumulate == Accumulate::kOverwrite) {
    write_elements(context, grad_output.size(), grad_output.data, Accumulate::kOverwrite,
                   [](std::int64_t) { return T(0); });
  }
  parallel_for(context, static_cast<std::int64_t>(rows.size()), row_grain(target.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t r = begin; r < end; ++r) {
                   const std::int64_t first = rows[r] * target.cols;
                   body(target.data + first, output.data + first, grad_output.data + first);
                 }
               });
}

// Three sums in one pass: a row is read once, and the next rows' reads are under way meanwhile.
template <class T>
CosineParts cosine_of(std::int64_t cols, const T* target, const T* output) {
  DoubleLanes dot[2] = {}, target_square[2] = {}, output_square[2] = {};
  const auto add = [&](int half, DoubleLanes t, DoubleLanes o) {
    dot[half] += t * o;
    target_square[half] += t * t;
    output_square[half] += o * o;
  };
  std::int64_t c = 0;
  for (; c + 2 * kLanes <= cols; c += 2 * kLanes) {
    add(0, load_lanes(target + c), load_lanes(output + c));
    add(1, load_lanes(target + c + kLanes), load_lanes(output + c + kLanes));
  }
  for (; c < cols; c += kLanes) {
    const std::int64_t count = std::min(kLanes, cols - c);
    add(0, load_some_lanes(target + c, count), load_some_lanes(output + c, count));
  }
  return cosine_parts(sum_of_lanes(dot[0] + dot[1]),
                      sum_of_lanes(target_square[0] + target_square[1]),
                      sum_of_lanes(output_square[0] + output_square[1]));
}

}  // namespace

template <class T>
double scaled_cosine_loss(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, MatrixView<const T> output) {
  check_loss_shapes("scaled_cosine_loss", target, output);
  if (rows.empty()) return 0;
  const double total = sum_over_rows<T>(context, rows, target, output, [&](const T* t, const T* o) {
    return scaled_cosine(cosine_of(target.cols, t, o), gamma);
  });
  return total / static_cast<double>(rows.size());
}

template <class T>
void scaled_cosine_loss(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                        MatrixView<const T> target, MatrixView<const T> output, Span<double> loss) {
  loss[0] = scaled_cosine_loss<T>(context, rows, gamma, target, output);
}

template <class T>
void scaled_cosine_loss_backward(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                                 MatrixView<const T> target, MatrixView<const T> output,
                                 double grad_loss, MatrixView<T> grad_output,
                                 Accumulate accumulate) {
  check_loss_shapes("scaled_cosine_loss_backward", target, output);
  check_loss_shapes<T>("scaled_cosine_loss_backward", target, grad_output);
  const double share = grad_loss / static_cast<double>(std::max<std::size_t>(1, rows.size()));
  add_to_rows(
      context, rows, target, output, grad_output, accumulate, [&](const T* t, const T* o, T* grad) {
        const CosineGrad factor = scaled_cosine_grad(cosine_of(target.cols, t, o), gamma, share);
        const T of_target = static_cast<T>(factor.of_target);
        const T of_output = static_cast<T>(factor.of_output);
        write_range(0, target.cols, grad, Accumulate::kAdd,
                    [=](std::int64_t c) { return of_target * t[c] + of_output * o[c]; });
      });
}

template <class T>
double mse_loss(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                MatrixView<const T> output) {
  check_loss_shapes("mse_loss", target, output);
  if (rows.empty() || target.cols == 0) return 0;
  const auto square = [](DoubleLanes t, DoubleLanes o) { return (o - t) * (o - t); };
  const double total = sum_over_rows<T>(context, rows, target, output, [&](const T* t, const T* o) {
    return sum_terms(target.cols, square, t, o);
  });
  return total / (static_cast<double>(rows.size()) * static_cast<double>(target.cols));
}

template <class T>
void mse_loss(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
              MatrixView<const T> output, Span<double> loss) {
  loss[0] = mse_loss<T>(context, rows, target, output);
}

template <class T>
void mse_loss_backward(CpuContext& context, Span<const std::int32_t> rows,
                       MatrixView<const T> target, MatrixView<const T> output, double grad_loss,
                       MatrixView<T> grad_output, Accumulate accumulate) {
  check_loss_shapes("mse_loss_backward", target, output);
  check_loss_shapes<T>("mse_loss_backward", target, grad_output);
  const double entries = static_cast<double>(rows.size()) * static_cast<double>(target.cols);
  const T factor = static_cast<T>(2 * grad_loss / std::max(1.0, entries));
  add_to_rows(context, rows, target, output, grad_output, accumulate,
              [&](const T* t, const T* o, T* grad) {
                write_range(0, target.cols, grad, Accumulate::kAdd,
                            [=](std::int64_t c) { return factor * (o[c] - t[c]); });
              });
}

#define INSTANTIATE(T)                                                                           \
  template double scaled_cosine_loss<T>(CpuContext&, Span<const std::int32_t>, double,           \
                                        MatrixView<const T>, MatrixView<const T>);               \
  template void scaled_cosine_loss<T>(CpuContext&, Span<const std::int32_t>, double,             \
                                      MatrixView<const T>, MatrixView<const T>, Span<double>);   \
  template void scaled_cosine_loss_backward<T>(CpuContext&, Span<const std::int32_t>, double,    \
                                               MatrixView<const T>, MatrixView<const T>, double, \
                                               MatrixView<T>, Accumulate);                       \
  template double mse_loss<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,        \
                              MatrixView<const T>);                                              \
  template void mse_loss<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,          \
                            MatrixView<const T>, Span<double>);                                  \
  template void mse_loss_backward<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>, \
                                     MatrixView<const T>, double, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
