// Ops on the graph: the attention of a GAT layer, fused and as its composition (eq. 2 to 4).
#include "autograd/ops.h"
#include "kernels/aggregate.h"
#include "kernels/dropout.h"
#include "kernels/edge_scores.h"
#include "kernels/edge_softmax.h"
#include "kernels/node_scores.h"

namespace m2st::autograd {

template <class T>
NodeScores<T> node_scores(Tape<T>& tape, const Variable<T>& projected,
                          const Variable<T>& attention_source,
                          const Variable<T>& attention_destination) {
  const std::int64_t heads = attention_source.rows();
  M2ST_CHECK(attention_source.cols() * heads == projected.cols(), "node_scores: ", heads,
             " heads of ", attention_source.cols(), " features, projected has ", projected.cols());
  const NodeScores<T> out{tape.result(projected.rows(), heads, projected, attention_source),
                          tape.result(projected.rows(), heads, projected, attention_destination)};
  tape.context().dispatch([&](auto& c) {
    kernels::node_scores<T>(c, projected.value(), attention_source.value(),
                            attention_destination.value(), out.source.result(),
                            out.destination.result());
  });
  tape.record(out.source,
              [&context = tape.context(), projected, attention_source, attention_destination, out] {
                context.dispatch([&](auto& c) {
                  const auto target = projected.gradient_target(c.pool());
                  const auto source = attention_source.gradient_target(c.pool());
                  const auto destination = attention_destination.gradient_target(c.pool());
                  M2ST_CHECK(source.accumulate == destination.accumulate,
                             "node_scores: its attention vectors are used apart from each other");
                  kernels::node_scores_backward<T>(
                      c, projected.value(), attention_source.value(), attention_destination.value(),
                      out.source.gradient(), out.destination.gradient(), target.view,
                      target.accumulate, source.view, destination.view, source.accumulate);
                });
              });
  return out;
}

template <class T>
Variable<T> gat_attention(Tape<T>& tape, const GraphView& graph,
                          const kernels::AttentionOptions& options, const Variable<T>& projected,
                          const NodeScores<T>& scores, const Variable<T>& bias) {
  M2ST_CHECK(projected.rows() == graph.nodes(), "gat_attention: projected has ", projected.rows(),
             " rows, the graph ", graph.nodes(), " nodes");
  const Variable<T> out = tape.result(projected.rows(), projected.cols(), projected, bias);
  // Kept for the backward like a value, but not part of any gradient.
  const Variable<T> log_sums(Matrix<T>(tape.pool(), projected.rows(), scores.source.cols()), false);
  const auto bias_values = [](const Variable<T>& variable) {
    return variable.defined() ? variable.value().span() : Span<const T>();
  };
  tape.context().dispatch([&](auto& c) {
    kernels::gat_attention<T>(c, graph, options, projected.value(), scores.source.value(),
                              scores.destination.value(), bias_values(bias), log_sums.result(),
                              out.result());
  });
  tape.record(out, [&context = tape.context(), graph, options, projected, scores, bias, log_sums,
                    out, bias_values] {
    context.dispatch([&](auto& c) {
      const auto target = projected.gradient_target(c.pool());
      const auto source = scores.source.gradient_target(c.pool());
      const auto destination = scores.destination.gradient_target(c.pool());
      M2ST_CHECK(target.accumulate == Accumulate::kOverwrite &&
                     source.accumulate == Accumulate::kOverwrite &&
                     destination.accumulate == Accumulate::kOverwrite,
                 "gat_attention: its inputs have users recorded after it");
      GradientTarget<T> grad_bias;
      if (bias.needs_gradient()) grad_bias = bias.gradient_target(c.pool());
      kernels::gat_attention_backward<T>(
          c, graph, options, projected.value(), scores.source.value(), scores.destination.value(),
          bias_values(bias), log_sums.value(), out.value(), out.gradient(), target.view,
          source.view, destination.view, grad_bias.view.span(), grad_bias.accumulate);
    });
  });
  return out;
}

template <class T>
Variable<T> gat_attention_composed(Tape<T>& tape, const GraphView& graph,
                                   const kernels::AttentionOptions& options,
                                   const Variable<T>& projected, const NodeScores<T>& scores,
                                   const Variable<T>& bias) {
  const Variable<T> logits = edge_scores(tape, graph, scores, options.leaky_slope);
  const Variable<T> weights = edge_softmax(tape, graph, logits);
  const Variable<T> kept = edge_dropout(tape, graph, options.key, options.dropout, weights);
  const Variable<T> out = aggregate(tape, graph, kept, projected);
  return bias.defined() ? add_row_in_place(tape, out, bias) : out;
}

template <class T>
Variable<T> edge_scores(Tape<T>& tape, const GraphView& graph, const NodeScores<T>& scores,
                        double leaky_slope) {
  const Variable<T>& source = scores.source;
  const Variable<T>& destination = scores.destination;
  const T slope = static_cast<T>(leaky_slope);
  const Variable<T> out = tape.result(graph.edges(), source.cols(), source, destination);
  tape.context().dispatch([&](auto& c) {
    kernels::edge_scores<T>(c, graph.in, source.value(), destination.value(), slope, out.result());
  });
  tape.record(out, [&context = tape.context(), graph, source, destination, slope, out] {
    context.dispatch([&](auto& c) {
      const auto target_source = source.gradient_target(c.pool());
      const auto target_destination = destination.gradient_target(c.pool());
      M2ST_CHECK(target_source.accumulate == target_destination.accumulate,
                 "edge_scores: its node scores are used apart from each other");
      kernels::edge_scores_backward<T>(c, graph, source.value(), destination.value(), slope,
                                       out.gradient(), target_source.view, target_destination.view,
                                       target_source.accumulate);
    });
  });
  return out;
}

template <class T>
Variable<T> edge_softmax(Tape<T>& tape, const GraphView& graph, const Variable<T>& scores) {
  const Variable<T> out = tape.result(scores.rows(), scores.cols(), scores);
  tape.context().dispatch(
      [&](auto& c) { kernels::edge_softmax<T>(c, graph.in, scores.value(), out.result()); });
  tape.record(out, [&context = tape.context(), graph, scores, out] {
    context.dispatch([&](auto& c) {
      const auto target = scores.gradient_target(c.pool());
      kernels::edge_softmax_backward<T>(c, graph.in, out.value(), out.gradient(), target.view,
                                        target.accumulate);
    });
  });
  return out;
}

template <class T>
Variable<T> edge_dropout(Tape<T>& tape, const GraphView& graph, RandomKey key, double probability,
                         const Variable<T>& x) {
  if (probability == 0) return x;
  const Variable<T> out = tape.result(x.rows(), x.cols(), x);
  tape.context().dispatch([&](auto& c) {
    kernels::edge_dropout<T>(c, graph, key, probability, x.value(), out.result(),
                             Accumulate::kOverwrite);
  });
  tape.record(out, [&context = tape.context(), graph, key, probability, x, out] {
    context.dispatch([&](auto& c) {
      const auto target = x.gradient_target(c.pool());
      kernels::edge_dropout<T>(c, graph, key, probability, out.gradient(), target.view,
                               target.accumulate);
    });
  });
  return out;
}

template <class T>
Variable<T> aggregate(Tape<T>& tape, const GraphView& graph, const Variable<T>& weights,
                      const Variable<T>& features) {
  const Variable<T> out = tape.result(features.rows(), features.cols(), weights, features);
  tape.context().dispatch([&](auto& c) {
    kernels::aggregate<T>(c, graph.in, weights.value(), features.value(), out.result());
  });
  tape.record(out, [&context = tape.context(), graph, weights, features, out] {
    context.dispatch([&](auto& c) {
      if (features.needs_gradient()) {
        const auto target = features.gradient_target(c.pool());
        kernels::aggregate_backward_features<T>(c, graph, weights.value(), out.gradient(),
                                                target.view, target.accumulate);
      }
      if (weights.needs_gradient()) {
        const auto target = weights.gradient_target(c.pool());
        kernels::aggregate_backward_weights<T>(c, graph.in, features.value(), out.gradient(),
                                               target.view, target.accumulate);
      }
    });
  });
  return out;
}

#define INSTANTIATE(T)                                                                           \
  template NodeScores<T> node_scores<T>(Tape<T>&, const Variable<T>&, const Variable<T>&,        \
                                        const Variable<T>&);                                     \
  template Variable<T> gat_attention<T>(Tape<T>&, const GraphView&,                              \
                                        const kernels::AttentionOptions&, const Variable<T>&,    \
                                        const NodeScores<T>&, const Variable<T>&);               \
  template Variable<T> gat_attention_composed<T>(                                                \
      Tape<T>&, const GraphView&, const kernels::AttentionOptions&, const Variable<T>&,          \
      const NodeScores<T>&, const Variable<T>&);                                                 \
  template Variable<T> edge_scores<T>(Tape<T>&, const GraphView&, const NodeScores<T>&, double); \
  template Variable<T> edge_softmax<T>(Tape<T>&, const GraphView&, const Variable<T>&);          \
  template Variable<T> edge_dropout<T>(Tape<T>&, const GraphView&, RandomKey, double,            \
                                       const Variable<T>&);                                      \
  template Variable<T> aggregate<T>(Tape<T>&, const GraphView&, const Variable<T>&,              \
                                    const Variable<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::autograd
