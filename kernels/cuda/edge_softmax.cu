// Softmax over in-edges on CUDA: one warp a node, all its heads at once (edge_lanes.cuh). A hub
// keeps one warp busy for long; whether it deserves a block is for a measurement to say.
#include <cstdint>

#include "engine/check.h"
#include "kernels/cuda/edge_lanes.cuh"
#include "kernels/edge_softmax.h"

namespace m2st::kernels {

namespace {

template <class T>
__global__ void edge_softmax_kernel(const std::int64_t* __restrict__ offsets, std::int64_t nodes,
                                    int heads, int lanes_an_edge, const T* __restrict__ scores,
                                    T* __restrict__ weights) {
  const std::int64_t node = node_of_warp();
  if (node >= nodes) return;  // the whole warp
  for (int head = 0; head < heads; head += lanes_an_edge) {
    const EdgeLanes range = edge_lanes(offsets, node, heads, head, lanes_an_edge);
    T largest = -INFINITY;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      largest = scores[k] > largest ? scores[k] : largest;
    }
    largest = warp_max(largest, lanes_an_edge);
    T sum = 0;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      sum += exp(scores[k] - largest);
    }
    sum = warp_sum(sum, lanes_an_edge);
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      weights[k] = exp(scores[k] - largest) / sum;
    }
  }
}

template <class T>
__global__ void edge_softmax_backward_kernel(const std::int64_t* __restrict__ offsets,
                                             std::int64_t nodes, int heads, int lanes_an_edge,
                                             const T* __restrict__ weights,
                                             const T* __restrict__ grad_weights,
                                             T* __restrict__ grad_scores, bool add) {
  const std::int64_t node = node_of_warp();
  if (node >= nodes) return;  // the whole warp
  for (int head = 0; head < heads; head += lanes_an_edge) {
    const EdgeLanes range = edge_lanes(offsets, node, heads, head, lanes_an_edge);
    T dot = 0;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      dot += weights[k] * grad_weights[k];
    }
    dot = warp_sum(dot, lanes_an_edge);
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      const T grad = weights[k] * (grad_weights[k] - dot);
      grad_scores[k] = add ? grad_scores[k] + grad : grad;
    }
  }
}

}  // namespace

template <class T>
void edge_softmax(CudaContext& context, CsrView graph, MatrixView<const T> scores,
                  MatrixView<T> weights) {
  M2ST_CHECK(
      scores.rows == graph.edges() && weights.rows == scores.rows && weights.cols == scores.cols,
      "edge_softmax: scores are ", scores.rows, " x ", scores.cols, ", weights ", weights.rows,
      " x ", weights.cols, ", the graph has ", graph.edges(), " edges");
  if (scores.size() == 0) return;
  launch(edge_softmax_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0, context,
         graph.offsets.data(), graph.nodes(), static_cast<int>(scores.cols),
         lanes_per_edge(scores.cols), scores.data, weights.data);
}

template <class T>
void edge_softmax_backward(CudaContext& context, CsrView graph, MatrixView<const T> weights,
                           MatrixView<const T> grad_weights, MatrixView<T> grad_scores,
                           Accumulate accumulate) {
  M2ST_CHECK(weights.rows == graph.edges() && grad_weights.size() == weights.size() &&
                 grad_scores.size() == weights.size(),
             "edge_softmax_backward: weights are ", weights.rows, " x ", weights.cols,
             ", gradients have ", grad_weights.size(), " and ", grad_scores.size(),
             " entries, the graph has ", graph.edges(), " edges");
  if (weights.size() == 0) return;
  launch(edge_softmax_backward_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0,
         context, graph.offsets.data(), graph.nodes(), static_cast<int>(weights.cols),
         lanes_per_edge(weights.cols), weights.data, grad_weights.data, grad_scores.data,
         accumulate == Accumulate::kAdd);
}

#define INSTANTIATE(T)                                                                      \
  template void edge_softmax<T>(CudaContext&, CsrView, MatrixView<const T>, MatrixView<T>); \
  template void edge_softmax_backward<T>(CudaContext&, CsrView, MatrixView<const T>,        \
                                         MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
