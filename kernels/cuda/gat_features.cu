// The forward of the attention of raw features on CUDA: one warp a node, all its heads. Weights as
// in gat.cu, a strip of 32 / heads edges at a time; then every row is read once for four heads, all
// lanes side by side over its columns.
#include "kernels/attention_shapes.h"
#include "kernels/cuda/gat_forward.cuh"
#include "kernels/gat_features.h"

namespace m2st::kernels {

namespace {

constexpr int kHeadsAtOnce = 4;

template <class T>
struct FeaturesForward {
  CsrPointers graph;
  AttentionEdges<T> edges;
  int width;
  const T* features;
  T* log_sums;
  T* out;
};

// Adds a strip's rows to the sums of up to four heads from `head` on; `slot` is the first's place
// among the lanes of an edge. All lanes walk together, because weights come by shuffles.
template <int kPack, class T>
__device__ void add_strip(const FeaturesForward<T>& job, std::int64_t node, int head, int slot,
                          int heads, const ForwardStrip<T>& strip) {
  const int lanes_an_edge = job.edges.lanes_an_edge;
  T* out = job.out + (node * job.edges.heads + head) * job.width;
  for (int base = 0; base < job.width; base += kWarp * kPack) {
    const int c = base + static_cast<int>(threadIdx.x) % kWarp * kPack;
    const bool active = c < job.width;
    Pack<T, kPack> sums[kHeadsAtOnce] = {};
#pragma unroll
    for (int h = 0; h < kHeadsAtOnce; ++h) {
      if (active && !strip.first && h < heads) sums[h] = load_pack<kPack>(out + h * job.width + c);
    }
    for (int k = 0; k < strip.count; ++k) {
      const std::int64_t source = __shfl_sync(kAllLanes, strip.source, k * lanes_an_edge);
      Pack<T, kPack> values{};
      if (active) values = load_pack<kPack>(job.features + source * job.width + c);
#pragma unroll
      for (int h = 0; h < kHeadsAtOnce; ++h) {
        const int from = k * lanes_an_edge + slot + (h < heads ? h : 0);
        const T weight = __shfl_sync(kAllLanes, strip.weight, from);
#pragma unroll
        for (int i = 0; i < kPack; ++i) sums[h].of[i] += weight * values.of[i];
      }
    }
#pragma unroll
    for (int h = 0; h < kHeadsAtOnce; ++h) {
      if (active && h < heads) store_pack(sums[h], out + h * job.width + c);
    }
  }
}

template <int kPack, class T>
__global__ void gat_features_kernel(FeaturesForward<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;  // the whole warp
  job.edges.key = key_of_epoch(job.edges.key);
  const int lanes_an_edge = job.edges.lanes_an_edge;
  for_each_strip(job.graph, job.edges, node, job.log_sums,
                 [&](int first_head, const ForwardStrip<T>& strip) {
                   for (int slot = 0; slot < lanes_an_edge; slot += kHeadsAtOnce) {
                     const int heads = heads_at_once<kHeadsAtOnce>(job.edges, first_head, slot);
                     if (heads > 0) {
                       add_strip<kPack>(job, node, first_head + slot, slot, heads, strip);
                     }
                   }
                 });
}

}  // namespace

template <class T>
void gat_features(CudaContext& context, const GraphView& graph, const AttentionOptions& options,
                  MatrixView<const T> features, MatrixView<const T> source_scores,
                  MatrixView<const T> destination_scores, MatrixView<T> log_sums,
                  MatrixView<T> out) {
  check_features<T>("gat_features", graph, options, features, source_scores, destination_scores,
                    log_sums, out);
  if (graph.nodes() == 0) return;
  const FeaturesForward<T> job{pointers_of(graph.in),
                               attention_edges(graph, options, source_scores, destination_scores),
                               static_cast<int>(features.cols),
                               features.data,
                               log_sums.data,
                               out.data};
  const int pack = columns_a_lane(job.width, job.features, job.out);
  const auto kernel = pack == 4   ? gat_features_kernel<kWidestPack<T>, T>
                      : pack == 2 ? gat_features_kernel<2, T>
                                  : gat_features_kernel<1, T>;
  launch(kernel, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0, context, job);
}

#define INSTANTIATE(T)                                                                         \
  template void gat_features<T>(CudaContext&, const GraphView&, const AttentionOptions&,       \
                                MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
                                MatrixView<T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
