// The gradient of the destinations' scores from that of the logits. A softmax does not see a shift
// of all its logits, so only the edges on one side of the LeakyReLU count, and the smaller side is
// taken: fewer roundings, and exactly 0 where all of a node's edges agree.
#pragma once

#include <cstdint>

#include "engine/view.h"
#include "kernels/cpu/attention_strips.h"

namespace m2st::kernels {

// Of a chunk's nodes and a group's heads: how many edges have a positive sum, and the gradients of
// the logits on either side.
template <class T, int G>
struct SideSums {
  std::int64_t positives[kAttentionGrain * G] = {};
  T above[kAttentionGrain * G] = {};
  T below[kAttentionGrain * G] = {};
};

template <int G, class T>
void add_sides(const EdgeWalk<T>& in, MatrixView<const T> grad_logits, std::int64_t first,
               std::int64_t last, std::int64_t head, SideSums<T, G>& side) {
  StripValues<T> sums;
  for_each_strip(in.offsets, first, last, [&](const Strip& strip) {
    strip_sums<G>(in, strip, head, sums);
    const T* sum = sums.of;
    for_each_part(in.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      const std::int64_t k = (i - first) * G;
      for (std::int64_t e = begin; e < end; ++e, sum += G) {
        const T* gradient = grad_logits.data + e * in.heads + head;
        for (int g = 0; g < G; ++g) {
          const bool positive = sum[g] > T(0);
          side.positives[k + g] += positive ? 1 : 0;
          side.above[k + g] += positive ? gradient[g] : T(0);
          side.below[k + g] += positive ? T(0) : gradient[g];
        }
      }
    });
  });
}

template <int G, class T>
void find_destination_scores(const EdgeWalk<T>& in, MatrixView<const T> grad_logits,
                             std::int64_t first, std::int64_t last, std::int64_t head,
                             MatrixView<T> grad_destination_scores) {
  SideSums<T, G> side;
  add_sides<G>(in, grad_logits, first, last, head, side);
  const T step = T(1) - in.leaky_slope;
  for (std::int64_t i = first; i < last; ++i) {
    const std::int64_t degree = in.offsets[i + 1] - in.offsets[i];
    for (int g = 0; g < G; ++g) {
      const std::int64_t k = (i - first) * G + g;
      // Silent edges' logits do not move with the others.
      grad_destination_scores(i, head + g) =
          silent_edges(in, i) > 0           ? side.above[k] + in.leaky_slope * side.below[k]
          : 2 * side.positives[k] <= degree ? step * side.above[k]
                                            : -step * side.below[k];
    }
  }
}

}  // namespace m2st::kernels
