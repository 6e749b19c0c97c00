// From embeddings to domains, start to finish of each method, on joined Gaussians where the cells
// lie. Arguments: cells, width, domains. The reference solver runs ten iterations.
#include "bench/support.h"
#include "cluster/domains.h"
#include "cluster/kmeans.h"
#include "cluster/mixture.h"
#include "cluster/reduced_solver.h"
#include "cluster/reference_solver.h"
#include "data/simulate/simulate.h"

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

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "width", "domains"})->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Args({1207, 128, 7})->Args({3798, 256, 20})->Args({41786, 256, 14});
}
BENCHMARK(k_means)->Apply(sizes);
BENCHMARK(mixture)->Apply(sizes);
BENCHMARK(reference_reduced)->Apply(sizes);
BENCHMARK(reference_direct)->Apply(sizes);
BENCHMARK(default_domains)->Apply(sizes);

}  // namespace
}  // namespace m2st::bench
