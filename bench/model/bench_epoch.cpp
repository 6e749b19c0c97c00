// One epoch of training: mask, forward, backward, Adam's step; and one embedding pass. Arguments:
// nodes, width, hidden, scales, path (0: fused and pruned, 1: the plain tape, 2: as 0, sums before
// projections), products (of float: 0 in float32, 1 TF32, 2 BF16). FLOP/s counts the matrix
// products that pruning leaves, so %gemm says how far the epoch is from them alone, in float32: in
// BF16 it may pass 100, in double it ends at half. MB is the memory pool's peak.
#include "bench/support.h"
#include "engine/communicator.h"
#include "engine/context.h"
#include "model/masks.h"
#include "model/training_step.h"

namespace m2st::bench {
namespace {

template <class T>
struct Training {
  explicit Training(const benchmark::State& state)
      : nodes(state.range(0)), width(state.range(1)), graph(lattice_graph(nodes)) {
    config.hidden = static_cast<int>(state.range(2));
    config.scales = static_cast<int>(state.range(3));
    constexpr model::Path kPaths[] = {model::Path::kFused, model::Path::kPlain,
                                      model::Path::kAggregated};
    path = kPaths[state.range(4)];
    constexpr MatmulPrecision kPrecisions[] = {MatmulPrecision::kHighest, MatmulPrecision::kHigh,
                                               MatmulPrecision::kMedium};
    context.set_matmul_precision(kPrecisions[state.range(5)]);
    features = random_matrix<T>(context.host(), nodes, width, 1);
  }
  void epoch(const model::Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters) {
    ++epochs;
    const model::MaskDraw mask =
        model::draw_mask(0, static_cast<std::uint32_t>(epochs), train.mask_rate, 0, graph.ids);
    model::training_step<T>(context, communicator, autoencoder, parameters, graph.view(),
                            features.view(), mask, train, epochs, path);
    parameters.adam_step(context, {}, epochs);
  }
  // Multiply-adds of the products an epoch cannot do without, times two: the shared layer forward
  // and, as its input needs no gradient, once backward; then, forward and twice backward, scale by
  // scale the encoder, the linear map for the rows that are not masked and the decoder (for as many
  // rows as are).
  double operations() const {
    const double d = static_cast<double>(width), heads = config.heads, masked = train.mask_rate;
    double products = 2.0 / 3 * heads * d * d;
    for (int m = 0; m < config.scales; ++m) {
      const double h = static_cast<double>(config.hidden >> m);
      products += heads * d * h + (config.layers - masked) * h * h + masked * d * h;
    }
    return 2 * 3 * products * static_cast<double>(nodes);
  }

  std::int64_t nodes, width;
  LatticeGraph graph;
  Context context = cpu_context();
  Communicator communicator;
  model::AutoencoderConfig config;
  model::TrainConfig train;
  model::Path path = model::Path::kFused;
  Matrix<T> features;
  int epochs = 0;
};

template <class T>
void epoch(benchmark::State& state) {
  Training<T> t(state);
  const model::Autoencoder autoencoder(t.config, t.width);
  autograd::ParameterBlock<T> parameters(t.context, autoencoder.layout(), 0);
  t.epoch(autoencoder, parameters);  // the first takes its memory from the system
  for (auto _ : state) t.epoch(autoencoder, parameters);
  report(state, 0, t.operations());
  state.counters["peak_bytes"] = static_cast<double>(t.context.pool().peak());
}

template <class T>
void embed(benchmark::State& state) {
  Training<T> t(state);
  const model::Autoencoder autoencoder(t.config, t.width);
  const autograd::ParameterBlock<T> parameters(t.context, autoencoder.layout(), 0);
  const model::PlacedData<T> data(t.context, t.graph.view(), t.features.view());
  for (auto _ : state) {
    benchmark::DoNotOptimize(model::embed<T>(t.context, autoencoder, parameters, data));
  }
  report(state, 0, 0);
  state.counters["peak_bytes"] = static_cast<double>(t.context.pool().peak());
}

void arguments(benchmark::internal::Benchmark* family) {
  family->ArgNames({"nodes", "width", "hidden", "scales", "path", "products"});
  family->UseRealTime()->Unit(benchmark::kMillisecond);
}

void networks(benchmark::internal::Benchmark* family) {
  arguments(family);
  family->Args({1207, 300, 256, 2, 0, 0})->Args({3798, 200, 256, 2, 0, 0});
  family->Args({3798, 200, 256, 2, 1, 0})->Args({3798, 200, 128, 2, 0, 0});
  family->Args({3798, 200, 256, 1, 0, 0})->Args({3798, 200, 256, 3, 0, 0});
  family->Args({41786, 200, 256, 2, 0, 0});
}

void sums_first(benchmark::internal::Benchmark* family) {
  family->Args({1207, 300, 256, 2, 2, 0})->Args({3798, 200, 256, 2, 2, 0});
  family->Args({41786, 200, 256, 2, 2, 0});
}

void reduced_products(benchmark::internal::Benchmark* family) {
  for (const std::int64_t products : {1, 2}) {
    family->Args({1207, 300, 256, 2, 0, products})->Args({3798, 200, 256, 2, 0, products});
    family->Args({41786, 200, 256, 2, 0, products});
  }
}

void large_tissues(benchmark::internal::Benchmark* family) {
  family->Args({100000, 50, 64, 2, 0, 0})->Args({1000000, 50, 64, 2, 0, 0});
}

void in_double(benchmark::internal::Benchmark* family) {
  arguments(family);
  family->Args({1207, 300, 256, 2, 0, 0})->Args({3798, 200, 256, 2, 0, 0});
}
BENCHMARK_TEMPLATE(epoch, float)
    ->Apply(networks)
    ->Apply(sums_first)
    ->Apply(reduced_products)
    ->Apply(large_tissues);
BENCHMARK_TEMPLATE(epoch, double)->Apply(in_double);
BENCHMARK_TEMPLATE(embed, float)->Apply(networks);

}  // namespace
}  // namespace m2st::bench
