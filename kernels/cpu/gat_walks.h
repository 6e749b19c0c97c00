// What the fused attention's forward and backward share: the two ways of walking the edges.
#pragma once

#include "engine/view.h"
#include "kernels/attention_shapes.h"
#include "kernels/cpu/attention_strips.h"
#include "kernels/gat.h"

namespace m2st::kernels {

template <class T>
EdgeWalk<T> walk_in_edges(const GraphView& graph, const AttentionOptions& options,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          MatrixView<const T> log_sums) {
  return {.offsets = graph.in.offsets.data(),
          .neighbours = graph.in.sources.data(),
          .owner_is_destination = true,
          .owner_scores = destination_scores.data,
          .neighbour_scores = source_scores.data,
          .log_sums = log_sums.data,
          .heads = source_scores.cols,
          .leaky_slope = static_cast<T>(options.leaky_slope),
          .silent = options.silent.empty() ? nullptr : options.silent.data(),
          .ids = graph.ids.data(),
          .key = options.key,
          .rule = dropout_rule(options.dropout)};
}

template <class T>
EdgeWalk<T> walk_out_edges(const GraphView& graph, const AttentionOptions& options,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums) {
  EdgeWalk<T> walk = walk_in_edges(graph, options, source_scores, destination_scores, log_sums);
  walk.offsets = graph.out.offsets.data();
  walk.neighbours = graph.out.destinations.data();
  walk.owner_is_destination = false;
  walk.owner_scores = source_scores.data;
  walk.neighbour_scores = destination_scores.data;
  return walk;
}

}  // namespace m2st::kernels
