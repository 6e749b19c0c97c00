// Principal components, by covariance and by Gram matrix. Arguments: cells, columns, components:
// the joined scales of a section, and counts of a small one.
#include <algorithm>

#include "bench/support.h"
#include "kernels/principal_components.h"

namespace m2st::bench {
namespace {

struct Components {
  explicit Components(const benchmark::State& state)
      : x(random_matrix<float>(context, state.range(0), state.range(1), 1)),
        axes(context.pool(), state.range(2), state.range(1)),
        scores(context.pool(), state.range(0), state.range(2)),
        mean(static_cast<std::size_t>(state.range(1))),
        variances(static_cast<std::size_t>(state.range(2))) {}
  void find() {
    kernels::principal_components<float>(context, x.view(), mean, axes.view(), variances);
  }

  CpuContext context;
  Matrix<float> x;
  Matrix<double> axes, scores;
  std::vector<double> mean, variances;
};

void principal_components(benchmark::State& state) {
  Components c(state);
  for (auto _ : state) c.find();
  const double entries = static_cast<double>(c.x.size());
  const double small = static_cast<double>(std::min(c.x.rows(), c.x.cols()));
  report(state, 4 * entries, 2 * entries * small + 9 * small * small * small);
}

void project(benchmark::State& state) {
  Components c(state);
  c.find();
  for (auto _ : state) {
    kernels::project<float, double>(c.context, c.x.view(), c.mean, c.axes.view(), c.scores.view());
  }
  const double entries = static_cast<double>(c.x.size());
  report(state, 4 * entries + 8.0 * static_cast<double>(c.scores.size()),
         2 * entries * static_cast<double>(c.axes.rows()));
}

void shapes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"cells", "columns", "components"})->UseRealTime();
  family->Args({3798, 256, 20})->Args({41786, 256, 20})->Args({400, 3000, 50});
}
BENCHMARK(principal_components)->Apply(shapes);
BENCHMARK(project)->Apply(shapes);

}  // namespace
}  // namespace m2st::bench
