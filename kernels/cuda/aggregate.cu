// Weighted sums over edges on CUDA: a warp to an output row, its lanes side by side over the
// columns, 16 bytes a lane where rows allow.
#include "engine/check.h"
#include "kernels/aggregate.h"
#include "kernels/cuda/edge_lanes.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr int kEdgesAtOnce = 4;  // dots of as many edges share their shuffles

// out[i,h,:] = Σ weight[e,h] · features[neighbour,h,:] over the positions p of node i, where e is
// edges[p] (null: p). Without weights: the plain mean.
template <class T>
struct WeightedSum {
  CsrPointers graph;
  const std::int64_t* edges;
  const T* weights;
  int heads;
  int width;  // of a head
  const T* features;
  T* out;
  bool add;
};

template <int kPack, class T>
__global__ void weighted_sum_kernel(WeightedSum<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;
  const std::int64_t row = static_cast<std::int64_t>(job.heads) * job.width;
  const std::int64_t begin = job.graph.offsets[node];
  const std::int64_t end = job.graph.offsets[node + 1];
  const T share = end > begin ? T(1) / static_cast<T>(end - begin) : T(0);
  for (std::int64_t c = threadIdx.x % kWarp * kPack; c < row; c += kWarp * kPack) {
    const int head = static_cast<int>(c) / job.width;
    Pack<T, kPack> sum = job.add ? load_pack<kPack>(job.out + node * row + c) : Pack<T, kPack>{};
#pragma unroll 4
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t e = job.edges == nullptr ? p : job.edges[p];
      const T weight = job.weights == nullptr ? share : job.weights[e * job.heads + head];
      const auto values = load_pack<kPack>(job.features + job.graph.neighbours[p] * row + c);
#pragma unroll
      for (int k = 0; k < kPack; ++k) sum.of[k] += weight * values.of[k];
    }
    store_pack(sum, job.out + node * row + c);
  }
}

template <class T>
void add_weighted_rows(CudaContext& context, const WeightedSum<T>& job) {
  if (job.graph.nodes == 0 || job.heads * job.width == 0) return;
  constexpr int kWide = kWidestPack<T>;
  const bool wide = fits_packs<kWide>(job.width, job.features, job.out);
  launch(wide ? weighted_sum_kernel<kWide, T> : weighted_sum_kernel<1, T>,
         one_warp_a_node(job.graph.nodes), dim3(kBlockThreads), 0, context, job);
}

template <class T>
struct SampledProduct {
  CsrPointers graph;
  int heads;
  int width;  // of a head
  const T* features;
  const T* grad_out;
  T* grad_weights;
  bool add;
};

template <class T>
__global__ void sampled_product_kernel(SampledProduct<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;  // the whole warp
  const int lane = threadIdx.x % kWarp;
  const std::int64_t row = static_cast<std::int64_t>(job.heads) * job.width;
  const std::int64_t end = job.graph.offsets[node + 1];
  for (std::int64_t first = job.graph.offsets[node]; first < end; first += kEdgesAtOnce) {
    for (int h = 0; h < job.heads; ++h) {
      T partial[kEdgesAtOnce] = {};
      for (int c = h * job.width + lane; c < (h + 1) * job.width; c += kWarp) {
        const T gradient = job.grad_out[node * row + c];
#pragma unroll
        for (int k = 0; k < kEdgesAtOnce; ++k) {
          if (first + k < end) {
            partial[k] += gradient * job.features[job.graph.neighbours[first + k] * row + c];
          }
        }
      }
      const T sum = warp_sum_of_four(partial);
      const std::int64_t e = first + lane / 8;
      if (lane % 8 == 0 && e < end) {
        T& target = job.grad_weights[e * job.heads + h];
        target = job.add ? target + sum : sum;
      }
    }
  }
}

}  // namespace

template <class T>
void aggregate(CudaContext& context, CsrView graph, MatrixView<const T> weights,
               MatrixView<const T> features, MatrixView<T> out) {
  const std::int64_t heads = weights.cols;
  check_aggregate<T>("aggregate", graph.nodes(), graph.edges(), weights, features, out);
  add_weighted_rows(
      context, WeightedSum<T>{pointers_of(graph), nullptr, weights.data, static_cast<int>(heads),
                              static_cast<int>(out.cols / heads), features.data, out.data, false});
}

template <class T>
void aggregate_backward_features(CudaContext& context, const GraphView& graph,
                                 MatrixView<const T> weights, MatrixView<const T> grad_out,
                                 MatrixView<T> grad_features, Accumulate accumulate) {
  const std::int64_t heads = weights.cols;
  check_aggregate<T>("aggregate_backward_features", graph.nodes(), graph.edges(), weights, grad_out,
                     grad_features);
  add_weighted_rows(
      context, WeightedSum<T>{pointers_of(graph.out), graph.out.edges.data(), weights.data,
                              static_cast<int>(heads), static_cast<int>(grad_out.cols / heads),
                              grad_out.data, grad_features.data, accumulate == Accumulate::kAdd});
}

template <class T>
void aggregate_backward_weights(CudaContext& context, CsrView graph, MatrixView<const T> features,
                                MatrixView<const T> grad_out, MatrixView<T> grad_weights,
                                Accumulate accumulate) {
  const std::int64_t heads = grad_weights.cols;
  check_aggregate<T>("aggregate_backward_weights", graph.nodes(), graph.edges(), grad_weights,
                     features, grad_out);
  if (grad_weights.size() == 0) return;
  const SampledProduct<T> job{pointers_of(graph),
                              static_cast<int>(heads),
                              static_cast<int>(features.cols / heads),
                              features.data,
                              grad_out.data,
                              grad_weights.data,
                              accumulate == Accumulate::kAdd};
  launch(sampled_product_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0, context,
         job);
}

template <class T>
void neighbour_mean(CudaContext& context, CsrView graph, MatrixView<const T> features,
                    MatrixView<T> out) {
  M2ST_CHECK(
      features.rows == graph.nodes() && out.rows == graph.nodes() && features.cols == out.cols,
      "neighbour_mean: ", features.rows, " x ", features.cols, " in, ", out.rows, " x ", out.cols,
      " out, the graph has ", graph.nodes(), " nodes");
  add_weighted_rows(
      context, WeightedSum<T>{pointers_of(graph), nullptr, nullptr, 1, static_cast<int>(out.cols),
                              features.data, out.data, false});
}

#define INSTANTIATE(T)                                                                         \
  template void aggregate<T>(CudaContext&, CsrView, MatrixView<const T>, MatrixView<const T>,  \
                             MatrixView<T>);                                                   \
  template void aggregate_backward_features<T>(CudaContext&, const GraphView&,                 \
                                               MatrixView<const T>, MatrixView<const T>,       \
                                               MatrixView<T>, Accumulate);                     \
  template void aggregate_backward_weights<T>(CudaContext&, CsrView, MatrixView<const T>,      \
                                              MatrixView<const T>, MatrixView<T>, Accumulate); \
  template void neighbour_mean<T>(CudaContext&, CsrView, MatrixView<const T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
