// Softmax over in-edges on CUDA: one warp a node, all its heads at once. The coefficients of a
// node's in-edges lie side by side, (edges × heads) row-major, and the warp walks over them from
// front to back: a lane keeps its head, and 32 / heads edges are looked at in one step.
#include <cstdint>

#include "engine/check.h"
#include "engine/cuda_launch.cuh"
#include "kernels/cuda/warp.cuh"
#include "kernels/edge_softmax.h"

namespace m2st::kernels {

namespace {

// 8 warps a block: small blocks spread hubs over more multiprocessors, and at 28 to 44 registers a
// thread (ptxas, sm_90) any size leaves room for 40 warps. Not measured.
constexpr int kWarpsPerBlock = 8;

// What one lane of a node's warp works on: elements first, first + stride, ... below end of a head.
struct LaneRange {
  std::int64_t first;
  std::int64_t end;
  std::int64_t stride;
};

// `lanes_per_edge`: heads of this step rounded up to a power of two, so that the lanes of one head
// are `lanes_per_edge` apart. Lanes beyond the last head have an empty range.
__device__ LaneRange lane_range(const std::int64_t* offsets, std::int64_t node, int heads,
                                int first_head, int lanes_per_edge) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int head = first_head + lane % lanes_per_edge;
  const std::int64_t end = head < heads ? offsets[node + 1] * heads : 0;
  const std::int64_t first = (offsets[node] + lane / lanes_per_edge) * heads + head;
  return {first, end, static_cast<std::int64_t>(kWarp / lanes_per_edge) * heads};
}

__device__ std::int64_t node_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * kWarpsPerBlock + threadIdx.x / kWarp;
}

template <class T>
__global__ void edge_softmax_kernel(const std::int64_t* __restrict__ offsets, std::int64_t nodes,
                                    int heads, int lanes_per_edge, const T* __restrict__ scores,
                                    T* __restrict__ weights) {
  const std::int64_t node = node_of_warp();
  if (node >= nodes) return;  // the whole warp
  for (int head = 0; head < heads; head += lanes_per_edge) {
    const LaneRange range = lane_range(offsets, node, heads, head, lanes_per_edge);
    T largest = -INFINITY;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      largest = scores[k] > largest ? scores[k] : largest;
    }
    largest = warp_max(largest, lanes_per_edge);
    T sum = 0;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      sum += exp(scores[k] - largest);
    }
    sum = warp_sum(sum, lanes_per_edge);
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      weights[k] = exp(scores[k] - largest) / sum;
    }
  }
}

template <class T>
__global__ void edge_softmax_backward_kernel(const std::int64_t* __restrict__ offsets,
                                             std::int64_t nodes, int heads, int lanes_per_edge,
                                             const T* __restrict__ weights,
                                             const T* __restrict__ grad_weights,
                                             T* __restrict__ grad_scores, bool add) {
  const std::int64_t node = node_of_warp();
  if (node >= nodes) return;  // the whole warp
  for (int head = 0; head < heads; head += lanes_per_edge) {
    const LaneRange range = lane_range(offsets, node, heads, head, lanes_per_edge);
    T dot = 0;
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      dot += weights[k] * grad_weights[k];
    }
    dot = warp_sum(dot, lanes_per_edge);
    for (std::int64_t k = range.first; k < range.end; k += range.stride) {
      const T grad = weights[k] * (grad_weights[k] - dot);
      grad_scores[k] = add ? grad_scores[k] + grad : grad;
    }
  }
}

int power_of_two_lanes(std::int64_t heads) {
  int lanes = 1;
  while (lanes < heads && lanes < kWarp) lanes *= 2;
  return lanes;
}

dim3 one_warp_a_node(std::int64_t nodes) {
  return dim3(static_cast<unsigned>((nodes + kWarpsPerBlock - 1) / kWarpsPerBlock));
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
  launch(edge_softmax_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kWarpsPerBlock * kWarp), 0,
         context, graph.offsets.data(), graph.nodes(), static_cast<int>(scores.cols),
         power_of_two_lanes(scores.cols), scores.data, weights.data);
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
  launch(edge_softmax_backward_kernel<T>, one_warp_a_node(graph.nodes()),
         dim3(kWarpsPerBlock * kWarp), 0, context, graph.offsets.data(), graph.nodes(),
         static_cast<int>(weights.cols), power_of_two_lanes(weights.cols), weights.data,
         grad_weights.data, grad_scores.data, accumulate == Accumulate::kAdd);
}

#define INSTANTIATE(T)                                                                      \
  template void edge_softmax<T>(CudaContext&, CsrView, MatrixView<const T>, MatrixView<T>); \
  template void edge_softmax_backward<T>(CudaContext&, CsrView, MatrixView<const T>,        \
                                         MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
