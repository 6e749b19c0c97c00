// Every kernel for a StagedCuda, and with it the backend that the tests of kernels run on.
#pragma once

#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/aggregate.h"
#include "kernels/assign.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cell_sweep.h"
#include "kernels/cluster_steps.h"
#include "kernels/dropout.h"
#include "kernels/edge_scores.h"
#include "kernels/edge_softmax.h"
#include "kernels/fill.h"
#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "kernels/gemm.h"
#include "kernels/heads.h"
#include "kernels/linear_algebra.h"
#include "kernels/loss.h"
#include "kernels/node_scores.h"
#include "kernels/normalise.h"
#include "kernels/principal_components.h"
#include "kernels/project_heads.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"
#include "kernels/sort.h"
#include "tests/backends/cuda/staged_cuda.h"

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
void aggregate(test::StagedCuda& context, CsrView graph, MatrixView<const T> weights,
               MatrixView<const T> features, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return aggregate<T>(cuda, there...); }, graph,
                     weights, features, out);
}

template <class T>
void aggregate_backward_features(test::StagedCuda& context, const GraphView& graph,
                                 MatrixView<const T> weights, MatrixView<const T> grad_out,
                                 MatrixView<T> grad_features, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return aggregate_backward_features<T>(cuda, there...); },
      graph, weights, grad_out, grad_features, accumulate);
}

template <class T>
void aggregate_backward_weights(test::StagedCuda& context, CsrView graph,
                                MatrixView<const T> features, MatrixView<const T> grad_out,
                                MatrixView<T> grad_weights, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return aggregate_backward_weights<T>(cuda, there...); },
      graph, features, grad_out, grad_weights, accumulate);
}

template <class T>
void neighbour_mean(test::StagedCuda& context, CsrView graph, MatrixView<const T> features,
                    MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return neighbour_mean<T>(cuda, there...); },
                     graph, features, out);
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

template <class T>
void edge_dropout(test::StagedCuda& context, const GraphView& graph, RandomKey key,
                  double probability, MatrixView<const T> x, MatrixView<T> out,
                  Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return edge_dropout<T>(cuda, there...); },
                     graph, key, probability, x, out, accumulate);
}

template <class T>
void edge_scores(test::StagedCuda& context, CsrView graph, MatrixView<const T> source_scores,
                 MatrixView<const T> destination_scores, T leaky_slope, MatrixView<T> scores) {
  return context.run([](auto& cuda, auto... there) { return edge_scores<T>(cuda, there...); },
                     graph, source_scores, destination_scores, leaky_slope, scores);
}

template <class T>
void edge_scores_backward(test::StagedCuda& context, const GraphView& graph,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          T leaky_slope, MatrixView<const T> grad_scores,
                          MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                          Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return edge_scores_backward<T>(cuda, there...); }, graph,
      source_scores, destination_scores, leaky_slope, grad_scores, grad_source_scores,
      grad_destination_scores, accumulate);
}

template <class T>
void edge_softmax(test::StagedCuda& context, CsrView graph, MatrixView<const T> scores,
                  MatrixView<T> weights) {
  return context.run([](auto& cuda, auto... there) { return edge_softmax<T>(cuda, there...); },
                     graph, scores, weights);
}

template <class T>
void edge_softmax_backward(test::StagedCuda& context, CsrView graph, MatrixView<const T> weights,
                           MatrixView<const T> grad_weights, MatrixView<T> grad_scores,
                           Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return edge_softmax_backward<T>(cuda, there...); }, graph,
      weights, grad_weights, grad_scores, accumulate);
}

template <class T>
void fill(test::StagedCuda& context, T value, Span<T> out) {
  return context.run([](auto& cuda, auto... there) { return fill<T>(cuda, there...); }, value, out);
}

// Options show memory too.
inline AttentionOptions staged_options(AttentionOptions options, Span<const std::int32_t> silent) {
  options.silent = silent;
  return options;
}

template <class T>
void gat_attention(test::StagedCuda& context, const GraphView& graph,
                   const AttentionOptions& options, MatrixView<const T> projected,
                   MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                   Span<const T> bias, MatrixView<T> log_sums, MatrixView<T> out) {
  return context.run(
      [&](CudaContext& cuda, auto silent, GraphView there, auto... more) {
        gat_attention<T>(cuda, there, staged_options(options, silent), more...);
      },
      options.silent, graph, projected, source_scores, destination_scores, bias, log_sums, out);
}

template <class T>
void gat_attention_backward(test::StagedCuda& context, const GraphView& graph,
                            const AttentionOptions& options, MatrixView<const T> projected,
                            MatrixView<const T> source_scores,
                            MatrixView<const T> destination_scores, Span<const T> bias,
                            MatrixView<const T> log_sums, MatrixView<const T> out,
                            MatrixView<const T> grad_out, MatrixView<T> grad_projected,
                            MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                            Span<T> grad_bias, Accumulate accumulate_bias) {
  return context.run(
      [&](CudaContext& cuda, auto silent, GraphView there, auto... more) {
        gat_attention_backward<T>(cuda, there, staged_options(options, silent), more...);
      },
      options.silent, graph, projected, source_scores, destination_scores, bias, log_sums, out,
      grad_out, grad_projected, grad_source_scores, grad_destination_scores, grad_bias,
      accumulate_bias);
}

template <class T>
void gat_features(test::StagedCuda& context, const GraphView& graph,
                  const AttentionOptions& options, MatrixView<const T> features,
                  MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                  MatrixView<T> log_sums, MatrixView<T> out) {
  return context.run(
      [&](CudaContext& cuda, auto silent, GraphView there, auto... more) {
        gat_features<T>(cuda, there, staged_options(options, silent), more...);
      },
      options.silent, graph, features, source_scores, destination_scores, log_sums, out);
}

template <class T>
void gat_features_backward(test::StagedCuda& context, const GraphView& graph,
                           const AttentionOptions& options, MatrixView<const T> features,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                           MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                           MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                           Span<T> grad_token, Accumulate accumulate_token) {
  return context.run(
      [&](CudaContext& cuda, auto silent, auto rows, auto factors, GraphView there, auto x,
          auto source, auto destination, auto logs, auto sums, auto... more) {
        gat_features_backward<T>(cuda, there, staged_options(options, silent), x, source,
                                 destination, logs, sums, TokenFactors<T>{rows, factors}, more...);
      },
      options.silent, tokens.rows, tokens.factors, graph, features, source_scores,
      destination_scores, log_sums, grad_out, grad_source_scores, grad_destination_scores,
      grad_token, accumulate_token);
}

template <class T>
void gemm(test::StagedCuda& context, Layout layout_a, Layout layout_b, T alpha,
          MatrixView<const T> a, MatrixView<const T> b, T beta, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return gemm<T>(cuda, there...); }, layout_a,
                     layout_b, alpha, a, b, beta, out);
}

template <class T>
void gemm_of_rows(test::StagedCuda& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return gemm_of_rows<T>(cuda, there...); },
                     rows, a, b, beta, out);
}

template <class T>
void sum_heads(test::StagedCuda& context, MatrixView<const T> x, MatrixView<T> out) {
  return context.run([](auto& cuda, auto... there) { return sum_heads<T>(cuda, there...); }, x,
                     out);
}

template <class T>
void sum_heads_backward(test::StagedCuda& context, MatrixView<const T> grad_out,
                        MatrixView<T> grad_x, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return sum_heads_backward<T>(cuda, there...); }, grad_out,
      grad_x, accumulate);
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
void node_scores(test::StagedCuda& context, MatrixView<const T> projected,
                 MatrixView<const T> attention_source, MatrixView<const T> attention_destination,
                 MatrixView<T> source_scores, MatrixView<T> destination_scores) {
  return context.run([](auto& cuda, auto... there) { return node_scores<T>(cuda, there...); },
                     projected, attention_source, attention_destination, source_scores,
                     destination_scores);
}

template <class T>
void node_scores_backward(test::StagedCuda& context, MatrixView<const T> projected,
                          MatrixView<const T> attention_source,
                          MatrixView<const T> attention_destination,
                          MatrixView<const T> grad_source_scores,
                          MatrixView<const T> grad_destination_scores, MatrixView<T> grad_projected,
                          Accumulate accumulate_projected, MatrixView<T> grad_attention_source,
                          MatrixView<T> grad_attention_destination,
                          Accumulate accumulate_attention) {
  return context.run(
      [](auto& cuda, auto... there) { return node_scores_backward<T>(cuda, there...); }, projected,
      attention_source, attention_destination, grad_source_scores, grad_destination_scores,
      grad_projected, accumulate_projected, grad_attention_source, grad_attention_destination,
      accumulate_attention);
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
void project_heads(test::StagedCuda& context, std::int64_t heads, MatrixView<const T> x,
                   MatrixView<const T> weight, Span<const T> bias, MatrixView<T> out,
                   Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return project_heads<T>(cuda, there...); },
                     heads, x, weight, bias, out, accumulate);
}

template <class T>
void project_heads_backward_x(test::StagedCuda& context, std::int64_t heads,
                              MatrixView<const T> grad_out, MatrixView<const T> weight,
                              MatrixView<T> grad_x) {
  return context.run(
      [](auto& cuda, auto... there) { return project_heads_backward_x<T>(cuda, there...); }, heads,
      grad_out, weight, grad_x);
}

template <class T>
void project_heads_backward_weight(test::StagedCuda& context, std::int64_t heads,
                                   MatrixView<const T> grad_out, MatrixView<const T> x,
                                   MatrixView<T> grad_weight, Accumulate accumulate) {
  return context.run(
      [](auto& cuda, auto... there) { return project_heads_backward_weight<T>(cuda, there...); },
      heads, grad_out, x, grad_weight, accumulate);
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

template <class T>
void copy_block(test::StagedCuda& context, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate) {
  return context.run([](auto& cuda, auto... there) { return copy_block<T>(cuda, there...); },
                     layout, factor, factors, from, to, accumulate);
}

template <class T>
void add_to_diagonals(test::StagedCuda& context, Span<const T> amounts, BatchView<T> x) {
  return context.run([](auto& cuda, auto... there) { return add_to_diagonals<T>(cuda, there...); },
                     amounts, x);
}

template <class T>
void traces(test::StagedCuda& context, BatchView<const T> x, Span<T> values) {
  return context.run([](auto& cuda, auto... there) { return traces<T>(cuda, there...); }, x,
                     values);
}

template <class T>
void make_finite(test::StagedCuda& context, T infinity, Span<T> x) {
  return context.run([](auto& cuda, auto... there) { return make_finite<T>(cuda, there...); },
                     infinity, x);
}

template <class T>
void unit_rows(test::StagedCuda& context, BatchView<T> map, BatchView<T> seen) {
  return context.run([](auto& cuda, auto... there) { return unit_rows<T>(cuda, there...); }, map,
                     seen);
}

template <class T>
void multiply(test::StagedCuda& context, Layout layout_a, Layout layout_b, T alpha,
              BatchView<const T> a, BatchView<const T> b, T beta, BatchView<T> out) {
  return context.run([](auto& cuda, auto... there) { return multiply<T>(cuda, there...); },
                     layout_a, layout_b, alpha, a, b, beta, out);
}

template <class T>
void solve_symmetric(test::StagedCuda& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution) {
  return context.run([](auto& cuda, auto... there) { return solve_symmetric<T>(cuda, there...); },
                     a, right_side, solution);
}

template <class T>
void pseudo_inverses(test::StagedCuda& context, BatchView<const T> a, BatchView<T> out) {
  return context.run([](auto& cuda, auto... there) { return pseudo_inverses<T>(cuda, there...); },
                     a, out);
}

template <class T>
void largest_eigenvalues(test::StagedCuda& context, BatchView<const T> a, Span<T> values) {
  return context.run(
      [](auto& cuda, auto... there) { return largest_eigenvalues<T>(cuda, there...); }, a, values);
}

template <class T>
void sweep_cells(test::StagedCuda& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts) {
  return context.run(
      [](auto& cuda, const auto&... there) { return sweep_cells<T>(cuda, there...); }, data, parts);
}

inline void view_weights(test::StagedCuda& context, Span<const double> lambda2,
                         MatrixView<const double> norms, MatrixView<double> weights) {
  return context.run([](auto& cuda, auto... there) { return view_weights(cuda, there...); },
                     lambda2, norms, weights);
}

inline void centre_systems(test::StagedCuda& context, Span<const double> alphas,
                           Span<const double> lambda3, MatrixView<const std::int64_t> counts,
                           BatchView<double> gram) {
  return context.run([](auto& cuda, auto... there) { return centre_systems(cuda, there...); },
                     alphas, lambda3, counts, gram);
}

inline void half_distances(test::StagedCuda& context, MatrixView<const std::int64_t> counts,
                           BatchView<const double> centres, BatchView<const double> cross,
                           BatchView<double> out) {
  return context.run([](auto& cuda, auto... there) { return half_distances(cuda, there...); },
                     counts, centres, cross, out);
}

inline void add_centre_squares(test::StagedCuda& context, Span<const double> alphas,
                               BatchView<const double> centres, BatchView<double> table) {
  return context.run([](auto& cuda, auto... there) { return add_centre_squares(cuda, there...); },
                     alphas, centres, table);
}

inline void put_counts(test::StagedCuda& context, MatrixView<const std::int64_t> counts,
                       BatchView<double> gram) {
  return context.run([](auto& cuda, auto... there) { return put_counts(cuda, there...); }, counts,
                     gram);
}

}  // namespace m2st::kernels

namespace m2st::test {

using Backend = StagedCuda;

}  // namespace m2st::test
