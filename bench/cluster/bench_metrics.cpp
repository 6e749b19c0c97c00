// Scores of a labeling. Arguments: cells, and width where features matter. Labels are stripes for
// the spatial scores (as domains are) and random ones for the others, whose cost does not depend on
// them. `separations_cuda` is what a sweep scores at a time, so many labelings on a device, and
// skipped where there is none.
#include <optional>
#include <utility>

#include "bench/device.h"
#include "bench/support.h"
#include "cluster/metrics/agreement.h"
#include "cluster/metrics/separation.h"
#include "cluster/metrics/spatial.h"
#include "engine/placement.h"

namespace m2st::bench {
namespace {

constexpr std::uint32_t kDomains = 14;
constexpr std::int64_t kSample = 2000;

struct Scored {
  explicit Scored(const benchmark::State& state)
      : cells(state.range(0)), labels(random_labels(cells, kDomains)) {}
  void embed(std::int64_t width) { x = random_matrix<float>(context, cells, width, 1); }
  void place() {
    coordinates = random_matrix<double>(context, cells, 2, 2);
    for (std::int64_t i = 0; i < cells; ++i) {
      labels[static_cast<std::size_t>(i)] =
          static_cast<std::int32_t>((coordinates(i, 0) + 1) / 2 * kDomains);
    }
  }
  double entries() const { return static_cast<double>(x.size()); }

  CpuContext context;
  std::int64_t cells;
  std::vector<std::int32_t> labels;
  Matrix<float> x;
  Matrix<double> coordinates;
};

void agreement(benchmark::State& state) {
  Scored s(state);
  const std::vector<std::int32_t> truth(s.labels.rbegin(), s.labels.rend());
  for (auto _ : state) benchmark::DoNotOptimize(cluster::agreement(s.labels, truth));
  report(state, 8.0 * static_cast<double>(s.cells), 0);
}

void silhouette_squared(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::silhouette_squared(s.context, s.x.view(), s.labels));
  }
  report(state, 8 * s.entries(), 2 * s.entries() * kDomains);
}

void silhouette_exact(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::silhouette_exact(s.context, s.x.view(), s.labels));
  }
  report(state, 0, 2 * s.entries() * static_cast<double>(s.cells));
}

void silhouette_sampled(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::silhouette_sampled(s.context, s.x.view(), s.labels, kSample, 0));
  }
  report(state, 0, 2 * s.entries() * kSample);
}

void davies_bouldin(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::davies_bouldin(s.context, s.x.view(), s.labels));
  }
  report(state, 8 * s.entries(), 4 * s.entries());
}

void calinski_harabasz(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::calinski_harabasz(s.context, s.x.view(), s.labels));
  }
  report(state, 8 * s.entries(), 4 * s.entries());
}

void separation(benchmark::State& state) {
  Scored s(state);
  s.embed(state.range(1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::separation(s.context, s.x.view(), s.labels));
  }
  report(state, 8 * s.entries(), 4 * s.entries());
}

// Cells are on the device, labels on the host.
void separations_cuda(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  Scored s(state);
  s.embed(state.range(1));
  const std::int64_t sets = state.range(2);
  const std::vector<std::int32_t> labels = random_labels(s.cells * sets, kDomains);
  Placement placement(*device);
  const MatrixView<const float> x = placement.place(std::as_const(s.x).view());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::separations(*device, x, {labels.data(), sets, s.cells}, kDomains));
  }
  const double entries = s.entries() * static_cast<double>(sets);
  report(state, 12 * entries, 2 * entries * (kDomains + 2));
}

void chaos(benchmark::State& state) {
  Scored s(state);
  s.place();
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::chaos(s.context, s.coordinates.view(), s.labels));
  }
}

void pas(benchmark::State& state) {
  Scored s(state);
  s.place();
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::pas(s.context, s.coordinates.view(), s.labels));
  }
}

void by_cells(benchmark::internal::Benchmark* family) {
  family->ArgName("cells")->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Arg(3798)->Arg(41786)->Arg(1000000);
}
void by_width(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "width"})->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Args({3798, 256})->Args({41786, 256})->Args({1000000, 64});
}
BENCHMARK(agreement)->Apply(by_cells);
BENCHMARK(silhouette_squared)->Apply(by_width);
BENCHMARK(silhouette_exact)
    ->ArgNames({"cells", "width"})
    ->Args({3798, 256})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(silhouette_sampled)->Apply(by_width);
BENCHMARK(davies_bouldin)->Apply(by_width);
BENCHMARK(calinski_harabasz)->Apply(by_width);
BENCHMARK(separation)->Apply(by_width);
BENCHMARK(separations_cuda)
    ->ArgNames({"cells", "width", "sets"})
    ->Args({3798, 256, 64})
    ->Args({41786, 256, 1})
    ->Args({41786, 256, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(chaos)->Apply(by_cells);
BENCHMARK(pas)->Apply(by_cells);

}  // namespace
}  // namespace m2st::bench
