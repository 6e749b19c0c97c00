// The sweep over cells of every clustering, in double. Arguments: cells, width, clusters.
#include "bench/support.h"
#include "kernels/assign.h"

namespace m2st::bench {
namespace {

struct Sweep {
  explicit Sweep(const benchmark::State& state)
      : cells(state.range(0)),
        width(state.range(1)),
        clusters(state.range(2)),
        x(random_matrix<double>(context, cells, width, 1)),
        centres(random_matrix<double>(context, clusters, width, 2)),
        labels(random_labels(cells, static_cast<std::uint32_t>(clusters))),
        distances(static_cast<std::size_t>(cells)) {}
  double entries() const { return static_cast<double>(x.size()); }
  double products() const { return 2 * entries() * static_cast<double>(clusters); }

  CpuContext context;
  std::int64_t cells, width, clusters;
  Matrix<double> x, centres;
  std::vector<std::int32_t> labels;
  std::vector<double> distances;
};

void assign_nearest(benchmark::State& state) {
  Sweep s(state);
  for (auto _ : state) {
    kernels::assign_nearest<double>(s.context, s.x.view(), s.centres.view(), s.labels, s.distances);
  }
  report(state, 8 * s.entries() + 12.0 * static_cast<double>(s.cells), s.products());
}

void squared_distances(benchmark::State& state) {
  Sweep s(state);
  Matrix<double> out(s.context.pool(), s.cells, s.clusters);
  for (auto _ : state) {
    kernels::squared_distances<double>(s.context, s.x.view(), s.centres.view(), out.view());
  }
  report(state, 8 * (s.entries() + static_cast<double>(out.size())), s.products());
}

void sums_by_label(benchmark::State& state) {
  Sweep s(state);
  Matrix<double> sums(s.context.pool(), s.clusters, s.width);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(s.clusters));
  for (auto _ : state) {
    kernels::sums_by_label<double>(s.context, s.x.view(), s.labels, sums.view(), counts);
  }
  report(state, 8 * s.entries() + 4.0 * static_cast<double>(s.cells), s.entries());
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "width", "clusters"})->UseRealTime();
  family->Args({3798, 20, 20})->Args({3798, 40, 20})->Args({41786, 40, 14});
  family->Args({1000000, 20, 14});
}
BENCHMARK(assign_nearest)->Apply(sizes);
BENCHMARK(squared_distances)->Apply(sizes);
BENCHMARK(sums_by_label)->Apply(sizes);

}  // namespace
}  // namespace m2st::bench
