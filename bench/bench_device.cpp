// The kernels that an epoch and an iteration of the clustering are made of, on a CUDA device:
// twenty launches and one wait an iteration, so that B/s and FLOP/s are those of one kernel after
// the other. stream_cuda, which reads two arrays and writes one, is what bandwidth there is. Only
// in builds with CUDA. Counted are arrays once a pass, gathered rows once an edge; caches may do
// better.
#if defined(M2ST_WITH_CUDA)

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "bench/device.h"
#include "bench/support.h"
#include "engine/copy.h"
#include "engine/cublas_lt.h"
#include "engine/placement.h"
#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "kernels/gemm.h"
#include "kernels/rows.h"
#include "kernels/sort.h"

namespace m2st::bench {
namespace {

using kernels::Accumulate;
using kernels::Layout;

constexpr int kLaunches = 20;

struct Work {
  double bytes, operations;
};

// Random arrays on the device, and the clock.
struct Bench {
  benchmark::State& state;
  Context& context;
  CudaContext& cuda;
  std::uint32_t stream = 0;

  template <class T>
  Matrix<T> random(std::int64_t rows, std::int64_t cols) {
    const Matrix<T> here = random_matrix<T>(context.host(), rows, cols, ++stream);
    Matrix<T> there(cuda.pool(), rows, cols);
    copy_in<T>(cuda, here.span(), there.span());
    cuda.synchronise();
    return there;
  }
  template <class Body>
  void run(const Work& work, Body&& body) {
    body();  // takes its memory
    cuda.synchronise();
    for (auto _ : state) {
      for (int launch = 0; launch < kLaunches; ++launch) body();
      cuda.synchronise();
    }
    using benchmark::Counter;
    const auto rate = Counter::kIsIterationInvariantRate;
    state.counters["B/s"] = Counter(kLaunches * work.bytes, rate, Counter::kIs1000);
    state.counters["FLOP/s"] = Counter(kLaunches * work.operations, rate, Counter::kIs1000);
    state.counters["kernel"] = Counter(kLaunches, rate | Counter::kInvert);
  }
};

template <void (*body)(Bench&)>
void on_device(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  device->dispatch([&](auto& backend) {
    if constexpr (std::is_same_v<std::decay_t<decltype(backend)>, CudaContext>) {
      Bench bench{state, *device, backend};
      body(bench);
    }
  });
}

void stream_cuda(Bench& bench) {
  const std::int64_t count = bench.state.range(0);
  const Matrix<float> x = bench.random<float>(count, 1);
  Matrix<float> out = bench.random<float>(count, 1);
  bench.run({12.0 * static_cast<double>(count), 3.0 * static_cast<double>(count)},
            [&] { kernels::axpby<float>(bench.cuda, 0.5F, x.span(), 0.5F, out.span()); });
}

// Y = X Wᵀ: nodes, inputs, outputs.
template <class T>
void project(Bench& bench) {
  const std::int64_t nodes = bench.state.range(0), from = bench.state.range(1),
                     to = bench.state.range(2);
  const Matrix<T> x = bench.random<T>(nodes, from), w = bench.random<T>(to, from);
  Matrix<T> y = bench.random<T>(nodes, to);
  bench.run({static_cast<double>(sizeof(T)) * static_cast<double>(x.size() + w.size() + y.size()),
             2.0 * static_cast<double>(nodes * from * to)},
            [&] {
              kernels::gemm<T>(bench.cuda, Layout::kPlain, Layout::kTransposed, 1, x.view(),
                               w.view(), 0, y.view());
            });
}
void gemm_float_cuda(Bench& bench) { project<float>(bench); }
void gemm_double_cuda(Bench& bench) { project<double>(bench); }
void gemm_library_cuda(Bench& bench) {
  try {
    bench.cuda.use_cublas_lt(std::make_shared<CublasLt>(bench.cuda));
  } catch (const Error& error) {
    bench.state.SkipWithError(error.what());
    return;
  }
  bench.cuda.set_matmul_precision(MatmulPrecision::kHigh);
  project<float>(bench);
}

// A layer with four heads on a lattice of degree 7: nodes, features a head.
struct Layer {
  explicit Layer(Bench& of) : bench(of), graph(placement.place(lattice.view())) {
    options.dropout = 0.1;
  }
  Matrix<float> random(std::int64_t cols) { return bench.random<float>(nodes, cols); }
  void attend() {
    kernels::gat_attention<float>(bench.cuda, graph, options, projected.view(), source.view(),
                                  destination.view(), {}, log_sums.view(), out.view());
  }
  void sum_features() {
    kernels::gat_features<float>(bench.cuda, graph, options, features.view(), source.view(),
                                 destination.view(), log_sums.view(), out.view());
  }
  // Rows that are gathered, of one head each.
  double gathered() const { return static_cast<double>(lattice.edges() * width); }

  static constexpr std::int64_t kHeads = 4;
  Bench& bench;
  std::int64_t nodes = bench.state.range(0), width = bench.state.range(1);
  LatticeGraph lattice = lattice_graph(nodes);
  Placement placement{bench.context};
  GraphView graph;
  kernels::AttentionOptions options;
  Matrix<float> features = random(width), projected = random(kHeads * width);
  Matrix<float> out = random(kHeads * width), grad_out = random(kHeads * width);
  Matrix<float> grad_projected = random(kHeads * width);
  Matrix<float> source = random(kHeads), destination = random(kHeads), log_sums = random(kHeads);
  Matrix<float> grad_source = random(kHeads), grad_destination = random(kHeads);
};

void gat_attention_cuda(Bench& bench) {
  Layer layer(bench);
  const double gathered = Layer::kHeads * layer.gathered();
  bench.run({4 * (gathered + static_cast<double>(layer.out.size())), 2 * gathered},
            [&] { layer.attend(); });
}

void gat_attention_backward_cuda(Bench& bench) {
  Layer layer(bench);
  layer.attend();
  const double gathered = Layer::kHeads * layer.gathered();
  bench.run({4 * (gathered + 4 * static_cast<double>(layer.out.size())), 4 * gathered}, [&] {
    kernels::gat_attention_backward<float>(
        bench.cuda, layer.graph, layer.options, layer.projected.view(), layer.source.view(),
        layer.destination.view(), {}, layer.log_sums.view(), layer.out.view(),
        layer.grad_out.view(), layer.grad_projected.view(), layer.grad_source.view(),
        layer.grad_destination.view(), {}, Accumulate::kOverwrite);
  });
}

void gat_features_cuda(Bench& bench) {
  Layer layer(bench);
  bench.run({4 * (layer.gathered() + static_cast<double>(layer.out.size())),
             2 * Layer::kHeads * layer.gathered()},
            [&] { layer.sum_features(); });
}

void gat_features_backward_cuda(Bench& bench) {
  Layer layer(bench);
  layer.sum_features();
  bench.run({4 * (layer.gathered() + static_cast<double>(layer.out.size())),
             2 * Layer::kHeads * layer.gathered()},
            [&] {
              kernels::gat_features_backward<float>(
                  bench.cuda, layer.graph, layer.options, layer.features.view(),
                  layer.source.view(), layer.destination.view(), layer.log_sums.view(),
                  layer.grad_out.view(), {}, layer.grad_source.view(),
                  layer.grad_destination.view(), {}, Accumulate::kOverwrite);
            });
}

// Of the mask's tickets.
void argsort_cuda(Bench& bench) {
  const std::int64_t count = bench.state.range(0);
  const Matrix<float> bits = bench.random<float>(count, 2);
  Array<std::int32_t> order(bench.cuda.pool(), count);
  const Span<const std::uint64_t> keys(reinterpret_cast<const std::uint64_t*>(bits.data()),
                                       static_cast<std::size_t>(count));
  bench.run({12.0 * static_cast<double>(count), 0},
            [&] { kernels::argsort(bench.cuda, keys, order.span()); });
}

void layers(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "width"})->UseRealTime();
  family->Args({3798, 64})->Args({41786, 64})->Args({41786, 200})->Args({1000000, 16});
}
void products(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "inputs", "outputs"})->UseRealTime();
  family->Args({3798, 800, 256})->Args({41786, 800, 256})->Args({41786, 256, 64});
}
void lengths(benchmark::internal::Benchmark* family) {
  family->ArgNames({"count"})->UseRealTime();
  family->Arg(41786)->Arg(1000000);
}
BENCHMARK(on_device<stream_cuda>)->Name("stream_cuda")->Apply(lengths)->Arg(100000000);
BENCHMARK(on_device<gemm_float_cuda>)->Name("gemm_float_cuda")->Apply(products);
BENCHMARK(on_device<gemm_library_cuda>)->Name("gemm_library_cuda")->Apply(products);
BENCHMARK(on_device<gemm_double_cuda>)->Name("gemm_double_cuda")->Apply(products);
BENCHMARK(on_device<gat_attention_cuda>)->Name("gat_attention_cuda")->Apply(layers);
BENCHMARK(on_device<gat_attention_backward_cuda>)
    ->Name("gat_attention_backward_cuda")
    ->Apply(layers);
BENCHMARK(on_device<gat_features_cuda>)->Name("gat_features_cuda")->Apply(layers);
BENCHMARK(on_device<gat_features_backward_cuda>)->Name("gat_features_backward_cuda")->Apply(layers);
BENCHMARK(on_device<argsort_cuda>)->Name("argsort_cuda")->Apply(lengths);

}  // namespace
}  // namespace m2st::bench

#endif
