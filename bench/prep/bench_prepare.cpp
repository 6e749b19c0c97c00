// Preparation from counts to 50 components, and its costliest parts. Arguments: cells, genes, share
// of entries that are not zero (in 1/1000): a Xenium section, and a large sparse one.
#include <algorithm>
#include <cmath>

#include "bench/support.h"
#include "data/prep/pca.h"
#include "data/prep/prepare.h"
#include "data/prep/variable_genes.h"

namespace m2st::bench {
namespace {

constexpr RandomKey kDraws = {1, stream_of(Purpose::kSimulate, 77), 0};
constexpr int kGroups = 7;  // of cells, each with genes of its own: components to be found

// Genes of all depths around `density`; counts are geometric.
data::SparseMatrix sparse_counts(CpuContext& context, std::int64_t cells, std::int64_t genes,
                                 double density) {
  std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(cells));
  std::vector<std::vector<float>> counts(found.size());
  parallel_for(context, cells, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t cell = begin; cell < end; ++cell) {
      for (std::int64_t gene = 0; gene < genes; ++gene) {
        const double depth =
            2 * density * static_cast<double>(gene + 1) / static_cast<double>(genes);
        const double share = cell % kGroups == gene % kGroups ? std::min(1.0, 2 * depth) : depth;
        const PhiloxBlock bits = random_block(kDraws, static_cast<std::uint32_t>(cell),
                                              static_cast<std::uint32_t>(gene));
        if (to_uniform(bits.word[0]) >= share) continue;
        found[cell].push_back(static_cast<std::int32_t>(gene));
        counts[cell].push_back(
            static_cast<float>(1 + std::floor(-std::log1p(-to_uniform(bits.word[1])))));
      }
    }
  });
  data::SparseMatrix out{cells, genes, {0}, {}, {}};
  for (std::size_t cell = 0; cell < found.size(); ++cell) {
    out.indices.insert(out.indices.end(), found[cell].begin(), found[cell].end());
    out.values.insert(out.values.end(), counts[cell].begin(), counts[cell].end());
    out.offsets.push_back(out.entries());
  }
  return out;
}

data::SparseMatrix counts_of(CpuContext& context, const benchmark::State& state) {
  return sparse_counts(context, state.range(0), state.range(1),
                       static_cast<double>(state.range(2)) / 1000);
}

void prepare(benchmark::State& state, data::Recipe recipe) {
  CpuContext context;
  data::PrepareOptions options;
  data::apply_recipe(recipe, options);
  options.components = 50;
  data::Expression expression;
  const data::SparseMatrix counts = counts_of(context, state);
  for (auto _ : state) {
    state.PauseTiming();
    expression.values = counts;
    state.ResumeTiming();
    benchmark::DoNotOptimize(data::prepare(context, expression, options));
  }
  state.counters["peak_MB"] = static_cast<double>(peak_resident_bytes()) / 1e6;
}
void prepare_log(benchmark::State& state) { prepare(state, data::Recipe::kLog); }
void prepare_reference(benchmark::State& state) { prepare(state, data::Recipe::kReference); }

void transpose(benchmark::State& state) {
  CpuContext context;
  const data::SparseMatrix counts = counts_of(context, state);
  for (auto _ : state) benchmark::DoNotOptimize(data::transposed(context, counts));
  report(state, 16.0 * static_cast<double>(counts.entries()), 0);
}

void covariance(benchmark::State& state) {
  CpuContext context;
  const data::SparseMatrix counts = counts_of(context, state);
  const data::SparseMatrix by_gene = data::transposed(context, counts);
  Matrix<double> out(context.pool(), by_gene.rows, by_gene.rows);
  for (auto _ : state) data::row_products(context, by_gene, counts, out.view());
  double pairs = 0;
  for (std::int64_t i = 0; i < counts.rows; ++i) {
    const auto length = static_cast<double>(counts.row_indices(i).size());
    pairs += length * (length + 1) / 2;
  }
  report(state, 0, 2 * pairs);
}

void components(benchmark::State& state) {
  CpuContext context;
  const data::SparseMatrix counts = counts_of(context, state);
  const data::SparseMatrix by_gene = data::transposed(context, counts);
  for (auto _ : state) {
    benchmark::DoNotOptimize(data::principal_components(context, counts, by_gene, 50));
  }
}

void variable_genes(benchmark::State& state) {
  CpuContext context;
  const data::SparseMatrix by_gene = data::transposed(context, counts_of(context, state));
  for (auto _ : state) benchmark::DoNotOptimize(data::seurat_v3_scores(context, by_gene));
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "genes", "permille"})->UseRealTime()->Unit(benchmark::kMillisecond);
  family->Args({34451, 313, 250})->Args({200000, 2000, 50});
}
BENCHMARK(prepare_log)->Apply(sizes);
BENCHMARK(prepare_reference)->Apply(sizes);
BENCHMARK(transpose)->Apply(sizes);
BENCHMARK(covariance)->Apply(sizes);
BENCHMARK(components)->Apply(sizes);
BENCHMARK(variable_genes)->Apply(sizes);

}  // namespace
}  // namespace m2st::bench
