// The backward of the attention of raw features on CUDA, a warp a node. One walk over the in-edges
// reads every row once for four heads: its products with the gradients of the sums give those of
// the logits, and where it is a token's row, its share of the token's gradient, kept node by node
// and summed down the columns. What is left are sums of numbers: the destinations' scores as in
// gat_backward.cu, the sources' by their out-edges.
#include "engine/array.h"
#include "kernels/attention_shapes.h"
#include "kernels/cuda/gat_destinations.cuh"
#include "kernels/cuda/gat_edges.cuh"
#include "kernels/gat_features.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

constexpr int kHeadsAtOnce = 4;  // their products share shuffles: warp_sum_of_four

template <class T>
struct FeaturesBackward {
  CsrPointers graph;
  AttentionEdges<T> edges;
  int width;
  const T* features;
  const T* log_sums;
  const T* grad_out;
  const std::int32_t* token_of;  // (N): the row's place among the tokens or −1; null: no tokens
  const T* token_factors;
  T* token_terms;  // (N, D): what a node gives to the token's gradient
  T* grad_logits;  // (E, H), by in-edge
};

// One strip of in-edges as the warp holds it: of the lane's edge and head the weight after dropout,
// and of the edge its source and that row's place among the tokens.
template <class T>
struct BackwardStrip {
  T coefficient;
  std::int32_t source;
  std::int32_t token;
  int count;
};

// Up to four heads from `head` on; `slot` is the first's place among the lanes of an edge.
struct HeadsOfStrip {
  int head;
  int slot;
  int count;
  bool first;  // of the node's: its token's terms are written, not added to
};

// token_sum += factors · Σ_h coefficient_h · gradients_h. All lanes walk together.
template <int kPack, class T>
__device__ void add_token_term(const FeaturesBackward<T>& job, const BackwardStrip<T>& strip, int k,
                               const HeadsOfStrip& part, int c,
                               const Pack<T, kPack> (&gradients)[kHeadsAtOnce],
                               Pack<T, kPack>& token_sum) {
  const int lanes_an_edge = job.edges.lanes_an_edge;
  const std::int64_t token = __shfl_sync(kAllLanes, strip.token, k * lanes_an_edge);
  if (token < 0) return;  // the whole warp
  Pack<T, kPack> total{}, factors{};
  if (c < job.width) factors = load_pack<kPack>(job.token_factors + token * job.width + c);
#pragma unroll
  for (int h = 0; h < kHeadsAtOnce; ++h) {
    const int from = k * lanes_an_edge + part.slot + (h < part.count ? h : 0);
    const T coefficient = __shfl_sync(kAllLanes, strip.coefficient, from);
#pragma unroll
    for (int i = 0; i < kPack; ++i) total.of[i] += coefficient * gradients[h].of[i];
  }
#pragma unroll
  for (int i = 0; i < kPack; ++i) token_sum.of[i] += factors.of[i] * total.of[i];
}

// The products of a strip's rows with the gradients of some heads; returns that of the lane's own
// edge and head, 0 where the head is none of them.
template <int kPack, class T>
__device__ T gather_strip(const FeaturesBackward<T>& job, std::int64_t node,
                          const HeadsOfStrip& part, const BackwardStrip<T>& strip) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int lanes_an_edge = job.edges.lanes_an_edge;
  const int own_edge = lane / lanes_an_edge;
  const int own_head = lane % lanes_an_edge - part.slot;
  const T* grad_out = job.grad_out + (node * job.edges.heads + part.head) * job.width;
  T* token_terms = job.token_of == nullptr ? nullptr : job.token_terms + node * job.width;
  T product = 0;
  for (int base = 0; base < job.width; base += kWarp * kPack) {
    const int c = base + lane * kPack;
    const bool active = c < job.width;
    Pack<T, kPack> gradients[kHeadsAtOnce] = {};
    Pack<T, kPack> token_sum{};
#pragma unroll
    for (int h = 0; h < kHeadsAtOnce; ++h) {
      if (active && h < part.count) gradients[h] = load_pack<kPack>(grad_out + h * job.width + c);
    }
    if (active && token_terms != nullptr && !part.first) {
      token_sum = load_pack<kPack>(token_terms + c);
    }
    for (int k = 0; k < strip.count; ++k) {
      const std::int64_t source = __shfl_sync(kAllLanes, strip.source, k * lanes_an_edge);
      Pack<T, kPack> values{};
      if (active) values = load_pack<kPack>(job.features + source * job.width + c);
      T partial[kHeadsAtOnce] = {};
#pragma unroll
      for (int h = 0; h < kHeadsAtOnce; ++h) {
#pragma unroll
        for (int i = 0; i < kPack; ++i) partial[h] += gradients[h].of[i] * values.of[i];
      }
      const T total = warp_sum_of_four(partial);
      const T of_own = __shfl_sync(kAllLanes, total, (own_head & (kHeadsAtOnce - 1)) * 8);
      if (own_edge == k && own_head >= 0 && own_head < part.count) product += of_own;
      if (token_terms != nullptr) add_token_term(job, strip, k, part, c, gradients, token_sum);
    }
    if (active && token_terms != nullptr) store_pack(token_sum, token_terms + c);
  }
  return product;
}

// Of the lane's edge and head; the others of the warp have no edge.
template <class T>
__device__ T weight_of(const FeaturesBackward<T>& job, std::int64_t node, std::int32_t source,
                       int head) {
  const std::int64_t score = node * job.edges.heads + head;
  return exp(job.edges.logit(source, node, head) - job.log_sums[score]);
}

template <int kPack, class T>
__global__ void features_backward_kernel(FeaturesBackward<T> job) {
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
    T row_term = 0;
    std::int64_t at = begin;
    do {
      const std::int64_t e = at + lane / edges.lanes_an_edge;
      const std::int64_t left = end - at;
      const bool owner = e < end && head < edges.heads;
      BackwardStrip<T> strip{T(0), 0, -1, static_cast<int>(left < step ? left : step)};
      if (owner) {
        strip.source = job.graph.neighbours[e];
        if (job.token_of != nullptr) strip.token = job.token_of[strip.source];
        strip.coefficient =
            weight_of(job, node, strip.source, head) * edges.factor(strip.source, node, head);
      }
      T product = 0;
      for (int slot = 0; slot < edges.lanes_an_edge; slot += kHeadsAtOnce) {
        const int count = heads_at_once<kHeadsAtOnce>(edges, first_head, slot);
        const bool first = at == begin && first_head + slot == 0;
        if (count > 0) {
          product += gather_strip<kPack>(job, node, {first_head + slot, slot, count, first}, strip);
        }
      }
      if (owner) {
        job.grad_logits[e * edges.heads + head] = strip.coefficient * product;
        row_term += strip.coefficient * product;
      }
      at += step;
    } while (at < end);
    // The softmax's row term times the weights comes off; a lane meets its own edges again.
    row_term = warp_sum(row_term, edges.lanes_an_edge);
    for (std::int64_t e = begin + lane / edges.lanes_an_edge; e < end && head < edges.heads;
         e += step) {
      job.grad_logits[e * edges.heads + head] -=
          weight_of(job, node, job.graph.neighbours[e], head) * row_term;
    }
  }
}

// Σ over a source's out-edges of ∂loss/∂(source score + destination score).
template <class T>
struct SourceScoreSum {
  CsrPointers graph;             // by source
  const std::int64_t* edge_ids;  // of its positions
  AttentionEdges<T> edges;
  const T* grad_logits;
  __device__ T operator()(std::int64_t i) const {
    const std::int64_t node = i / edges.heads;
    const int head = static_cast<int>(i % edges.heads);
    T sum = 0;
    for (std::int64_t p = graph.offsets[node]; p < graph.offsets[node + 1]; ++p) {
      const T score = edges.sum(node, graph.neighbours[p], head);
      sum += gradient_of(p, head) * attention_logit_derivative(score, edges.leaky_slope);
    }
    return sum;
  }
  __device__ T gradient_of(std::int64_t p, int head) const {
    return grad_logits[edge_ids[p] * edges.heads + head];
  }
};

struct NoToken {
  __device__ std::int32_t operator()(std::int64_t) const { return -1; }
};

__global__ void places_kernel(std::int64_t count, const std::int32_t* __restrict__ rows,
                              std::int32_t* __restrict__ places) {
  const std::int64_t k = thread_number();
  if (k < count) places[rows[k]] = static_cast<std::int32_t>(k);
}

// The place of every row among the tokens' rows, −1 for the others.
Array<std::int32_t> places_of(CudaContext& context, std::int64_t nodes,
                              Span<const std::int32_t> rows) {
  Array<std::int32_t> places(context.pool(), nodes);
  write_elements(context, nodes, places.data(), Accumulate::kOverwrite, NoToken{});
  launch(places_kernel, blocks_for(std::ssize(rows), kBlockThreads), dim3(kBlockThreads), 0,
         context, std::ssize(rows), rows.data(), places.data());
  return places;
}

template <class T>
void walk_destinations(CudaContext& context, const FeaturesBackward<T>& job) {
  const int pack = columns_a_lane(job.width, job.features, job.grad_out, job.token_factors,
                                  static_cast<const T*>(job.token_terms));
  const auto kernel = pack == 4   ? features_backward_kernel<kWidestPack<T>, T>
                      : pack == 2 ? features_backward_kernel<2, T>
                                  : features_backward_kernel<1, T>;
  launch(kernel, one_warp_a_node(job.graph.nodes), dim3(kBlockThreads), 0, context, job);
}

}  // namespace

template <class T>
void gat_features_backward(CudaContext& context, const GraphView& graph,
                           const AttentionOptions& options, MatrixView<const T> features,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                           MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                           MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                           Span<T> grad_token, Accumulate accumulate_token) {
  check_features_backward<T>("gat_features_backward", graph, options, features, source_scores,
                             destination_scores, log_sums, grad_out, tokens, grad_source_scores,
                             grad_destination_scores, grad_token);
  const std::int64_t nodes = graph.nodes();
  if (nodes == 0) return;
  const std::int64_t heads = source_scores.cols;
  const bool with_tokens = !tokens.rows.empty();
  const Array<std::int32_t> token_of =
      with_tokens ? places_of(context, nodes, tokens.rows) : Array<std::int32_t>();
  Matrix<T> token_terms(context.pool(), with_tokens ? nodes : 0, features.cols);
  Matrix<T> grad_logits(context.pool(), graph.edges(), heads);
  const AttentionEdges<T> edges =
      attention_edges(graph, options, source_scores, destination_scores);
  walk_destinations(
      context, FeaturesBackward<T>{pointers_of(graph.in), edges, static_cast<int>(features.cols),
                                   features.data, log_sums.data, grad_out.data, token_of.data(),
                                   tokens.factors.data, token_terms.data(), grad_logits.data()});
  if (with_tokens) column_sums<T>(context, token_terms.view(), grad_token, accumulate_token);
  find_destination_scores<T>(context, graph, edges, grad_logits.view(), grad_destination_scores);
  write_elements(
      context, nodes * heads, grad_source_scores.data, Accumulate::kOverwrite,
      SourceScoreSum<T>{pointers_of(graph.out), graph.out.edges.data(), edges, grad_logits.data()});
}

#define INSTANTIATE(T)                                                                    \
  template void gat_features_backward<T>(                                                 \
      CudaContext&, const GraphView&, const AttentionOptions&, MatrixView<const T>,       \
      MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
      const TokenFactors<T>&, MatrixView<T>, MatrixView<T>, Span<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
