// The fused attention's backward on CUDA, in the CPU's three passes, a warp a node in each: by
// destination (row terms), by source (features and the sources' scores, from one gather of grad_out
// rows over the transpose), and by destination again (the destinations' scores, from the logits'
// gradients that the second pass leaves behind).
#include "engine/array.h"
#include "kernels/attention_shapes.h"
#include "kernels/cuda/gat_destinations.cuh"
#include "kernels/cuda/gat_edges.cuh"
#include "kernels/gat.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

constexpr int kEdgesAtOnce = 4;  // dots of as many edges share their shuffles

template <class T>
struct RowTerms {
  std::int64_t nodes;
  int heads;
  int width;  // of a head
  const T* out;
  const T* bias;  // null: none
  const T* grad_out;
  T* row_terms;
};

// S[i,h] = grad_out · (out − bias).
template <class T>
__global__ void row_terms_kernel(RowTerms<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.nodes) return;  // the whole warp
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const std::int64_t first = node * job.heads * job.width;
  for (int h = 0; h < job.heads; ++h) {
    T term = 0;
    for (int c = h * job.width + lane; c < (h + 1) * job.width; c += kWarp) {
      const T shift = job.bias == nullptr ? T(0) : job.bias[c];
      term += job.grad_out[first + c] * (job.out[first + c] - shift);
    }
    term = warp_sum(term, 1);
    if (lane == 0) job.row_terms[node * job.heads + h] = term;
  }
}

template <class T>
struct SourcesBackward {
  CsrPointers graph;             // by source
  const std::int64_t* edge_ids;  // of its positions
  AttentionEdges<T> edges;
  int width;
  const T* projected;
  const T* log_sums;
  const T* row_terms;
  const T* grad_out;
  T* grad_projected;
  T* grad_source_scores;
  T* grad_logits;  // (E, H), by in-edge
};

// One strip of out-edges as the warp holds it: of the lane's edge and head the weight after
// dropout; the edge's other end.
template <class T>
struct BackwardStrip {
  T coefficient;
  std::int32_t destination;
  int count;
  bool first;
};

// Σ coefficient · grad_out rows into the features of one head, and on the way the products grad_out
// · features; returns the lane's own edge's product if `slot` is its head, 0 otherwise.
template <int kPack, class T>
__device__ T gather_strip(const SourcesBackward<T>& job, std::int64_t node, int head, int slot,
                          const BackwardStrip<T>& strip) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int lanes_an_edge = job.edges.lanes_an_edge;
  const int own_edge = lane / lanes_an_edge;
  const std::int64_t row = static_cast<std::int64_t>(job.edges.heads) * job.width;
  const std::int64_t at = node * row + head * job.width;
  T product = 0;
  for (int base = 0; base < job.width; base += kWarp * kPack) {
    const int c = base + lane * kPack;
    const bool active = c < job.width;
    Pack<T, kPack> own{}, sum{};
    if (active) own = load_pack<kPack>(job.projected + at + c);
    if (active && !strip.first) sum = load_pack<kPack>(job.grad_projected + at + c);
    for (int k = 0; k < strip.count; k += kEdgesAtOnce) {
      T partial[kEdgesAtOnce] = {};
#pragma unroll
      for (int j = 0; j < kEdgesAtOnce; ++j) {
        if (k + j >= strip.count) break;
        const T coefficient =
            __shfl_sync(kAllLanes, strip.coefficient, (k + j) * lanes_an_edge + slot);
        const std::int64_t destination =
            __shfl_sync(kAllLanes, strip.destination, (k + j) * lanes_an_edge);
        if (!active) continue;
        const auto gradient =
            load_pack<kPack>(job.grad_out + destination * row + head * job.width + c);
#pragma unroll
        for (int i = 0; i < kPack; ++i) {
          sum.of[i] += coefficient * gradient.of[i];
          partial[j] += gradient.of[i] * own.of[i];
        }
      }
      const T total = warp_sum_of_four(partial);
      const T of_own = __shfl_sync(kAllLanes, total, ((own_edge - k) & (kEdgesAtOnce - 1)) * 8);
      const bool mine =
          lane % lanes_an_edge == slot && own_edge >= k && own_edge < k + kEdgesAtOnce;
      if (mine) product += of_own;
    }
    if (active) store_pack(sum, job.grad_projected + at + c);
  }
  return product;
}

template <int kPack, class T>
__global__ void sources_backward_kernel(SourcesBackward<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;  // the whole warp
  job.edges.key = key_of_epoch(job.edges.key);
  const AttentionEdges<T>& edges = job.edges;
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int step = kWarp / edges.lanes_an_edge;
  const std::int64_t begin = job.graph.offsets[node];
  const std::int64_t end = job.graph.offsets[node + 1];
  for (int first_head = 0; first_head < edges.heads; first_head += edges.lanes_an_edge) {
    const int head = first_head + lane % edges.lanes_an_edge;
    T grad_score = 0;
    std::int64_t at = begin;
    do {
      const std::int64_t p = at + lane / edges.lanes_an_edge;
      const std::int64_t left = end - at;
      const bool owner = p < end && head < edges.heads;
      BackwardStrip<T> strip{T(0), 0, static_cast<int>(left < step ? left : step), at == begin};
      T weight = 0, factor = 0;
      if (owner) {
        strip.destination = job.graph.neighbours[p];
        const std::int64_t score =
            static_cast<std::int64_t>(strip.destination) * edges.heads + head;
        weight = exp(edges.logit(node, strip.destination, head) - job.log_sums[score]);
        factor = edges.factor(node, strip.destination, head);
        strip.coefficient = weight * factor;
      }
      T product = 0;
      for (int slot = 0; slot < edges.lanes_an_edge && first_head + slot < edges.heads; ++slot) {
        product += gather_strip<kPack>(job, node, first_head + slot, slot, strip);
      }
      if (owner) {
        const std::int64_t score =
            static_cast<std::int64_t>(strip.destination) * edges.heads + head;
        const T gradient = weight * (product * factor - job.row_terms[score]);
        job.grad_logits[job.edge_ids[p] * edges.heads + head] = gradient;
        grad_score += gradient * attention_logit_derivative(
                                     edges.sum(node, strip.destination, head), edges.leaky_slope);
      }
      at += step;
    } while (at < end);
    grad_score = warp_sum(grad_score, edges.lanes_an_edge);
    if (lane < edges.lanes_an_edge && head < edges.heads) {
      job.grad_source_scores[node * edges.heads + head] = grad_score;
    }
  }
}

template <class T>
void walk_sources(CudaContext& context, const SourcesBackward<T>& job) {
  const int pack = columns_a_lane(job.width, job.projected, job.grad_out, job.grad_projected);
  const auto kernel = pack == 4   ? sources_backward_kernel<kWidestPack<T>, T>
                      : pack == 2 ? sources_backward_kernel<2, T>
                                  : sources_backward_kernel<1, T>;
  launch(kernel, one_warp_a_node(job.graph.nodes), dim3(kBlockThreads), 0, context, job);
}

}  // namespace

template <class T>
void gat_attention_backward(CudaContext& context, const GraphView& graph,
                            const AttentionOptions& options, MatrixView<const T> projected,
                            MatrixView<const T> source_scores,
                            MatrixView<const T> destination_scores, Span<const T> bias,
                            MatrixView<const T> log_sums, MatrixView<const T> out,
                            MatrixView<const T> grad_out, MatrixView<T> grad_projected,
                            MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                            Span<T> grad_bias, Accumulate accumulate_bias) {
  check_attention<T>("gat_attention_backward", graph, options, projected, source_scores,
                     destination_scores, bias, log_sums, out);
  check_attention<T>("gat_attention_backward", graph, options, grad_projected, grad_source_scores,
                     grad_destination_scores, grad_bias, log_sums, grad_out);
  if (!grad_bias.empty()) column_sums<T>(context, grad_out, grad_bias, accumulate_bias);
  const std::int64_t nodes = graph.nodes();
  if (nodes == 0) return;
  const std::int64_t heads = source_scores.cols;
  const int width = static_cast<int>(projected.cols / heads);
  Matrix<T> row_terms(context.pool(), nodes, heads);
  Matrix<T> grad_logits(context.pool(), graph.edges(), heads);
  const AttentionEdges<T> edges =
      attention_edges(graph, options, source_scores, destination_scores);
  launch(row_terms_kernel<T>, one_warp_a_node(nodes), dim3(kBlockThreads), 0, context,
         RowTerms<T>{nodes, edges.heads, width, out.data, bias.empty() ? nullptr : bias.data(),
                     grad_out.data, row_terms.data()});
  walk_sources(context, SourcesBackward<T>{pointers_of(graph.out), graph.out.edges.data(), edges,
                                           width, projected.data, log_sums.data, row_terms.data(),
                                           grad_out.data, grad_projected.data,
                                           grad_source_scores.data, grad_logits.data()});
  find_destination_scores<T>(context, graph, edges, grad_logits.view(), grad_destination_scores);
}

#define INSTANTIATE(T)                                                                             \
  template void gat_attention_backward<T>(CudaContext&, const GraphView&, const AttentionOptions&, \
                                          MatrixView<const T>, MatrixView<const T>,                \
                                          MatrixView<const T>, Span<const T>, MatrixView<const T>, \
                                          MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                          MatrixView<T>, MatrixView<T>, Span<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
