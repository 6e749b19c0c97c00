// Shapes and options that callers must keep, on every backend: one message whichever was called.
// Those of the fused attention are in attention_shapes.h.
#pragma once

#include <cstdint>

#include "engine/check.h"
#include "engine/view.h"
#include "kernels/accumulate.h"
#include "kernels/math/dropout.h"

namespace m2st::kernels {

template <class T>
void check_node_scores(const char* op, MatrixView<const T> projected, MatrixView<const T> attention,
                       MatrixView<const T> scores) {
  M2ST_CHECK(projected.cols == attention.size(), op, ": features are ", projected.cols,
             " wide, the attention vectors are ", attention.rows, " x ", attention.cols);
  M2ST_CHECK(scores.rows == projected.rows && scores.cols == attention.rows, op, ": scores are ",
             scores.rows, " x ", scores.cols, ", need ", projected.rows, " x ", attention.rows);
}

template <class T>
void check_loss_shapes(const char* op, MatrixView<const T> target, MatrixView<const T> output) {
  M2ST_CHECK(target.rows == output.rows && target.cols == output.cols, op, ": target is ",
             target.rows, " x ", target.cols, ", output is ", output.rows, " x ", output.cols);
}

template <class T, class Out = T>
void check_dropout_shapes(const char* op, std::int64_t rows, MatrixView<const T> x,
                          MatrixView<Out> out) {
  M2ST_CHECK(x.rows == rows, op, ": x has ", x.rows, " rows, the graph or the ids have ", rows);
  M2ST_CHECK(out.rows == x.rows && out.cols == x.cols, op, ": out is ", out.rows, " x ", out.cols,
             ", x is ", x.rows, " x ", x.cols);
}

template <class T, class Out>
void check_same_size(const char* op, Span<const T> x, Span<Out> out) {
  M2ST_CHECK(x.size() == out.size(), op, ": out has ", out.size(), " entries, x has ", x.size());
}

inline DropoutRule checked_dropout_rule(const char* op, double probability) {
  M2ST_CHECK(probability >= 0 && dropout_rule(probability).threshold < 65536, op,
             ": probability is ", probability, ", needs at least 0 and below 1");
  return dropout_rule(probability);
}

template <class T>
void check_system(const char* op, MatrixView<const T> a, MatrixView<const T> right_side,
                  MatrixView<T> solution) {
  M2ST_CHECK(a.rows == a.cols, op, ": a is not square (got ", a.rows, " x ", a.cols, ")");
  M2ST_CHECK(right_side.rows == a.rows, op, ": rows of the right side (got ", right_side.rows,
             ", need ", a.rows, ")");
  M2ST_CHECK(solution.rows == right_side.rows && solution.cols == right_side.cols, op,
             ": shape of the solution (got ", solution.rows, " x ", solution.cols, ", need ",
             right_side.rows, " x ", right_side.cols, ")");
}

template <class T>
void check_adam_step(std::int64_t step, Span<const T> gradient, Span<const T> first_moment,
                     Span<const T> second_moment, Span<const T> parameters) {
  M2ST_CHECK(step >= 1, "adam_step: step is ", step, ", counts from 1");
  M2ST_CHECK(gradient.size() == parameters.size() && first_moment.size() == parameters.size() &&
                 second_moment.size() == parameters.size(),
             "adam_step: gradient and moments have ", gradient.size(), ", ", first_moment.size(),
             " and ", second_moment.size(), " entries, there are ", parameters.size(),
             " parameters");
}

template <class T>
void check_edge_scores(CsrView graph, MatrixView<const T> source_scores,
                       MatrixView<const T> destination_scores, MatrixView<const T> scores) {
  M2ST_CHECK(source_scores.rows == graph.nodes() && destination_scores.rows == graph.nodes(),
             "edge_scores: scores of ", source_scores.rows, " sources and ",
             destination_scores.rows, " destinations, the graph has ", graph.nodes(), " nodes");
  M2ST_CHECK(scores.rows == graph.edges(), "edge_scores: room for ", scores.rows,
             " edges, the graph has ", graph.edges());
}

// Also of the backward passes, whose gradients have the shapes of what they are gradients of.
template <class T>
void check_aggregate(const char* op, std::int64_t nodes, std::int64_t edges,
                     MatrixView<const T> weights, MatrixView<const T> features,
                     MatrixView<const T> out) {
  const std::int64_t heads = weights.cols;
  M2ST_CHECK(weights.rows == edges, op, ": weights of ", weights.rows, " edges, the graph has ",
             edges);
  M2ST_CHECK(features.rows == nodes && out.rows == nodes, op, ": ", features.rows, " rows in and ",
             out.rows, " out, the graph has ", nodes, " nodes");
  M2ST_CHECK(features.cols == out.cols && heads > 0 && features.cols % heads == 0, op, ": widths ",
             features.cols, " and ", out.cols, " for ", heads, " heads");
}

// Of all three products: `inner` rows hold D features a head, `outer` rows F.
template <class T>
void check_project_heads(const char* op, std::int64_t heads, MatrixView<const T> inner,
                         MatrixView<const T> weight, MatrixView<const T> outer) {
  M2ST_CHECK(heads > 0 && weight.rows % heads == 0, op, ": ", heads, " heads of a weight of ",
             weight.rows, " rows");
  M2ST_CHECK(
      inner.rows == outer.rows && inner.cols == heads * weight.cols && outer.cols == weight.rows,
      op, ": rows are ", inner.rows, " x ", inner.cols, " and ", outer.rows, " x ", outer.cols,
      ", the weight of ", heads, " heads is ", weight.rows, " x ", weight.cols);
}

template <class T>
void check_bias_of_heads(const char* op, Span<const T> bias, MatrixView<const T> out,
                         Accumulate accumulate) {
  M2ST_CHECK(bias.empty() || (accumulate == Accumulate::kOverwrite && std::ssize(bias) == out.cols),
             op, ": a bias of ", bias.size(), " entries for ", out.cols,
             " columns, which are overwritten");
}

template <class T, class S>
void check_project(MatrixView<const T> x, Span<const double> mean, MatrixView<const double> axes,
                   MatrixView<S> scores) {
  M2ST_CHECK(axes.cols == x.cols && static_cast<std::int64_t>(mean.size()) == x.cols,
             "project: columns of axes and mean (got ", axes.cols, " and ", mean.size(), ", need ",
             x.cols, ")");
  M2ST_CHECK(scores.rows == x.rows && scores.cols == axes.rows, "project: shape of scores (got ",
             scores.rows, " x ", scores.cols, ", need ", x.rows, " x ", axes.rows, ")");
}

}  // namespace m2st::kernels
