// The gradient of the destinations' scores from that of the logits, a warp a node. A softmax does
// not see a shift of all its logits, so only the edges on one side of the LeakyReLU count, and the
// smaller side is taken: fewer roundings, and exactly 0 where all of a node's edges agree.
#pragma once

#include "kernels/cuda/gat_edges.cuh"

namespace m2st::kernels {

template <class T>
__global__ void destinations_backward_kernel(CsrPointers graph, AttentionEdges<T> edges,
                                             const T* __restrict__ grad_logits,
                                             T* __restrict__ grad_destination_scores) {
  const std::int64_t node = node_of_warp();
  if (node >= graph.nodes) return;  // the whole warp
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int step = kWarp / edges.lanes_an_edge;
  const std::int64_t begin = graph.offsets[node];
  for (int first_head = 0; first_head < edges.heads; first_head += edges.lanes_an_edge) {
    const int head = first_head + lane % edges.lanes_an_edge;
    const std::int64_t end = head < edges.heads ? graph.offsets[node + 1] : begin;
    int positives = 0;
    T above = 0, below = 0;
    for (std::int64_t e = begin + lane / edges.lanes_an_edge; e < end; e += step) {
      const bool positive = edges.sum(graph.neighbours[e], node, head) > T(0);
      const T gradient = grad_logits[e * edges.heads + head];
      positives += positive ? 1 : 0;
      above += positive ? gradient : T(0);
      below += positive ? T(0) : gradient;
    }
    positives = warp_sum(positives, edges.lanes_an_edge);
    above = warp_sum(above, edges.lanes_an_edge);
    below = warp_sum(below, edges.lanes_an_edge);
    if (lane < edges.lanes_an_edge && head < edges.heads) {
      const T slope_step = T(1) - edges.leaky_slope;
      // Silent edges' logits do not move with the others.
      const bool shifts = edges.silent_into(node) == 0;
      grad_destination_scores[node * edges.heads + head] =
          !shifts ? above + edges.leaky_slope * below
          : 2 * static_cast<std::int64_t>(positives) <= end - begin ? slope_step * above
                                                                    : -slope_step * below;
    }
  }
}

// grad_logits: (E, H), by in-edge.
template <class T>
void find_destination_scores(CudaContext& context, const GraphView& graph,
                             const AttentionEdges<T>& edges, MatrixView<const T> grad_logits,
                             MatrixView<T> grad_destination_scores) {
  launch(destinations_backward_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0,
         context, pointers_of(graph.in), edges, grad_logits.data, grad_destination_scores.data);
}

}  // namespace m2st::kernels
