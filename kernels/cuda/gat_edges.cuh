// What the passes of the fused attention share: an edge's logit, weight and dropout, for the lane
// that owns the edge and a head.
#pragma once

#include <cstdint>

#include "kernels/cuda/edge_lanes.cuh"
#include "kernels/cuda/epoch_key.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/gat.h"
#include "kernels/math/attention.h"
#include "kernels/math/attention_dropout.h"

namespace m2st::kernels {

// Rounded by itself: joined with the subtraction of the log sum into one operation, a huge
// product's rounding would be left over, and its exponential be infinite.
__device__ inline float rounded_product(float x, float y) { return __fmul_rn(x, y); }
__device__ inline double rounded_product(double x, double y) { return __dmul_rn(x, y); }

template <class T>
struct AttentionEdges {
  const T* source_scores;       // (N, H)
  const T* destination_scores;  // (N, H)
  int heads;
  int lanes_an_edge;
  T leaky_slope;
  const std::int32_t* silent;  // (N); null: none
  const std::int32_t* ids;
  RandomKey key;
  DropoutRule rule;
  T scale;  // the rule's: kernels for float do not compute in double

  __device__ T sum(std::int64_t source, std::int64_t destination, int head) const {
    return source_scores[source * heads + head] + destination_scores[destination * heads + head];
  }
  __device__ T logit(std::int64_t source, std::int64_t destination, int head) const {
    const T of = sum(source, destination, head);
    return of > T(0) ? of : rounded_product(leaky_slope, of);
  }
  __device__ std::int32_t silent_into(std::int64_t node) const {
    return silent == nullptr ? 0 : silent[node];
  }
  // What dropout multiplies the weight by. The lanes of an edge's other heads draw the same block:
  // a warp pays for one call whoever needs it.
  __device__ T factor(std::int64_t source, std::int64_t destination, int head) const {
    if (rule.threshold == 0) return T(1);
    return attention_keeps(key, rule, ids[destination], ids[source], head) ? scale : T(0);
  }
};

template <class T>
AttentionEdges<T> attention_edges(const GraphView& graph, const AttentionOptions& options,
                                  MatrixView<const T> source_scores,
                                  MatrixView<const T> destination_scores) {
  const int heads = static_cast<int>(source_scores.cols);
  const DropoutRule rule = dropout_rule(options.dropout);
  return {source_scores.data,
          destination_scores.data,
          heads,
          lanes_per_edge(heads),
          static_cast<T>(options.leaky_slope),
          options.silent.empty() ? nullptr : options.silent.data(),
          graph.ids.data(),
          options.key,
          rule,
          static_cast<T>(rule.scale)};
}

// How many heads from place `slot` among the lanes of an edge on can be taken together, at most
// kMost.
template <int kMost, class T>
__device__ int heads_at_once(const AttentionEdges<T>& edges, int first_head, int slot) {
  const int heads = edges.heads - first_head - slot;
  const int lanes = edges.lanes_an_edge - slot;
  const int both = heads < lanes ? heads : lanes;
  return both < kMost ? both : kMost;
}

// log Σ exp of the logits of the lane's head over all in-edges; 0 without any. The lanes of a head
// share out the edges.
template <class T>
__device__ T log_sum_of(const CsrPointers& graph, const AttentionEdges<T>& edges, std::int64_t node,
                        int head) {
  const int step = kWarp / edges.lanes_an_edge;
  const std::int64_t begin = graph.offsets[node];
  const std::int64_t end = head < edges.heads ? graph.offsets[node + 1] : begin;
  const std::int64_t first = begin + static_cast<int>(threadIdx.x) % kWarp / edges.lanes_an_edge;
  const std::int32_t silent = edges.silent_into(node);
  T largest = silent > 0 ? T(0) : -INFINITY;
  for (std::int64_t e = first; e < end; e += step) {
    const T logit = edges.logit(graph.neighbours[e], node, head);
    largest = logit > largest ? logit : largest;
  }
  largest = warp_max(largest, edges.lanes_an_edge);
  T sum = 0;
  for (std::int64_t e = first; e < end; e += step) {
    sum += exp(edges.logit(graph.neighbours[e], node, head) - largest);
  }
  sum = warp_sum(sum, edges.lanes_an_edge);
  if (silent > 0) sum += static_cast<T>(silent) * exp(-largest);
  return begin == end && silent == 0 ? T(0) : largest + log(sum);
}

// Columns a lane takes at a time when a warp walks over one head's features: as many as still give
// every lane some, where the pointers allow.
template <class T, class... More>
int columns_a_lane(std::int64_t width, const T* pointer, const More*... more) {
  int pack = kWidestPack<T>;
  while (pack > 1 && (width < std::int64_t{pack} * kWarp || width % pack != 0)) pack /= 2;
  const bool aligned = pack == 4   ? fits_packs<4>(width, pointer, more...)
                       : pack == 2 ? fits_packs<2>(width, pointer, more...)
                                   : true;
  return aligned ? pack : 1;
}

}  // namespace m2st::kernels
