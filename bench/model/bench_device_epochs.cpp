// Epochs on a CUDA device, ten at a time as training asks for them: captured before the clock
// starts, so an iteration is ten launches of the graph and one wait for their losses. Arguments:
// nodes, width, hidden, scales, products (0: the engine's own in float32, 1: cuBLASLt's in TF32, 2:
// its in BF16). The counter `epoch` is the time of one, `peak_bytes` what training takes of the
// device's memory, its graph included. Only in builds with CUDA.
#if defined(M2ST_WITH_CUDA)

#include <algorithm>
#include <memory>
#include <optional>
#include <type_traits>

#include "bench/device.h"
#include "bench/support.h"
#include "engine/cublas_lt.h"
#include "model/device_epochs.h"

namespace m2st::bench {
namespace {

constexpr int kEpochsAtOnce = 10;

// A training is over after its epochs, the clock's iterations are not: it begins again at the
// first, with the weights that it has.
void time_epochs(benchmark::State& state, const model::RunEpochs& run, int epochs_of_training) {
  int done = 0;
  const auto epochs = [&](int count) {
    if (done + count > epochs_of_training) done = 0;
    benchmark::DoNotOptimize(run(done + 1, count));
    done += count;
  };
  epochs(kEpochsAtOnce);  // the first fills the pools, the second is captured
  for (auto _ : state) epochs(kEpochsAtOnce);
  using benchmark::Counter;
  state.counters["epoch"] =
      Counter(kEpochsAtOnce, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

// Not below zero: the device's memory is shared with whatever else runs there.
double taken_bytes(const CudaContext& cuda, std::int64_t free_before) {
  return static_cast<double>(std::max<std::int64_t>(0, free_before - cuda.free_bytes()));
}

void train(benchmark::State& state, CudaContext& cuda, Context& context) {
  const std::int64_t free_before = cuda.free_bytes();
  model::AutoencoderConfig config;
  config.hidden = static_cast<int>(state.range(2));
  config.scales = static_cast<int>(state.range(3));
  const LatticeGraph graph = lattice_graph(state.range(0));
  const Matrix<float> features =
      random_matrix<float>(context.host(), state.range(0), state.range(1), 1);
  const model::Autoencoder autoencoder(config, state.range(1));
  autograd::ParameterBlock<float> parameters(context, autoencoder.layout(), 0);
  const model::PlacedData<float> data(context, graph.view(), features.view());
  const model::TrainConfig train;
  const model::RunEpochs run =
      model::epochs_on_device<float>(cuda, context, autoencoder, parameters, data, train, {});
  time_epochs(state, run, train.epochs);
  state.counters["peak_bytes"] = taken_bytes(cuda, free_before);
}

void train_by_library(benchmark::State& state, CudaContext& cuda, Context& context) {
  try {
    cuda.use_cublas_lt(std::make_shared<CublasLt>(cuda));
  } catch (const Error& error) {
    state.SkipWithError(error.what());
    return;
  }
  cuda.set_matmul_precision(state.range(4) == 1 ? MatmulPrecision::kHigh
                                                : MatmulPrecision::kMedium);
  train(state, cuda, context);
}

void epoch_cuda(benchmark::State& state) {
  std::optional<Context> device = device_context(state);
  if (!device) return;
  device->dispatch([&](auto& backend) {
    if constexpr (std::is_same_v<std::decay_t<decltype(backend)>, CudaContext>) {
      state.range(4) == 0 ? train(state, backend, *device)
                          : train_by_library(state, backend, *device);
    }
  });
}

void networks(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "width", "hidden", "scales", "products"});
  family->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const std::int64_t products : {0, 1, 2}) {
    family->Args({1207, 300, 256, 2, products})->Args({3798, 200, 256, 2, products});
    family->Args({41786, 200, 256, 2, products})->Args({1000000, 50, 64, 2, products});
  }
}
BENCHMARK(epoch_cuda)->Apply(networks);

}  // namespace
}  // namespace m2st::bench

#endif
