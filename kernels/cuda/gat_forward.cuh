// The walk of the fused attention's forwards over a node's in-edges, a warp a node: log Σ exp of
// the logits first, then the weights in strips of 32 / heads edges, one lane an edge and head.
#pragma once

#include "kernels/cuda/gat_edges.cuh"

namespace m2st::kernels {

// One strip as the warp holds it: the lane's weight and, the same for all heads of an edge, source.
template <class T>
struct ForwardStrip {
  T weight;
  std::int32_t source;
  int count;
  bool first;
};

// Calls add(first_head, strip) for every strip, `first_head` being that of the warp's first lane;
// a node without in-edges has one strip, of none. All lanes call it together. log_sums: (N, H).
template <class T, class Add>
__device__ void for_each_strip(const CsrPointers& graph, const AttentionEdges<T>& edges,
                               std::int64_t node, T* log_sums, const Add& add) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int step = kWarp / edges.lanes_an_edge;
  const std::int64_t begin = graph.offsets[node];
  const std::int64_t end = graph.offsets[node + 1];
  for (int first_head = 0; first_head < edges.heads; first_head += edges.lanes_an_edge) {
    const int head = first_head + lane % edges.lanes_an_edge;
    const T log_sum = log_sum_of(graph, edges, node, head);
    if (lane < edges.lanes_an_edge && head < edges.heads) {
      log_sums[node * edges.heads + head] = log_sum;
    }
    std::int64_t at = begin;
    do {
      const std::int64_t e = at + lane / edges.lanes_an_edge;
      const std::int64_t left = end - at;
      ForwardStrip<T> strip{T(0), 0, static_cast<int>(left < step ? left : step), at == begin};
      if (e < end && head < edges.heads) {
        strip.source = graph.neighbours[e];
        strip.weight = exp(edges.logit(strip.source, node, head) - log_sum) *
                       edges.factor(strip.source, node, head);
      }
      add(first_head, strip);
      at += step;
    } while (at < end);
  }
}

}  // namespace m2st::kernels
