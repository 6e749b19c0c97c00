// Graph attention written as the formulas read: no blocks, no threads, no fusion. Templated on the
// scalar, so that std::complex<double> gives derivatives by the complex step; shares nothing with
// the kernels. Arrays are row-major: nodes (N, H·F), scores (N, H), edges (E, H).
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "engine/view.h"

namespace m2st::reference {

inline double real_part(double x) { return x; }
inline double real_part(const std::complex<double>& x) { return x.real(); }

template <class S>
using Values = std::vector<S>;

struct Heads {
  std::int64_t count;
  std::int64_t width;  // features per head
  std::int64_t row() const { return count * width; }
};

// Calls body(edge, source, destination) for every edge.
template <class Body>
void for_each_edge(const CsrView& graph, Body&& body) {
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      body(e, static_cast<std::int64_t>(graph.sources[e]), i);
    }
  }
}

// score[n,h] = Σ_f attention[h,f] · projected[n,h,f].
template <class S>
Values<S> node_scores(Heads heads, const Values<S>& projected, const Values<S>& attention) {
  Values<S> scores(projected.size() / heads.width);
  for (std::size_t k = 0; k < projected.size(); ++k) {
    scores[k / heads.width] += attention[k % heads.row()] * projected[k];
  }
  return scores;
}

template <class S>
struct NodeScoresGradient {
  Values<S> projected, attention;
};

template <class S>
NodeScoresGradient<S> node_scores_vjp(Heads heads, const Values<S>& projected,
                                      const Values<S>& attention, const Values<S>& grad_scores) {
  NodeScoresGradient<S> grad{Values<S>(projected.size()), Values<S>(attention.size())};
  for (std::size_t k = 0; k < projected.size(); ++k) {
    grad.projected[k] = grad_scores[k / heads.width] * attention[k % heads.row()];
    grad.attention[k % heads.row()] += grad_scores[k / heads.width] * projected[k];
  }
  return grad;
}

// score[e,h] = LeakyReLU(source[j,h] + destination[i,h]).
template <class S>
Values<S> edge_scores(const CsrView& graph, std::int64_t heads, const Values<S>& source,
                      const Values<S>& destination, double leaky_slope) {
  Values<S> scores(graph.edges() * heads);
  for_each_edge(graph, [&](std::int64_t e, std::int64_t j, std::int64_t i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const S sum = source[j * heads + h] + destination[i * heads + h];
      scores[e * heads + h] = real_part(sum) > 0 ? sum : leaky_slope * sum;
    }
  });
  return scores;
}

template <class S>
struct EdgeScoresGradient {
  Values<S> source, destination;
};

template <class S>
EdgeScoresGradient<S> edge_scores_vjp(const CsrView& graph, std::int64_t heads,
                                      const Values<S>& source, const Values<S>& destination,
                                      double leaky_slope, const Values<S>& grad_scores) {
  EdgeScoresGradient<S> grad{Values<S>(source.size()), Values<S>(destination.size())};
  for_each_edge(graph, [&](std::int64_t e, std::int64_t j, std::int64_t i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const S sum = source[j * heads + h] + destination[i * heads + h];
      const S part = grad_scores[e * heads + h] * (real_part(sum) > 0 ? 1.0 : leaky_slope);
      grad.source[j * heads + h] += part;
      grad.destination[i * heads + h] += part;
    }
  });
  return grad;
}

// weight[e,h] = exp(x[e,h]) / Σ over the edges into the same node of exp(x), by the plain formula:
// no maximum is subtracted, so arguments must be moderate.
template <class S>
Values<S> edge_softmax(const CsrView& graph, std::int64_t heads, const Values<S>& scores) {
  Values<S> sums(graph.nodes() * heads), weights(scores.size());
  for_each_edge(graph, [&](std::int64_t e, std::int64_t, std::int64_t i) {
    for (std::int64_t h = 0; h < heads; ++h) sums[i * heads + h] += exp(scores[e * heads + h]);
  });
  for_each_edge(graph, [&](std::int64_t e, std::int64_t, std::int64_t i) {
    for (std::int64_t h = 0; h < heads; ++h) {
      weights[e * heads + h] = exp(scores[e * heads + h]) / sums[i * heads + h];
    }
  });
  return weights;
}

// The Jacobian written out: ∂w_e/∂x_e' = w_e (δ_ee' − w_e') for edges into the same node.
template <class S>
Values<S> edge_softmax_vjp(const CsrView& graph, std::int64_t heads, const Values<S>& weights,
                           const Values<S>& grad_weights) {
  Values<S> grad_scores(weights.size());
  for_each_edge(graph, [&](std::int64_t e, std::int64_t, std::int64_t i) {
    for (std::int64_t other = graph.offsets[i]; other < graph.offsets[i + 1]; ++other) {
      for (std::int64_t h = 0; h < heads; ++h) {
        const double same = e == other ? 1.0 : 0.0;
        grad_scores[e * heads + h] += grad_weights[other * heads + h] * weights[other * heads + h] *
                                      (same - weights[e * heads + h]);
      }
    }
  });
  return grad_scores;
}

// out[i,h,:] = Σ_{e: j → i} weight[e,h] · features[j,h,:].
template <class S>
Values<S> aggregate(const CsrView& graph, Heads heads, const Values<S>& weights,
                    const Values<S>& features) {
  Values<S> out(graph.nodes() * heads.row());
  for_each_edge(graph, [&](std::int64_t e, std::int64_t j, std::int64_t i) {
    for (std::int64_t k = 0; k < heads.row(); ++k) {
      out[i * heads.row() + k] +=
          weights[e * heads.count + k / heads.width] * features[j * heads.row() + k];
    }
  });
  return out;
}

template <class S>
struct AggregateGradient {
  Values<S> weights, features;
};

template <class S>
AggregateGradient<S> aggregate_vjp(const CsrView& graph, Heads heads, const Values<S>& weights,
                                   const Values<S>& features, const Values<S>& grad_out) {
  AggregateGradient<S> grad{Values<S>(weights.size()), Values<S>(features.size())};
  for_each_edge(graph, [&](std::int64_t e, std::int64_t j, std::int64_t i) {
    for (std::int64_t k = 0; k < heads.row(); ++k) {
      const std::int64_t weight = e * heads.count + k / heads.width;
      const S gradient = grad_out[i * heads.row() + k];
      grad.weights[weight] += gradient * features[j * heads.row() + k];
      grad.features[j * heads.row() + k] += gradient * weights[weight];
    }
  });
  return grad;
}

template <class S>
Values<S> neighbour_mean(const CsrView& graph, std::int64_t width, const Values<S>& features) {
  Values<S> weights(graph.edges());
  for_each_edge(graph, [&](std::int64_t e, std::int64_t, std::int64_t i) {
    weights[e] = 1.0 / static_cast<double>(graph.offsets[i + 1] - graph.offsets[i]);
  });
  return aggregate(graph, {1, width}, weights, features);
}

// One GAT layer after its projection: logits, softmax, dropout by given factors (E, H), sum, bias.
template <class S>
struct AttentionInputs {
  Values<S> projected, source_scores, destination_scores, bias;
  std::vector<double> factors;  // 0 or 1 / (1 − p)
  double leaky_slope = 0.2;
};

template <class S>
Values<S> multiplied(const Values<S>& x, const std::vector<double>& factors) {
  Values<S> product(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) product[k] = x[k] * factors[k];
  return product;
}

template <class S>
Values<S> gat_attention(const CsrView& graph, Heads heads, const AttentionInputs<S>& in) {
  const Values<S> logits =
      edge_scores(graph, heads.count, in.source_scores, in.destination_scores, in.leaky_slope);
  const Values<S> weights = edge_softmax(graph, heads.count, logits);
  Values<S> out = aggregate(graph, heads, multiplied(weights, in.factors), in.projected);
  for (std::size_t k = 0; k < out.size() && !in.bias.empty(); ++k) {
    out[k] += in.bias[k % heads.row()];
  }
  return out;
}

// Gradients by the composition's chain rule; the field `factors` stays empty.
template <class S>
AttentionInputs<S> gat_attention_vjp(const CsrView& graph, Heads heads,
                                     const AttentionInputs<S>& in, const Values<S>& grad_out) {
  const Values<S> logits =
      edge_scores(graph, heads.count, in.source_scores, in.destination_scores, in.leaky_slope);
  const Values<S> weights = edge_softmax(graph, heads.count, logits);
  const AggregateGradient<S> sum =
      aggregate_vjp(graph, heads, multiplied(weights, in.factors), in.projected, grad_out);
  const Values<S> grad_logits =
      edge_softmax_vjp(graph, heads.count, weights, multiplied(sum.weights, in.factors));
  EdgeScoresGradient<S> scores = edge_scores_vjp(
      graph, heads.count, in.source_scores, in.destination_scores, in.leaky_slope, grad_logits);
  AttentionInputs<S> grad{sum.features, scores.source, scores.destination, {}, {}, 0};
  grad.bias.assign(in.bias.size(), S(0));
  for (std::size_t k = 0; k < grad_out.size() && !in.bias.empty(); ++k) {
    grad.bias[k % heads.row()] += grad_out[k];
  }
  return grad;
}

}  // namespace m2st::reference
