// Every kernel for a StagedCuda, and with it the backend that the tests of kernels run on.
#pragma once

#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/assign.h"
#include "kernels/bfloat16.h"
#include "kernels/dropout.h"
#include "kernels/fill.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"
#include "kernels/loss.h"
#include "kernels/normalise.h"
#include "kernels/principal_components.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"
#include "kernels/sort.h"
#include "tests/backends/cuda/staged_batches.h"
#include "tests/backends/cuda/staged_cuda.h"
#include "tests/backends/cuda/staged_edges.h"

namespace m2st::kernels {

template <class T>
void prelu(test::StagedCuda& context, Span<const T> x, Span<const T> slope, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return prelu<T>(cuda, there...); }, x, slope,
                     out);
}

template <class T>
void prelu_backward(test::StagedCuda& context, Span<const T> x, Span<const T> slope,
                    Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate_x,
                    Span<T> grad_slope, Accumulate accumulate_slope) {
  return context.run([](auto& cuda, auto... there) { return prelu_backward<T>(cuda, there...); }, x,
                     slope, grad_out, grad_x, accumulate_x, grad_slope, accumulate_slope);
}

template <class T>
void leaky_relu(test::StagedCuda& context, Span<const T> x, T slope, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return leaky_relu<T>(cuda, there...); }, x,
                     slope, out);
}

template <class T>
void leaky_relu_backward(test::StagedCuda& context, Span<const T> x, T slope,
                         Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return leaky_relu_backward<T>(cuda, there...); }, x, slope,
      grad_out, grad_x, accumulate);
}

template <class T>
void elu(test::StagedCuda& context, Span<const T> x, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return elu<T>(cuda, there...); }, x, out);
}

template <class T>
void elu_backward(test::StagedCuda& context, Span<const T> x, Span<const T> grad_out,
                  Span<T> grad_x, Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return elu_backward<T>(cuda, there...); }, x,
                     grad_out, grad_x, accumulate);
}

template <class T>
void adam_step(test::StagedCuda& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters) {
  return context.run([](auto& cuda, auto... there) { return adam_step<T>(cuda, there...); },
                     options, step, gradient, first_moment, second_moment, parameters);
}

template <class T>
void assign_nearest(test::StagedCuda& context, MatrixView<const T> x, MatrixView<const T> centres,
                    Span<std::int32_t> labels, Span<T> distances) {
  return context.run([](auto& cuda, auto... there) { return assign_nearest<T>(cuda, there...); }, x,
                     centres, labels, distances);
}

template <class T>
void squared_distances(test::StagedCuda& context, MatrixView<const T> x,
                       MatrixView<const T> centres, MatrixView<T> distances) {
  return context.run([](auto& cuda, auto... there) { return squared_distances<T>(cuda, there...); },
                     x, centres, distances);
}

template <class T>
void sums_by_label(test::StagedCuda& context, MatrixView<const T> x,
                   Span<const std::int32_t> labels, MatrixView<double> sums,
                   Span<std::int64_t> counts) {
  return context.run([](auto& cuda, auto... there) { return sums_by_label<T>(cuda, there...); }, x,
                     labels, sums, counts);
}

template <class T>
void dropout(test::StagedCuda& context, RandomKey key, double probability,
             Span<const std::int32_t> ids, MatrixView<const T> x, MatrixView<T> out,
             Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return dropout<T>(cuda, there...); }, key,
                     probability, ids, x, out, accumulate);
}

inline void dropout_to_bfloat16(test::StagedCuda& context, RandomKey key, double probability,
                                Span<const std::int32_t> ids, MatrixView<const float> x,
                                MatrixView<BFloat16> out) {
  return context.run([](auto& cuda, auto... there) { return dropout_to_bfloat16(cuda, there...); },
                     key, probability, ids, x, out);
}

inline void round_to_bfloat16(test::StagedCuda& context, Span<const float> x, Span<BFloat16> out) {
  return context.run([](auto& cuda, auto... there) { return round_to_bfloat16(cuda, there...); }, x,
                     out);
}

inline void widen_to_float(test::StagedCuda& context, Span<const BFloat16> x, Span<float> out) {
  return context.run([](auto& cuda, auto... there) { return widen_to_float(cuda, there...); }, x,
                     out);
}

template <class T>
void fill(test::StagedCuda& context, T value, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return fill<T>(cuda, there...); }, value, out);
}

template <class T>
void gemm(test::StagedCuda& context, Layout layout_a, Layout layout_b, T alpha,
          MatrixView<const T> a, MatrixView<const T> b, T beta, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return gemm<T>(cuda, there...); }, layout_a,
                     layout_b, alpha, a, b, beta, out);
}

inline void gemm_of_bfloat16(test::StagedCuda& context, Layout layout_a, Layout layout_b,
                             float alpha, MatrixView<const BFloat16> a,
                             MatrixView<const BFloat16> b, float beta, MatrixView<float> out) {
  return context.run([](auto& cuda, auto... there) { return gemm_of_bfloat16(cuda, there...); },
                     layout_a, layout_b, alpha, a, b, beta, out);
}

template <class T>
void gemm_of_rows(test::StagedCuda& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return gemm_of_rows<T>(cuda, there...); },
                     rows, a, b, beta, out);
}

template <class T>
bool solve_spd(test::StagedCuda& context, MatrixView<const T> a, MatrixView<const T> right_side,
               MatrixView<T> solution) {
  return context.run([](auto& cuda, auto... there) { return solve_spd<T>(cuda, there...); }, a,
                     right_side, solution);
}

template <class T>
T solve_general(test::StagedCuda& context, MatrixView<const T> a, MatrixView<const T> right_side,
                MatrixView<T> solution) {
  return context.run([](auto& cuda, auto... there) { return solve_general<T>(cuda, there...); }, a,
                     right_side, solution);
}

template <class T>
void pseudo_inverse(test::StagedCuda& context, MatrixView<const T> a, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return pseudo_inverse<T>(cuda, there...); }, a,
                     out);
}

template <class T>
void symmetric_eigen(test::StagedCuda& context, MatrixView<const T> a, Span<T> values,
                     MatrixView<T> vectors) {
  return context.run([](auto& cuda, auto... there) { return symmetric_eigen<T>(cuda, there...); },
                     a, values, vectors);
}

template <class T>
T largest_eigenvalue(test::StagedCuda& context, MatrixView<const T> a) {
  return context.run(
      [](auto& cuda, auto... there) { return largest_eigenvalue<T>(cuda, there...); }, a);
}

template <class T>
void orthonormalise(test::StagedCuda& context, MatrixView<const T> a, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return orthonormalise<T>(cuda, there...); }, a,
                     out);
}

template <class T>
double scaled_cosine_loss(test::StagedCuda& context, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, MatrixView<const T> output) {
  return context.run(
      [](auto& cuda, auto... there) { return scaled_cosine_loss<T>(cuda, there...); }, rows, gamma,
      target, output);
}

template <class T>
void scaled_cosine_loss_backward(test::StagedCuda& context, Span<const std::int32_t> rows,
                                 double gamma, MatrixView<const T> target,
                                 MatrixView<const T> output, double grad_loss,
                                 MatrixView<T> grad_output, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return scaled_cosine_loss_backward<T>(cuda, there...); },
      rows, gamma, target, output, grad_loss, grad_output, accumulate);
}

template <class T>
double mse_loss(test::StagedCuda& context, Span<const std::int32_t> rows,
                MatrixView<const T> target, MatrixView<const T> output) {
  return context.run([](auto& cuda, auto... there) { return mse_loss<T>(cuda, there...); }, rows,
                     target, output);
}

template <class T>
void mse_loss_backward(test::StagedCuda& context, Span<const std::int32_t> rows,
                       MatrixView<const T> target, MatrixView<const T> output, double grad_loss,
                       MatrixView<T> grad_output, Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return mse_loss_backward<T>(cuda, there...); },
                     rows, target, output, grad_loss, grad_output, accumulate);
}

template <class T>
void normalise_rows(test::StagedCuda& context, MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return normalise_rows<T>(cuda, there...); },
                     x);
}

template <class T>
void min_max_columns(test::StagedCuda& context, MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return min_max_columns<T>(cuda, there...); },
                     x);
}

template <class T>
void affine_columns(test::StagedCuda& context, Span<const T> shift, Span<const T> factor,
                    MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return affine_columns<T>(cuda, there...); },
                     shift, factor, x);
}

template <class T>
void principal_components(test::StagedCuda& context, MatrixView<const T> x, Span<double> mean,
                          MatrixView<double> axes, Span<double> variances) {
  return context.run(
      [](auto& cuda, auto... there) { return principal_components<T>(cuda, there...); }, x, mean,
      axes, variances);
}

template <class T, class S>
void project(test::StagedCuda& context, MatrixView<const T> x, Span<const double> mean,
             MatrixView<const double> axes, MatrixView<S> scores) {
  return context.run([](auto& cuda, auto... there) { return project<T, S>(cuda, there...); }, x,
                     mean, axes, scores);
}

template <class T>
double sum(test::StagedCuda& context, Span<const T> x) {
  return context.run([](auto& cuda, auto... there) { return sum<T>(cuda, there...); }, x);
}

template <class T>
double dot(test::StagedCuda& context, Span<const T> x, Span<const T> y) {
  return context.run([](auto& cuda, auto... there) { return dot<T>(cuda, there...); }, x, y);
}

template <class T>
double max_abs(test::StagedCuda& context, Span<const T> x) {
  return context.run([](auto& cuda, auto... there) { return max_abs<T>(cuda, there...); }, x);
}

template <class T>
bool all_finite(test::StagedCuda& context, Span<const T> x) {
  return context.run([](auto& cuda, auto... there) { return all_finite<T>(cuda, there...); }, x);
}

template <class T>
void column_sums(test::StagedCuda& context, MatrixView<const T> x, Span<T> sums,
                 Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return column_sums<T>(cuda, there...); }, x,
                     sums, accumulate);
}

template <class T>
void row_squared_norms(test::StagedCuda& context, MatrixView<const T> x, Span<T> squares) {
  return context.run([](auto& cuda, auto... there) { return row_squared_norms<T>(cuda, there...); },
                     x, squares);
}

template <class T>
void column_min_max(test::StagedCuda& context, MatrixView<const T> x, Span<T> minimum,
                    Span<T> maximum) {
  return context.run([](auto& cuda, auto... there) { return column_min_max<T>(cuda, there...); }, x,
                     minimum, maximum);
}

template <class T>
void column_moments(test::StagedCuda& context, MatrixView<const T> x, int ddof, Span<double> mean,
                    Span<double> variance) {
  return context.run([](auto& cuda, auto... there) { return column_moments<T>(cuda, there...); }, x,
                     ddof, mean, variance);
}

template <class T>
void gather_rows(test::StagedCuda& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                 MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return gather_rows<T>(cuda, there...); }, rows,
                     x, out);
}

template <class T>
void scatter_rows(test::StagedCuda& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                  MatrixView<T> out, Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return scatter_rows<T>(cuda, there...); },
                     rows, x, out, accumulate);
}

template <class T>
void fill_rows(test::StagedCuda& context, Span<const std::int32_t> rows, Span<const T> row,
               MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return fill_rows<T>(cuda, there...); }, rows,
                     row, x);
}

template <class T>
void fill_rows_backward(test::StagedCuda& context, Span<const std::int32_t> rows,
                        MatrixView<const T> grad_x, Span<T> grad_row, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return fill_rows_backward<T>(cuda, there...); }, rows, grad_x,
      grad_row, accumulate);
}

template <class T>
void add_row(test::StagedCuda& context, Span<const T> row, MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return add_row<T>(cuda, there...); }, row, x);
}

template <class T>
void scale_rows(test::StagedCuda& context, Span<const T> factors, MatrixView<T> x) {
  return context.run([](auto& cuda, auto... there) { return scale_rows<T>(cuda, there...); },
                     factors, x);
}

template <class T>
void scale_columns_backward(test::StagedCuda& context, MatrixView<const T> x, Span<const T> factors,
                            MatrixView<const T> grad_out, MatrixView<T> grad_x,
                            Accumulate accumulate_x, Span<T> grad_factors,
                            Accumulate accumulate_factors) {
  return context.run(
      [](auto& cuda, auto... there) { return scale_columns_backward<T>(cuda, there...); }, x,
      factors, grad_out, grad_x, accumulate_x, grad_factors, accumulate_factors);
}

template <class T>
void axpby(test::StagedCuda& context, T alpha, Span<const T> x, T beta, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return axpby<T>(cuda, there...); }, alpha, x,
                     beta, out);
}

inline void exclusive_scan(test::StagedCuda& context, Span<const std::int64_t> counts,
                           Span<std::int64_t> offsets) {
  return context.run([](auto& cuda, auto... there) { return exclusive_scan(cuda, there...); },
                     counts, offsets);
}

inline void argsort(test::StagedCuda& context, Span<const std::uint64_t> keys,
                    Span<std::int32_t> order) {
  return context.run([](auto& cuda, auto... there) { return argsort(cuda, there...); }, keys,
                     order);
}

inline void invert_permutation(test::StagedCuda& context, Span<const std::int32_t> order,
                               Span<std::int32_t> inverse) {
  return context.run([](auto& cuda, auto... there) { return invert_permutation(cuda, there...); },
                     order, inverse);
}

}  // namespace m2st::kernels

namespace m2st::test {

using Backend = StagedCuda;

}  // namespace m2st::test
