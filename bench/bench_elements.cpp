// Elementwise, row and reduction kernels in float on activations of one layer. Arguments: nodes and
// columns: a breast section's hidden and shared layer, and a Slide-seq section's hidden layer.
// "B/s" counts each array once a pass; a copy (axpby) shows what memory allows.
#include <numeric>
#include <utility>

#include "bench/support.h"
#include "kernels/activation.h"
#include "kernels/adam.h"
#include "kernels/dropout.h"
#include "kernels/loss.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"

namespace m2st::bench {
namespace {

using kernels::Accumulate;

struct Activations {
  explicit Activations(const benchmark::State& state)
      : rows(state.range(0)), cols(state.range(1)), ids(rows) {
    std::iota(ids.begin(), ids.end(), 0);
    for (std::int32_t r = 0; r < rows; r += 2) masked.push_back(r);
  }
  double size() const { return static_cast<double>(rows) * static_cast<double>(cols); }

  std::int64_t rows, cols;
  CpuContext context;
  std::vector<std::int32_t> ids, masked;
  Matrix<float> x = random_matrix<float>(context, rows, cols, 1);
  Matrix<float> y = random_matrix<float>(context, rows, cols, 2);
  Matrix<float> out = random_matrix<float>(context, rows, cols, 3);
  std::vector<float> slope{0.25F}, grad_slope{0.0F}, row = std::vector<float>(cols);
};

Span<const float> flat(const Matrix<float>& matrix) { return matrix.span(); }

void axpby(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) kernels::axpby<float>(a.context, 2.0F, flat(a.x), 0.0F, a.out.span());
  report(state, 8 * a.size(), a.size());
}

void axpby_cold(benchmark::State& state) {
  Activations a(state);
  run_cold(state, a.context,
           [&] { kernels::axpby<float>(a.context, 2.0F, flat(a.x), 0.0F, a.out.span()); });
  report(state, 8 * a.size(), a.size());
}

void dropout(benchmark::State& state) {
  Activations a(state);
  const RandomKey key{1, stream_of(Purpose::kTest, 0), 0};
  for (auto _ : state) {
    kernels::dropout<float>(a.context, key, 0.2, a.ids, a.x.view(), a.out.view(),
                            Accumulate::kOverwrite);
  }
  report(state, 8 * a.size(), a.size());
}

void prelu(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) kernels::prelu<float>(a.context, flat(a.x), a.slope, a.out.span());
  report(state, 8 * a.size(), a.size());
}

void prelu_backward(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) {
    kernels::prelu_backward<float>(a.context, flat(a.x), a.slope, flat(a.y), a.out.span(),
                                   Accumulate::kOverwrite, a.grad_slope, Accumulate::kOverwrite);
  }
  report(state, 20 * a.size(), 3 * a.size());
}

void elu(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) kernels::elu<float>(a.context, flat(a.x), a.out.span());
  report(state, 8 * a.size(), a.size());
}

void column_sums(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) {
    kernels::column_sums<float>(a.context, a.x.view(), a.row, Accumulate::kOverwrite);
  }
  report(state, 4 * a.size(), a.size());
}

void dot(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state)
    benchmark::DoNotOptimize(kernels::dot<float>(a.context, flat(a.x), flat(a.y)));
  report(state, 8 * a.size(), 2 * a.size());
}

void gather_rows(benchmark::State& state) {
  Activations a(state);
  const MatrixView<float> half = a.out.view().slice(0, static_cast<std::int64_t>(a.masked.size()));
  for (auto _ : state) kernels::gather_rows<float>(a.context, a.masked, a.x.view(), half);
  report(state, 8.0 * static_cast<double>(half.size()), 0);
}

void fill_rows_backward(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) {
    kernels::fill_rows_backward<float>(a.context, a.masked, a.x.view(), a.row,
                                       Accumulate::kOverwrite);
  }
  report(state, 2 * a.size(), a.size() / 2);
}

void scaled_cosine_loss(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        kernels::scaled_cosine_loss<float>(a.context, a.masked, 2, a.x.view(), a.y.view()));
  }
  report(state, 4 * a.size(), 3 * a.size());
}

void scaled_cosine_loss_backward(benchmark::State& state) {
  Activations a(state);
  for (auto _ : state) {
    kernels::scaled_cosine_loss_backward<float>(a.context, a.masked, 2, a.x.view(), a.y.view(), 1,
                                                a.out.view(), Accumulate::kOverwrite);
  }
  report(state, 12 * a.size(), 5 * a.size());
}

void adam_step(benchmark::State& state) {
  Activations a(state);
  Matrix<float> moment = random_matrix<float>(a.context, a.rows, a.cols, 4);
  for (float& value : moment.span()) value *= value;
  std::int64_t step = 0;
  for (auto _ : state) {
    kernels::adam_step<float>(a.context, {}, ++step, flat(a.x), a.y.span(), moment.span(),
                              a.out.span());
  }
  report(state, 28 * a.size(), 14 * a.size());
}

void shapes(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "columns"})->UseRealTime();
  family->Args({3798, 256})->Args({3798, 800})->Args({41786, 256});
}
BENCHMARK(axpby)->Apply(shapes);
BENCHMARK(axpby_cold)->ArgNames({"nodes", "columns"})->Args({3798, 256})->UseManualTime();
BENCHMARK(dropout)->Apply(shapes);
BENCHMARK(prelu)->Apply(shapes);
BENCHMARK(prelu_backward)->Apply(shapes);
BENCHMARK(elu)->Apply(shapes);
BENCHMARK(column_sums)->Apply(shapes);
BENCHMARK(dot)->Apply(shapes);
BENCHMARK(gather_rows)->Apply(shapes);
BENCHMARK(fill_rows_backward)->Apply(shapes);
BENCHMARK(scaled_cosine_loss)->Apply(shapes);
BENCHMARK(scaled_cosine_loss_backward)->Apply(shapes);
BENCHMARK(adam_step)->Apply(shapes);

}  // namespace
}  // namespace m2st::bench
