// log Σ exp of the logits into each node, as max + log Σ exp(logit − max): the first of the two
// walks over a node's in-edges that every forward of the fused attention makes.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/view.h"
#include "kernels/cpu/attention_strips.h"

namespace m2st::kernels {

// max and Σ exp(logit − max), per node of a chunk and head of a group.
template <class T, int G>
struct RunningSums {
  T maximum[kAttentionGrain * G];
  T total[kAttentionGrain * G];
};

// A node before its first edge: its silent edges' logits are 0.
template <int G, class T>
void start_sums(std::int32_t silent, T* maximum, T* total) {
  std::fill_n(maximum, G, silent > 0 ? T(0) : -std::numeric_limits<T>::infinity());
  std::fill_n(total, G, static_cast<T>(silent));
}

// Lowers the part's logits by the node's maximum so far; `empty`: it has no sum yet.
template <int G, class T>
void subtract_maximum(std::int64_t edges, bool empty, T* logits, T* maximum, T* total) {
  T highest[G];
  std::copy_n(maximum, G, highest);
  for (std::int64_t e = 0; e < edges; ++e) {
    for (int g = 0; g < G; ++g) highest[g] = std::max(highest[g], logits[e * G + g]);
  }
  for (std::int64_t e = 0; e < edges; ++e) {
    for (int g = 0; g < G; ++g) logits[e * G + g] -= highest[g];
  }
  for (int g = 0; g < G; ++g) {
    if (!empty) total[g] *= exponential(maximum[g] - highest[g]);
    maximum[g] = highest[g];
  }
}

template <int G, class T>
void find_log_sums(const EdgeWalk<T>& walk, std::int64_t first, std::int64_t last,
                   std::int64_t head, MatrixView<T> log_sums) {
  RunningSums<T, G> running;
  StripValues<T> values;
  for_each_strip(walk.offsets, first, last, [&](const Strip& strip) {
    strip_sums<G>(walk, strip, head, values);
    const std::int64_t size = (strip.last_edge - strip.first_edge) * G;
    for (std::int64_t k = 0; k < size; ++k) {
      values.of[k] = attention_logit(values.of[k], walk.leaky_slope);
    }
    for_each_part(walk.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      T* maximum = running.maximum + (i - first) * G;
      T* total = running.total + (i - first) * G;
      const bool first_part = begin == walk.offsets[i];
      const std::int32_t silent = silent_edges(walk, i);
      if (first_part) start_sums<G>(silent, maximum, total);
      subtract_maximum<G>(end - begin, first_part && silent == 0,
                          values.of + (begin - strip.first_edge) * G, maximum, total);
    });
    for (std::int64_t k = 0; k < size; ++k) values.of[k] = exponential(values.of[k]);
    const T* value = values.of;
    for_each_part(walk.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      T* total = running.total + (i - first) * G;
      for (std::int64_t e = begin; e < end; ++e, value += G) {
        for (int g = 0; g < G; ++g) total[g] += value[g];
      }
    });
  });
  for (std::int64_t i = first; i < last; ++i) {
    const bool isolated = walk.offsets[i] == walk.offsets[i + 1] && silent_edges(walk, i) == 0;
    for (int g = 0; g < G; ++g) {
      const std::int64_t k = (i - first) * G + g;
      log_sums(i, head + g) = isolated ? T(0) : running.maximum[k] + std::log(running.total[k]);
    }
  }
}

}  // namespace m2st::kernels
