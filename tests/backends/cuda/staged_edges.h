// The kernels on edges, and those on heads, for a StagedCuda.
#pragma once

#include "kernels/aggregate.h"
#include "kernels/dropout.h"
#include "kernels/edge_scores.h"
#include "kernels/edge_softmax.h"
#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "kernels/heads.h"
#include "kernels/node_scores.h"
#include "kernels/project_heads.h"
#include "tests/backends/cuda/staged_cuda.h"

namespace m2st::kernels {

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

}  // namespace m2st::kernels
