// Rows moved, scaled and merged, and the reductions over them, in float: what bench_elements
// leaves. Arguments: nodes and columns.
#include <utility>

#include "bench/support.h"
#include "kernels/activation.h"
#include "kernels/fill.h"
#include "kernels/heads.h"
#include "kernels/loss.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"

namespace m2st::bench {
namespace {

using kernels::Accumulate;

struct Rows {
  explicit Rows(const benchmark::State& state)
      : nodes(state.range(0)),
        cols(state.range(1)),
        row(static_cast<std::size_t>(cols), 0.5F),
        other_row(row),
        column(static_cast<std::size_t>(nodes), 1.0F),
        moments(static_cast<std::size_t>(cols)),
        other_moments(moments) {
    for (std::int32_t r = 0; r < nodes; r += 2) every_second.push_back(r);
  }
  double size() const { return static_cast<double>(nodes * cols); }
  Span<const float> flat() const { return x.span(); }

  std::int64_t nodes, cols;
  CpuContext context;
  std::vector<std::int32_t> every_second;
  std::vector<float> row, other_row, column;
  std::vector<double> moments, other_moments;
  Matrix<float> x = random_matrix<float>(context, nodes, cols, 1);
  Matrix<float> y = random_matrix<float>(context, nodes, cols, 2);
  Matrix<float> out = random_matrix<float>(context, nodes, cols, 3);
};

void fill(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::fill<float>(r.context, 1.0F, r.out.span());
  report(state, 4 * r.size(), 0);
}

void fill_rows(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    kernels::fill_rows<float>(r.context, r.every_second, std::as_const(r.row), r.out.view());
  }
  report(state, 2 * r.size(), 0);
}

void scatter_rows(benchmark::State& state) {
  Rows r(state);
  const auto count = static_cast<std::int64_t>(r.every_second.size());
  const MatrixView<const float> half = std::as_const(r.x).view().slice(0, count);
  for (auto _ : state) {
    kernels::scatter_rows<float>(r.context, r.every_second, half, r.out.view(), Accumulate::kAdd);
  }
  report(state, 6 * r.size(), r.size() / 2);
}

void add_row(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::add_row<float>(r.context, std::as_const(r.row), r.out.view());
  report(state, 8 * r.size(), r.size());
}

void scale_rows(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::scale_rows<float>(r.context, std::as_const(r.column), r.out.view());
  report(state, 8 * r.size(), r.size());
}

void sum_heads(benchmark::State& state) {
  Rows r(state);
  Matrix<float> merged(r.context.pool(), r.nodes, r.cols / 4);
  for (auto _ : state) kernels::sum_heads<float>(r.context, r.x.view(), merged.view());
  report(state, 5 * r.size(), r.size());
}

void normalise_rows(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::normalise_rows<float>(r.context, r.out.view());
  report(state, 8 * r.size(), 3 * r.size());
}

void min_max_columns(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::min_max_columns<float>(r.context, r.out.view());
  report(state, 12 * r.size(), 4 * r.size());
}

void affine_columns(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    kernels::affine_columns<float>(r.context, std::as_const(r.row), std::as_const(r.other_row),
                                   r.out.view());
  }
  report(state, 8 * r.size(), 2 * r.size());
}

void elu_backward(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    kernels::elu_backward<float>(r.context, r.flat(), std::as_const(r.y).span(), r.out.span(),
                                 Accumulate::kOverwrite);
  }
  report(state, 12 * r.size(), r.size());
}

void leaky_relu(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::leaky_relu<float>(r.context, r.flat(), 0.2F, r.out.span());
  report(state, 8 * r.size(), r.size());
}

void mse_loss(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        kernels::mse_loss<float>(r.context, r.every_second, r.x.view(), r.y.view()));
  }
  report(state, 4 * r.size(), 1.5 * r.size());
}

void sum(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) benchmark::DoNotOptimize(kernels::sum<float>(r.context, r.flat()));
  report(state, 4 * r.size(), r.size());
}

void max_abs(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) benchmark::DoNotOptimize(kernels::max_abs<float>(r.context, r.flat()));
  report(state, 4 * r.size(), r.size());
}

void all_finite(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) benchmark::DoNotOptimize(kernels::all_finite<float>(r.context, r.flat()));
  report(state, 4 * r.size(), r.size());
}

void row_squared_norms(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) kernels::row_squared_norms<float>(r.context, r.x.view(), r.column);
  report(state, 4 * r.size(), 2 * r.size());
}

void column_min_max(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    kernels::column_min_max<float>(r.context, r.x.view(), r.row, r.other_row);
  }
  report(state, 4 * r.size(), 2 * r.size());
}

void column_moments(benchmark::State& state) {
  Rows r(state);
  for (auto _ : state) {
    kernels::column_moments<float>(r.context, r.x.view(), 1, r.moments, r.other_moments);
  }
  report(state, 8 * r.size(), 4 * r.size());
}

void shapes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "columns"})->UseRealTime();
  family->Args({3798, 256})->Args({41786, 256})->Args({1000000, 32});
}
BENCHMARK(fill)->Apply(shapes);
BENCHMARK(fill_rows)->Apply(shapes);
BENCHMARK(scatter_rows)->Apply(shapes);
BENCHMARK(add_row)->Apply(shapes);
BENCHMARK(scale_rows)->Apply(shapes);
BENCHMARK(sum_heads)->Apply(shapes);
BENCHMARK(normalise_rows)->Apply(shapes);
BENCHMARK(min_max_columns)->Apply(shapes);
BENCHMARK(affine_columns)->Apply(shapes);
BENCHMARK(leaky_relu)->Apply(shapes);
BENCHMARK(elu_backward)->Apply(shapes);
BENCHMARK(mse_loss)->Apply(shapes);
BENCHMARK(sum)->Apply(shapes);
BENCHMARK(max_abs)->Apply(shapes);
BENCHMARK(all_finite)->Apply(shapes);
BENCHMARK(row_squared_norms)->Apply(shapes);
BENCHMARK(column_min_max)->Apply(shapes);
BENCHMARK(column_moments)->Apply(shapes);

}  // namespace
}  // namespace m2st::bench
