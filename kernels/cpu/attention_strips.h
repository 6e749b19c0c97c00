// How the fused attention walks edges: in strips of at most kStripEdges consecutive edges, four
// heads at a time, so that logits, exponentials and dropout draws run in long vector loops however
// few edges a node has. A strip covers whole nodes, or a
// piece of one whose edges do not fit. Derivations: docs/kernels.md.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/random.h"
#include "kernels/math/attention.h"
#include "kernels/math/attention_dropout.h"
#include "kernels/math/exponential.h"

namespace m2st::kernels {

inline constexpr std::int64_t kStripEdges = 128;     // a strip's values of four heads: 2 KB each
inline constexpr std::int64_t kAttentionGrain = 32;  // nodes of one chunk of the parallel loop

// A node ("owner") and the nodes at the other end of its edges ("neighbours"): by destination in
// the forward, by source in the gradient of the sources.
template <class T>
struct EdgeWalk {
  const std::int64_t* offsets;
  const std::int32_t* neighbours;
  bool owner_is_destination;
  const T* owner_scores;      // (N, H)
  const T* neighbour_scores;  // (N, H)
  const T* log_sums;          // (N, H), of destinations
  std::int64_t heads;
  T leaky_slope;
  const std::int32_t* silent;  // (N), of destinations; null: none
  const std::int32_t* ids;     // (N)
  RandomKey key;
  DropoutRule rule;
};

// How many silent edges lead into a node.
template <class T>
inline std::int32_t silent_edges(const EdgeWalk<T>& in, std::int64_t node) {
  return in.silent == nullptr ? 0 : in.silent[node];
}

struct Strip {
  std::int64_t first_node, last_node;
  std::int64_t first_edge, last_edge;
};

// Values of a strip's edges for a group of heads: [edge − first_edge][head of the group].
template <class T>
struct StripValues {
  alignas(64) T of[kStripEdges * kHeadsPerBlock];
};

// Strips over all edges of nodes [first, last), in order. Every node, also one without edges, has
// exactly one part that begins at its first offset.
template <class Body>
void for_each_strip(const std::int64_t* offsets, std::int64_t first, std::int64_t last,
                    Body&& body) {
  std::int64_t edge = offsets[first];
  while (first < last) {
    const std::int64_t limit = edge + kStripEdges;
    std::int64_t next = first;
    while (next < last && offsets[next + 1] <= limit) ++next;
    if (next > first) {
      body(Strip{first, next, edge, offsets[next]});
      first = next;
      edge = offsets[next];
    } else {
      body(Strip{first, first + 1, edge, limit});
      edge = limit;
    }
  }
}

// Calls body(node, begin, end) with the edges of each node that lie in the strip.
template <class Body>
void for_each_part(const std::int64_t* offsets, const Strip& strip, Body&& body) {
  for (std::int64_t node = strip.first_node; node < strip.last_node; ++node) {
    body(node, std::max(offsets[node], strip.first_edge),
         std::min(offsets[node + 1], strip.last_edge));
  }
}

// Calls body.operator()<G>(first head) for groups of G = 4 heads and one of what is left.
template <class Body>
void for_each_head_group(std::int64_t heads, Body&& body) {
  for (std::int64_t head = 0; head < heads; head += kHeadsPerBlock) {
    switch (std::min<std::int64_t>(heads - head, kHeadsPerBlock)) {
      case 1:
        body.template operator()<1>(head);
        break;
      case 2:
        body.template operator()<2>(head);
        break;
      case 3:
        body.template operator()<3>(head);
        break;
      default:
        body.template operator()<4>(head);
        break;
    }
  }
}

// value[g] −= of[g] for a group's heads.
template <int G, class T>
inline void subtract_heads(const T* __restrict of, T* __restrict value) {
  for (int g = 0; g < G; ++g) value[g] -= of[g];
}

// source score + destination score of every edge.
template <int G, class T>
void strip_sums(const EdgeWalk<T>& walk, const Strip& strip, std::int64_t head,
                StripValues<T>& sums) {
  T* __restrict value = sums.of;
  for_each_part(walk.offsets, strip, [&](std::int64_t node, std::int64_t begin, std::int64_t end) {
    T owner[G];
    for (int g = 0; g < G; ++g) owner[g] = walk.owner_scores[node * walk.heads + head + g];
    for (std::int64_t e = begin; e < end; ++e, value += G) {
      const T* neighbour = walk.neighbour_scores + walk.neighbours[e] * walk.heads + head;
      for (int g = 0; g < G; ++g) value[g] = owner[g] + neighbour[g];
    }
  });
}

// The softmax's weights: exp(logit − log_sum of the destination).
template <int G, class T>
void strip_weights(const EdgeWalk<T>& walk, const Strip& strip, std::int64_t head,
                   const StripValues<T>& sums, StripValues<T>& weights) {
  const std::int64_t size = (strip.last_edge - strip.first_edge) * G;
  for (std::int64_t k = 0; k < size; ++k) {
    weights.of[k] = attention_logit(sums.of[k], walk.leaky_slope);
  }
  T* value = weights.of;
  for_each_part(walk.offsets, strip, [&](std::int64_t node, std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e, value += G) {
      const std::int64_t destination = walk.owner_is_destination ? node : walk.neighbours[e];
      subtract_heads<G>(walk.log_sums + destination * walk.heads + head, value);
    }
  });
  for (std::int64_t k = 0; k < size; ++k) weights.of[k] = exponential(weights.of[k]);
}

// What dropout multiplies each weight by; ones when nothing is dropped.
template <int G, class T>
void strip_factors(const EdgeWalk<T>& walk, const Strip& strip, std::int64_t head,
                   StripValues<T>& factors) {
  const std::int64_t edges = strip.last_edge - strip.first_edge;
  if (walk.rule.threshold == 0) {
    std::fill_n(factors.of, edges * G, T(1));
    return;
  }
  std::int32_t owner[kStripEdges];
  std::int32_t neighbour[kStripEdges];
  for_each_part(walk.offsets, strip, [&](std::int64_t node, std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e) {
      owner[e - strip.first_edge] = walk.ids[node];
      neighbour[e - strip.first_edge] = walk.ids[walk.neighbours[e]];
    }
  });
  const std::int32_t* destination = walk.owner_is_destination ? owner : neighbour;
  const std::int32_t* source = walk.owner_is_destination ? neighbour : owner;
  const RandomKey key = attention_key(walk.key, head / kHeadsPerBlock);
  std::uint32_t words[G][kStripEdges];
  for (std::int64_t e = 0; e < edges; ++e) {
    const PhiloxBlock block = attention_block(key, destination[e], source[e]);
    for (int g = 0; g < G; ++g) words[g][e] = block.word[g];
  }
  const T scale = static_cast<T>(walk.rule.scale);
  for (std::int64_t e = 0; e < edges; ++e) {
    for (int g = 0; g < G; ++g) {
      factors.of[e * G + g] = attention_kept(words[g][e], walk.rule) ? scale : T(0);
    }
  }
}

// product := x · y, entry by entry; may be x.
template <class T>
void strip_product(std::int64_t size, const StripValues<T>& x, const StripValues<T>& y,
                   StripValues<T>& product) {
  for (std::int64_t k = 0; k < size; ++k) product.of[k] = x.of[k] * y.of[k];
}

}  // namespace m2st::kernels
