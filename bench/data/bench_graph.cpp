// Spatial graphs from coordinates, orders, and what training makes of a graph. Argument: cells, at
// random places (the harder case: on a lattice every strip and leaf is equally full).
#include "bench/support.h"
#include "data/graph/graph.h"
#include "data/graph/hilbert.h"
#include "data/graph/spatial_graph.h"
#include "data/simulate/simulate.h"

namespace m2st::bench {
namespace {

struct Places {
  explicit Places(const benchmark::State& state) {
    data::SimulateOptions options;
    options.cells = state.range(0);
    options.components = 1;
    options.pattern = data::PointPattern::kRandom;
    coordinates = data::simulate_tissue(context, options).coordinates;
  }

  CpuContext context;
  Matrix<double> coordinates;
};

void build(benchmark::State& state, data::GraphKind kind) {
  Places places(state);
  data::SpatialGraphOptions options;
  options.kind = kind;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        data::build_spatial_graph(places.context, places.coordinates.view(), options));
  }
}

void radius_graph(benchmark::State& state) { build(state, data::GraphKind::kRadius); }
void knn_graph(benchmark::State& state) { build(state, data::GraphKind::kKnn); }
void delaunay_graph(benchmark::State& state) { build(state, data::GraphKind::kDelaunay); }

void hilbert_order(benchmark::State& state) {
  Places places(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(data::hilbert_order(places.context, places.coordinates.view()));
  }
  report(state, 20.0 * static_cast<double>(places.coordinates.rows()), 0);
}

void training_graph(benchmark::State& state) {
  Places places(state);
  data::SpatialGraphOptions options;
  options.kind = data::GraphKind::kRadius;
  const data::SpatialGraph graph =
      data::build_spatial_graph(places.context, places.coordinates.view(), options);
  const std::vector<std::int32_t> order =
      data::hilbert_order(places.context, places.coordinates.view());
  for (auto _ : state) {
    const data::Graph looped = data::graph_with_self_loops(places.context, graph.adjacency);
    benchmark::DoNotOptimize(data::reordered(places.context, looped, order));
  }
}

void simulate(benchmark::State& state) {
  CpuContext context;
  data::SimulateOptions options;
  options.cells = state.range(0);
  for (auto _ : state) benchmark::DoNotOptimize(data::simulate_tissue(context, options));
  report(state, 4.0 * static_cast<double>(options.cells * options.components), 0);
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgName("cells")->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Arg(3798)->Arg(41786)->Arg(1000000);
}
BENCHMARK(radius_graph)->Apply(sizes);
BENCHMARK(knn_graph)->Apply(sizes);
BENCHMARK(delaunay_graph)->Apply(sizes);
BENCHMARK(hilbert_order)->Apply(sizes);
BENCHMARK(training_graph)->Apply(sizes);
BENCHMARK(simulate)->ArgName("cells")->Arg(41786)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace m2st::bench
