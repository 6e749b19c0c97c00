// The fused attention's forward on CUDA: one warp a node, all its heads. Two walks over the
// in-edges (gat_forward.cuh), as on the CPU; all lanes go side by side over a head's features. A
// strip's weights live in registers: no edge-sized array is kept.
#include "kernels/attention_shapes.h"
#include "kernels/cuda/gat_forward.cuh"
#include "kernels/gat.h"

namespace m2st::kernels {

namespace {

template <class T>
struct AttentionForward {
  CsrPointers graph;
  AttentionEdges<T> edges;
  int width;  // of a head
  const T* projected;
  const T* bias;  // null: none
  T* log_sums;
  T* out;
};

// Adds a strip's rows to the features of one head; `slot` is the head's place among the lanes of an
// edge. All lanes walk together, because weights come by shuffles.
template <int kPack, class T>
__device__ void add_strip(const AttentionForward<T>& job, std::int64_t node, int head, int slot,
                          const ForwardStrip<T>& strip) {
  const int lanes_an_edge = job.edges.lanes_an_edge;
  const std::int64_t row = static_cast<std::int64_t>(job.edges.heads) * job.width;
  T* out = job.out + node * row + head * job.width;
  for (int base = 0; base < job.width; base += kWarp * kPack) {
    const int c = base + static_cast<int>(threadIdx.x) % kWarp * kPack;
    const bool active = c < job.width;
    Pack<T, kPack> sum{};
    if (active && !strip.first) sum = load_pack<kPack>(out + c);
    if (active && strip.first && job.bias != nullptr) {
      sum = load_pack<kPack>(job.bias + head * job.width + c);
    }
#pragma unroll 4
    for (int k = 0; k < strip.count; ++k) {
      const T weight = __shfl_sync(kAllLanes, strip.weight, k * lanes_an_edge + slot);
      const std::int64_t source = __shfl_sync(kAllLanes, strip.source, k * lanes_an_edge);
      if (!active) continue;
      const auto values = load_pack<kPack>(job.projected + source * row + head * job.width + c);
#pragma unroll
      for (int i = 0; i < kPack; ++i) sum.of[i] += weight * values.of[i];
    }
    if (active) store_pack(sum, out + c);
  }
}

template <int kPack, class T>
__global__ void gat_attention_kernel(AttentionForward<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;  // the whole warp
  job.edges.key = key_of_epoch(job.edges.key);
  for_each_strip(job.graph, job.edges, node, job.log_sums,
                 [&](int first_head, const ForwardStrip<T>& strip) {
                   const int heads = heads_at_once<kWarp>(job.edges, first_head, 0);
                   for (int slot = 0; slot < heads; ++slot) {
                     add_strip<kPack>(job, node, first_head + slot, slot, strip);
                   }
                 });
}

}  // namespace

template <class T>
void gat_attention(CudaContext& context, const GraphView& graph, const AttentionOptions& options,
                   MatrixView<const T> projected, MatrixView<const T> source_scores,
                   MatrixView<const T> destination_scores, Span<const T> bias,
                   MatrixView<T> log_sums, MatrixView<T> out) {
  check_attention<T>("gat_attention", graph, options, projected, source_scores, destination_scores,
                     bias, log_sums, out);
  if (graph.nodes() == 0) return;
  const AttentionForward<T> job{pointers_of(graph.in),
                                attention_edges(graph, options, source_scores, destination_scores),
                                static_cast<int>(projected.cols / source_scores.cols),
                                projected.data,
                                bias.empty() ? nullptr : bias.data(),
                                log_sums.data,
                                out.data};
  const int pack = columns_a_lane(job.width, job.projected, job.out, job.bias);
  const auto kernel = pack == 4   ? gat_attention_kernel<kWidestPack<T>, T>
                      : pack == 2 ? gat_attention_kernel<2, T>
                                  : gat_attention_kernel<1, T>;
  launch(kernel, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0, context, job);
}

#define INSTANTIATE(T)                                                                          \
  template void gat_attention<T>(CudaContext&, const GraphView&, const AttentionOptions&,       \
                                 MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
                                 Span<const T>, MatrixView<T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
