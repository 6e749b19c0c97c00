// Matrix products at the model's shapes, in float: a layer's projection, what flows back through it
// and its weights' gradient, with operands rounded to TF32 (high) and BF16 (medium) too. Arguments:
// nodes, inputs, outputs. In double: the Gram matrix and the cell sweep of the clustering.
#include "bench/support.h"
#include "kernels/gemm.h"

namespace m2st::bench {
namespace {

using kernels::Layout;

template <class T>
struct Product {
  Product(std::int64_t m, std::int64_t n, std::int64_t k, Layout layout_a, Layout layout_b)
      : a_layout(layout_a),
        b_layout(layout_b),
        a(layout_a == Layout::kPlain ? random_matrix<T>(context, m, k, 1)
                                     : random_matrix<T>(context, k, m, 1)),
        b(layout_b == Layout::kPlain ? random_matrix<T>(context, k, n, 2)
                                     : random_matrix<T>(context, n, k, 2)),
        out(random_matrix<T>(context, m, n, 3)),
        operations(2.0 * static_cast<double>(m * n) * static_cast<double>(k)) {}

  void multiply() {
    kernels::gemm<T>(context, a_layout, b_layout, 1, a.view(), b.view(), 0, out.view());
  }
  void run(benchmark::State& state) {
    for (auto _ : state) multiply();
    tell(state);
  }
  void tell(benchmark::State& state) const {
    const double entries = static_cast<double>(a.size() + b.size() + out.size());
    report(state, sizeof(T) * entries, operations);
  }

  CpuContext context;
  Layout a_layout, b_layout;
  Matrix<T> a, b, out;
  double operations;
};

Product<float> projection(const benchmark::State& state) {  // Y = X Wᵀ
  return {state.range(0), state.range(2), state.range(1), Layout::kPlain, Layout::kTransposed};
}
Product<float> input_gradient(const benchmark::State& state) {  // dX = dY W
  return {state.range(0), state.range(1), state.range(2), Layout::kPlain, Layout::kPlain};
}
Product<float> weight_gradient(const benchmark::State& state) {  // dW = dYᵀ X
  return {state.range(2), state.range(1), state.range(0), Layout::kTransposed, Layout::kPlain};
}

void gemm_project(benchmark::State& state) { projection(state).run(state); }
void gemm_input_gradient(benchmark::State& state) { input_gradient(state).run(state); }
void gemm_weight_gradient(benchmark::State& state) { weight_gradient(state).run(state); }

// The same three one after the other.
void gemm_layer(benchmark::State& state, MatmulPrecision precision) {
  Product<float> products[] = {projection(state), input_gradient(state), weight_gradient(state)};
  for (Product<float>& product : products) product.context.set_matmul_precision(precision);
  for (auto _ : state) {
    for (Product<float>& product : products) product.multiply();
  }
  report(state, 0, 3 * products[0].operations);
}

void gemm_project_cold(benchmark::State& state) {
  Product<float> product = projection(state);
  run_cold(state, product.context, [&] { product.multiply(); });
  product.tell(state);
}

void gemm_gram(benchmark::State& state) {  // Dᵀ D, double
  Product<double>(state.range(1), state.range(1), state.range(0), Layout::kTransposed,
                  Layout::kPlain)
      .run(state);
}

void gemm_cells(benchmark::State& state) {  // cells × width by width × (K + d_c), double
  Product<double>(state.range(0), state.range(2), state.range(1), Layout::kPlain,
                  Layout::kTransposed)
      .run(state);
}

void layers(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "inputs", "outputs"})->UseRealTime();
  family->Args({1207, 300, 1200})->Args({1207, 1200, 256});
  family->Args({3798, 200, 800})->Args({3798, 800, 256})->Args({3798, 800, 128});
  family->Args({3798, 256, 256})->Args({3798, 128, 128})->Args({3798, 256, 200});
  family->Args({41786, 800, 256})->Args({41786, 256, 256})->Args({1000000, 32, 32});
}
void some_layers(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "inputs", "outputs"})->UseRealTime();
  family->Args({1207, 1200, 256})->Args({3798, 200, 800})->Args({3798, 800, 256});
  family->Args({3798, 256, 256})->Args({41786, 800, 256});
}
BENCHMARK(gemm_project)->Apply(layers);
BENCHMARK(gemm_project_cold)
    ->ArgNames({"nodes", "inputs", "outputs"})
    ->Args({3798, 256, 256})
    ->UseManualTime();
BENCHMARK(gemm_input_gradient)->Apply(layers);
BENCHMARK(gemm_weight_gradient)->Apply(layers);
BENCHMARK_CAPTURE(gemm_layer, highest, MatmulPrecision::kHighest)->Apply(some_layers);
BENCHMARK_CAPTURE(gemm_layer, high, MatmulPrecision::kHigh)->Apply(some_layers);
BENCHMARK_CAPTURE(gemm_layer, medium, MatmulPrecision::kMedium)->Apply(some_layers);
BENCHMARK(gemm_gram)
    ->ArgNames({"nodes", "width"})
    ->Args({3798, 384})
    ->Args({41786, 384})
    ->UseRealTime();
BENCHMARK(gemm_cells)
    ->ArgNames({"nodes", "width", "outputs"})
    ->Args({3798, 384, 40})
    ->Args({41786, 384, 28})
    ->UseRealTime();

}  // namespace
}  // namespace m2st::bench
