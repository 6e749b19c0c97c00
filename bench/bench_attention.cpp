// Graph attention in float. Arguments: nodes, degree, heads, features per head, dropout in percent.
// The sizes are the layers of the published networks on a breast section (3798 cells, 200
// components), one layer of a Slide-seq section, and narrow ones of larger tissues.
#include <utility>

#include "bench/support.h"
#include "kernels/aggregate.h"
#include "kernels/dropout.h"
#include "kernels/edge_scores.h"
#include "kernels/edge_softmax.h"
#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "kernels/node_scores.h"

namespace m2st::bench {
namespace {

using kernels::Accumulate;

struct Layer {
  explicit Layer(const benchmark::State& state)
      : nodes(state.range(0)),
        degree(state.range(1)),
        heads(state.range(2)),
        width(state.range(3)),
        row(heads * width) {
    options.dropout = static_cast<double>(state.range(4)) / 100.0;
  }
  Matrix<float> random(std::int64_t rows, std::int64_t cols) {
    return random_matrix<float>(context, rows, cols, ++stream);
  }
  void forward() {
    kernels::gat_attention<float>(context, graph.view(), options, projected.view(), source.view(),
                                  destination.view(), std::as_const(bias).span(), log_sums.view(),
                                  out.view());
  }

  std::int64_t nodes, degree, heads, width, row;
  LatticeGraph graph = lattice_graph(nodes, degree);
  CpuContext context;
  std::uint32_t stream = 0;
  kernels::AttentionOptions options;
  Matrix<float> projected = random(nodes, row), grad_out = random(nodes, row);
  Matrix<float> source = random(nodes, heads), destination = random(nodes, heads);
  Matrix<float> attention = random(heads, width), bias = random(heads, width);
  Matrix<float> weights = random(graph.edges(), heads), scores = random(graph.edges(), heads);
  Matrix<float> out = random(nodes, row), grad_projected = random(nodes, row);
  Matrix<float> log_sums = random(nodes, heads);
  Matrix<float> grad_source = random(nodes, heads), grad_destination = random(nodes, heads);
  Matrix<float> grad_attention = random(heads, width), grad_bias = random(heads, width);
};

void gat_attention(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) layer.forward();
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered);
}

void gat_attention_cold(benchmark::State& state) {
  Layer layer(state);
  run_cold(state, layer.context, [&] { layer.forward(); });
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered);
}

void gat_attention_backward(benchmark::State& state) {
  Layer layer(state);
  layer.forward();
  for (auto _ : state) {
    kernels::gat_attention_backward<float>(
        layer.context, layer.graph.view(), layer.options, layer.projected.view(),
        layer.source.view(), layer.destination.view(), std::as_const(layer.bias).span(),
        layer.log_sums.view(), layer.out.view(), layer.grad_out.view(), layer.grad_projected.view(),
        layer.grad_source.view(), layer.grad_destination.view(), layer.grad_bias.span(),
        Accumulate::kOverwrite);
  }
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + 4.0 * layer.out.size()), 4 * gathered);
}

// Features as wide as one head, gathered before they are projected; every other row is a token's.
struct FeatureLayer : Layer {
  explicit FeatureLayer(const benchmark::State& state) : Layer(state) {
    for (std::int64_t n = 0; n < nodes; n += 2) tokens.push_back(static_cast<std::int32_t>(n));
    factors = random(std::ssize(tokens), width);
  }
  void sum() {
    kernels::gat_features<float>(context, graph.view(), options, features.view(), source.view(),
                                 destination.view(), log_sums.view(), out.view());
  }

  Matrix<float> features = random(nodes, width), factors;
  Matrix<float> grad_token = random(1, width);
  std::vector<std::int32_t> tokens;
};

void gat_features(benchmark::State& state) {
  FeatureLayer layer(state);
  for (auto _ : state) layer.sum();
  const double gathered = double(layer.graph.edges()) * layer.width;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered * layer.heads);
}

void gat_features_backward(benchmark::State& state) {
  FeatureLayer layer(state);
  layer.sum();
  for (auto _ : state) {
    kernels::gat_features_backward<float>(
        layer.context, layer.graph.view(), layer.options, layer.features.view(),
        layer.source.view(), layer.destination.view(), layer.log_sums.view(), layer.grad_out.view(),
        {layer.tokens, std::as_const(layer.factors).view()}, layer.grad_source.view(),
        layer.grad_destination.view(), layer.grad_token.span(), Accumulate::kOverwrite);
  }
  const double gathered = double(layer.graph.edges()) * layer.width;
  report(state, 4 * (1.5 * gathered + layer.out.size()), 3 * gathered * layer.heads);
}

void node_scores(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::node_scores<float>(layer.context, layer.projected.view(), layer.attention.view(),
                                layer.attention.view(), layer.grad_source.view(),
                                layer.grad_destination.view());
  }
  report(state, 4.0 * layer.projected.size(), 4.0 * layer.projected.size());
}

void node_scores_backward(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::node_scores_backward<float>(
        layer.context, layer.projected.view(), layer.attention.view(), layer.attention.view(),
        layer.source.view(), layer.destination.view(), layer.grad_projected.view(),
        Accumulate::kAdd, layer.grad_attention.view(), layer.grad_bias.view(),
        Accumulate::kOverwrite);
  }
  report(state, 12.0 * layer.projected.size(), 8.0 * layer.projected.size());
}

void edge_scores(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::edge_scores<float>(layer.context, layer.graph.view().in, layer.source.view(),
                                layer.destination.view(), 0.2F, layer.weights.view());
  }
  report(state, 8.0 * layer.weights.size(), 2.0 * layer.weights.size());
}

void edge_softmax(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::edge_softmax<float>(layer.context, layer.graph.view().in, layer.scores.view(),
                                 layer.weights.view());
  }
  report(state, 8.0 * layer.weights.size(), 20.0 * layer.weights.size());
}

void aggregate(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::aggregate<float>(layer.context, layer.graph.view().in, layer.weights.view(),
                              layer.projected.view(), layer.out.view());
  }
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered);
}

void edge_dropout(benchmark::State& state) {
  Layer layer(state);
  const RandomKey key{1, stream_of(Purpose::kTest, 0), 0};
  for (auto _ : state) {
    kernels::edge_dropout<float>(layer.context, layer.graph.view(), key, 0.1, layer.weights.view(),
                                 layer.scores.view(), Accumulate::kOverwrite);
  }
  report(state, 8.0 * layer.weights.size(), layer.weights.size());
}

void neighbour_mean(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::neighbour_mean<float>(layer.context, layer.graph.view().in, layer.projected.view(),
                                   layer.out.view());
  }
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), gathered);
}

void edge_scores_backward(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::edge_scores_backward<float>(layer.context, layer.graph.view(), layer.source.view(),
                                         layer.destination.view(), 0.2F, layer.weights.view(),
                                         layer.grad_source.view(), layer.grad_destination.view(),
                                         Accumulate::kOverwrite);
  }
  report(state, 12.0 * layer.weights.size(), 4.0 * layer.weights.size());
}

void edge_softmax_backward(benchmark::State& state) {
  Layer layer(state);
  Matrix<float> grad_scores = layer.random(layer.graph.edges(), layer.heads);
  for (auto _ : state) {
    kernels::edge_softmax_backward<float>(layer.context, layer.graph.view().in,
                                          layer.weights.view(), layer.scores.view(),
                                          grad_scores.view(), Accumulate::kOverwrite);
  }
  report(state, 12.0 * layer.weights.size(), 5.0 * layer.weights.size());
}

void aggregate_backward_features(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::aggregate_backward_features<float>(
        layer.context, layer.graph.view(), layer.weights.view(), layer.grad_out.view(),
        layer.grad_projected.view(), Accumulate::kOverwrite);
  }
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered);
}

void aggregate_backward_weights(benchmark::State& state) {
  Layer layer(state);
  for (auto _ : state) {
    kernels::aggregate_backward_weights<float>(layer.context, layer.graph.view().in,
                                               layer.projected.view(), layer.grad_out.view(),
                                               layer.scores.view(), Accumulate::kOverwrite);
  }
  const double gathered = double(layer.graph.edges()) * layer.row;
  report(state, 4 * (gathered + layer.out.size()), 2 * gathered);
}

void layers(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "degree", "heads", "width", "dropout"})->UseRealTime();
  family->Args({3798, 7, 4, 200, 10})->Args({3798, 7, 4, 64, 10})->Args({3798, 7, 4, 32, 10});
  family->Args({3798, 7, 1, 200, 10})->Args({3798, 7, 4, 64, 0})->Args({3798, 21, 4, 64, 10});
  family->Args({41786, 7, 4, 64, 10});
}

void large_layers(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "degree", "heads", "width", "dropout"})->UseRealTime();
  family->Args({100000, 21, 4, 32, 10})->Args({1000000, 7, 4, 8, 10});
}
BENCHMARK(gat_attention)->Apply(layers)->Apply(large_layers);
BENCHMARK(gat_attention_cold)
    ->ArgNames({"nodes", "degree", "heads", "width", "dropout"})
    ->Args({3798, 7, 4, 64, 10})
    ->UseManualTime();
BENCHMARK(gat_attention_backward)->Apply(layers)->Apply(large_layers);
BENCHMARK(gat_features)->Apply(layers);
BENCHMARK(gat_features_backward)->Apply(layers);
BENCHMARK(node_scores)->Apply(layers);
BENCHMARK(node_scores_backward)->Apply(layers);
BENCHMARK(edge_scores)->Apply(layers);
BENCHMARK(edge_scores_backward)->Apply(layers);
BENCHMARK(edge_softmax)->Apply(layers);
BENCHMARK(edge_softmax_backward)->Apply(layers);
BENCHMARK(edge_dropout)->Apply(layers);
BENCHMARK(neighbour_mean)->Apply(layers);
BENCHMARK(aggregate)->Apply(layers)->Apply(large_layers);
BENCHMARK(aggregate_backward_features)->Apply(layers);
BENCHMARK(aggregate_backward_weights)->Apply(layers);

}  // namespace
}  // namespace m2st::bench
