// Small dense problems in double at the sizes of the clustering (a view's specific dimension, the
// clusters) and of a covariance. Operations are the textbook's leading terms (Golub and Van Loan).
#include "bench/support.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"

namespace m2st::bench {
namespace {

using kernels::Layout;

struct Square {
  explicit Square(const benchmark::State& state)
      : n(state.range(0)),
        general(random_matrix<double>(context, n, n, 1)),
        definite(context.pool(), n, n),
        right_side(random_matrix<double>(context, n, n, 2)),
        out(context.pool(), n, n),
        values(static_cast<std::size_t>(n)) {
    kernels::gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1, general.view(),
                          general.view(), 0, definite.view());
    for (std::int64_t i = 0; i < n; ++i) definite(i, i) += 1;
  }
  double cube() const { return static_cast<double>(n) * static_cast<double>(n * n); }
  double bytes() const { return 24.0 * static_cast<double>(n * n); }

  CpuContext context;
  std::int64_t n;
  Matrix<double> general, definite, right_side, out;
  std::vector<double> values;
};

void solve_spd(benchmark::State& state) {
  Square s(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::solve_spd<double>(s.context, s.definite.view(),
                                                        s.right_side.view(), s.out.view()));
  }
  report(state, s.bytes(), s.cube() / 3 + 2 * s.cube());
}

void solve_general(benchmark::State& state) {
  Square s(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::solve_general<double>(s.context, s.general.view(),
                                                            s.right_side.view(), s.out.view()));
  }
  report(state, s.bytes(), s.cube() * 2 / 3 + 2 * s.cube());
}

void pseudo_inverse(benchmark::State& state) {
  Square s(state);
  for (auto _ : state) kernels::pseudo_inverse<double>(s.context, s.general.view(), s.out.view());
  report(state, s.bytes(), 22 * s.cube());
}

void symmetric_eigen(benchmark::State& state) {
  Square s(state);
  for (auto _ : state) {
    kernels::symmetric_eigen<double>(s.context, s.definite.view(), s.values, s.out.view());
  }
  report(state, s.bytes(), 9 * s.cube());
}

void orthonormalise(benchmark::State& state) {
  CpuContext context;
  const std::int64_t rows = state.range(0), cols = state.range(1);
  const Matrix<double> a = random_matrix<double>(context, rows, cols, 1);
  Matrix<double> out(context.pool(), rows, cols);
  for (auto _ : state) kernels::orthonormalise<double>(context, a.view(), out.view());
  const double entries = static_cast<double>(rows * cols);
  report(state, 16 * entries, 4 * entries * static_cast<double>(cols));
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgName("n")->Arg(7)->Arg(20)->Arg(40)->Arg(200)->UseRealTime();
}
BENCHMARK(solve_spd)->Apply(sizes);
BENCHMARK(solve_general)->Apply(sizes);
BENCHMARK(pseudo_inverse)->Apply(sizes);
BENCHMARK(symmetric_eigen)->Apply(sizes)->Arg(400);
BENCHMARK(orthonormalise)
    ->ArgNames({"rows", "columns"})
    ->Args({3798, 40})
    ->Args({41786, 40})
    ->UseRealTime();

}  // namespace
}  // namespace m2st::bench
