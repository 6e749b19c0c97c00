// From embeddings to domains, start to finish of each method, on joined Gaussians where the cells
// lie. Arguments: cells, width, domains. The reference solver runs ten iterations; `sweep` is 36
// option sets of them, in the precision (64 or 32 bits) of its last argument. The number of domains
// is looked for from 2 to 25. Lines that end in _cuda have the iterations on a device and are
// skipped where there is none: `reference_cuda` is one run of a hundred, `grid_cuda` the paper's
// 3200 of them.
#include <optional>

#include "bench/device.h"
#include "bench/support.h"
#include "cluster/domain_count.h"
#include "cluster/domains.h"
#include "cluster/kmeans.h"
#include "cluster/mixture.h"
#include "cluster/reduced_solver.h"
#include "cluster/reference_solver.h"
#include "cluster/stacked_gram.h"
#include "cluster/sweep.h"
#include "data/simulate/simulate.h"
#include "engine/context.h"
#include "engine/placement.h"

namespace m2st::bench {
namespace {

struct Cells {
  explicit Cells(const benchmark::State& state) : domains(static_cast<int>(state.range(2))) {
    data::SimulateOptions options;
    options.cells = state.range(0);
    options.components = static_cast<int>(state.range(1));
    options.domains = domains;
    values = data::simulate_tissue(context, options).values;
    exact = Matrix<double>(context.pool(), values.rows(), values.cols());
    std::copy(values.span().begin(), values.span().end(), exact.span().begin());
  }
  std::vector<MatrixView<const float>> embeddings() const { return {values.view()}; }

  CpuContext context;
  int domains;
  Matrix<float> values;
  Matrix<double> exact;
};

void k_means(benchmark::State& state) {
  Cells cells(state);
  cluster::KMeansOptions options;
  options.domains = cells.domains;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::k_means(cells.context, cells.exact.view(), options));
  }
}

void mixture(benchmark::State& state) {
  Cells cells(state);
  cluster::MixtureOptions options;
  options.domains = cells.domains;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster::fit_mixture(cells.context, cells.exact.view(), options));
  }
}

cluster::ReferenceOptions reference_options(int domains) {
  cluster::ReferenceOptions options;
  options.clusters = domains;
  options.iterations = 10;
  return options;
}

void reference_reduced(benchmark::State& state) {
  Cells cells(state);
  const cluster::ReferenceOptions options = reference_options(cells.domains);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::reference_clustering(cells.context, cells.embeddings(), options));
  }
}

void reference_direct(benchmark::State& state) {
  Cells cells(state);
  const cluster::ReferenceOptions options = reference_options(cells.domains);
  for (auto _ : state) {
    const std::vector<Matrix<double>> data =
        cluster::reference_data<float>(cells.context, cells.embeddings(), options.scale_input);
    cluster::ReferenceState start = cluster::initial_state(cells.context, data, options);
    cluster::solve_reference(cells.context, data, options, start, {});
    benchmark::DoNotOptimize(start);
  }
}

void default_domains(benchmark::State& state) {
  Cells cells(state);
  const LatticeGraph lattice = lattice_graph(cells.values.rows());
  cluster::DomainOptions options;
  options.domains = cells.domains;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::find_domains(cells.context, cells.embeddings(), {}, lattice.view().in, options));
  }
}

template <class AnyContext>
void run_sweep(benchmark::State& state, AnyContext& context, const Cells& cells,
               const cluster::SweepGrid& grid, int iterations) {
  cluster::SweepOptions options;
  options.clusters = cells.domains;
  options.iterations = iterations;
  options.precision =
      state.range(3) == 32 ? cluster::SweepPrecision::kFloat : cluster::SweepPrecision::kDouble;
  const cluster::Sweep sweep(context, {cells.embeddings(), {}, {}}, options, {});
  const std::vector<cluster::OptionSet> sets = cluster::option_sets(grid);
  for (auto _ : state) {
    sweep.run(sets, [](std::size_t, const cluster::SweepRow&, const cluster::SweepSolution&) {},
              {});
  }
  state.counters["option_sets"] = benchmark::Counter(static_cast<double>(sets.size()),
                                                     benchmark::Counter::kIsIterationInvariantRate);
}

cluster::SweepGrid small_grid() {
  return {{0.01, 1, 100}, {1e-5, 1e-3}, {1e-5, 1e-3, 0.1}, {20, 60}};
}

void sweep(benchmark::State& state) {
  Cells cells(state);
  run_sweep(state, cells.context, cells, small_grid(), 10);
}

template <class T>
void run_reference(benchmark::State& state, Context& device, const Cells& cells) {
  CpuContext& host = device.host();
  cluster::ReferenceOptions options;
  options.clusters = cells.domains;
  options.specific_dim = 100;
  const std::vector<Matrix<double>> data =
      cluster::reference_data<float>(host, cells.embeddings(), options.scale_input);
  const Matrix<double> gram = cluster::data_gram(host, data);
  const cluster::ReferenceState start = cluster::initial_state(host, data, options);
  const std::vector<T> values(data[0].span().begin(), data[0].span().end());
  Placement placement(device);
  const std::vector<MatrixView<const T>> swept = {
      placement.place(MatrixView<const T>{values.data(), data[0].rows(), data[0].cols()})};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::solve_together<T>(device, data, swept, gram.view(), {options}, start));
  }
}

// From start values on the host to labels there; the cells are on the device.
void reference_cuda(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  const Cells cells(state);
  if (state.range(3) == 32) {
    run_reference<float>(state, *device, cells);
  } else {
    run_reference<double>(state, *device, cells);
  }
}

void sweep_cuda(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  run_sweep(state, *device, Cells(state), small_grid(), 10);
}

void grid_cuda(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  run_sweep(state, *device, Cells(state), cluster::paper_grid(), 100);
}

void domain_count(benchmark::State& state) {
  Cells cells(state);
  const LatticeGraph lattice = lattice_graph(cells.values.rows());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        cluster::find_domain_count(cells.context, cells.embeddings(), {}, lattice.view().in, {}));
  }
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "width", "domains"})->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Args({1207, 128, 7})->Args({3798, 256, 20})->Args({41786, 256, 14});
}
BENCHMARK(k_means)->Apply(sizes);
BENCHMARK(mixture)->Apply(sizes);
BENCHMARK(reference_reduced)->Apply(sizes);
BENCHMARK(reference_direct)->Apply(sizes);
BENCHMARK(default_domains)->Apply(sizes);
BENCHMARK(domain_count)->Apply(sizes);
// In double and in float.
void sizes_in_bits(benchmark::internal::Benchmark* family, const std::vector<std::int64_t>& size) {
  family->ArgNames({"cells", "width", "domains", "bits"})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  for (const std::int64_t bits : {64, 32}) {
    std::vector<std::int64_t> arguments = size;
    arguments.push_back(bits);
    family->Args(arguments);
  }
}
void sweep_sizes(benchmark::internal::Benchmark* family) {
  sizes_in_bits(family, {1207, 192, 7});
  sizes_in_bits(family, {3798, 384, 20});
}
void device_sizes(benchmark::internal::Benchmark* family) {
  sweep_sizes(family);
  sizes_in_bits(family, {41786, 384, 14});
}
BENCHMARK(sweep)->Apply(sweep_sizes);
BENCHMARK(reference_cuda)->Apply(device_sizes);
BENCHMARK(sweep_cuda)->Apply(device_sizes);
BENCHMARK(grid_cuda)->Apply(device_sizes)->Iterations(1);

}  // namespace
}  // namespace m2st::bench
