// Attention logits on edges, and their gradient as two gathers: a warp sums over the in-edges of
// its node for the destination's score, then over the out-edges for the source's.
#include "engine/check.h"
#include "kernels/cuda/edge_lanes.cuh"
#include "kernels/edge_scores.h"
#include "kernels/math/attention.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

// A few lanes to a node: most have fewer edges than a warp has lanes.
constexpr int kLanesOfNode = 8;

template <class T>
__global__ void edge_scores_kernel(CsrPointers graph, int heads,
                                   const T* __restrict__ source_scores,
                                   const T* __restrict__ destination_scores, T leaky_slope,
                                   T* __restrict__ scores) {
  const std::int64_t node = thread_number() / kLanesOfNode;
  if (node >= graph.nodes) return;
  const std::int64_t end = graph.offsets[node + 1];
  for (std::int64_t e = graph.offsets[node] + threadIdx.x % kLanesOfNode; e < end;
       e += kLanesOfNode) {
    const std::int64_t source = graph.neighbours[e];
    for (int h = 0; h < heads; ++h) {
      const T sum = source_scores[source * heads + h] + destination_scores[node * heads + h];
      scores[e * heads + h] = attention_logit(sum, leaky_slope);
    }
  }
}

// The gradients of one side's scores: `graph` by that side, edges[p] the edge id of its position p
// (null: p itself).
template <class T>
struct ScoreGradient {
  CsrPointers graph;
  const std::int64_t* edges;
  int heads;
  int lanes_an_edge;
  const T* own_scores;
  const T* neighbour_scores;
  T leaky_slope;
  const T* grad_scores;
  T* grad_own_scores;
  bool add;
};

template <class T>
__global__ void edge_scores_backward_kernel(ScoreGradient<T> job) {
  const std::int64_t node = node_of_warp();
  if (node >= job.graph.nodes) return;  // the whole warp
  for (int first = 0; first < job.heads; first += job.lanes_an_edge) {
    const EdgeLanes lanes =
        edge_lanes(job.graph.offsets, node, job.heads, first, job.lanes_an_edge);
    T total = 0;
    for (std::int64_t k = lanes.first; k < lanes.end; k += lanes.stride) {
      const std::int64_t p = (k - lanes.head) / job.heads;
      const std::int64_t e = job.edges == nullptr ? p : job.edges[p];
      const T sum = job.own_scores[node * job.heads + lanes.head] +
                    job.neighbour_scores[job.graph.neighbours[p] * job.heads + lanes.head];
      total += job.grad_scores[e * job.heads + lanes.head] *
               attention_logit_derivative(sum, job.leaky_slope);
    }
    total = warp_sum(total, job.lanes_an_edge);
    if (static_cast<int>(threadIdx.x) % kWarp < job.lanes_an_edge && lanes.head < job.heads) {
      T& gradient = job.grad_own_scores[node * job.heads + lanes.head];
      gradient = job.add ? gradient + total : total;
    }
  }
}

}  // namespace

template <class T>
void edge_scores(CudaContext& context, CsrView graph, MatrixView<const T> source_scores,
                 MatrixView<const T> destination_scores, T leaky_slope, MatrixView<T> scores) {
  check_edge_scores<T>(graph, source_scores, destination_scores, scores);
  if (scores.size() == 0) return;
  launch(edge_scores_kernel<T>, blocks_for(graph.nodes(), kBlockThreads / kLanesOfNode),
         dim3(kBlockThreads), 0, context, pointers_of(graph), static_cast<int>(scores.cols),
         source_scores.data, destination_scores.data, leaky_slope, scores.data);
}

template <class T>
void edge_scores_backward(CudaContext& context, const GraphView& graph,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          T leaky_slope, MatrixView<const T> grad_scores,
                          MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                          Accumulate accumulate) {
  M2ST_CHECK(grad_scores.rows == graph.edges(), "edge_scores_backward: gradients of ",
             grad_scores.rows, " edges, the graph has ", graph.edges());
  const int heads = static_cast<int>(grad_scores.cols);
  if (graph.nodes() == 0 || heads == 0) return;
  const bool add = accumulate == Accumulate::kAdd;
  const ScoreGradient<T> of_destinations{pointers_of(graph.in),
                                         nullptr,
                                         heads,
                                         lanes_per_edge(heads),
                                         destination_scores.data,
                                         source_scores.data,
                                         leaky_slope,
                                         grad_scores.data,
                                         grad_destination_scores.data,
                                         add};
  ScoreGradient<T> of_sources = of_destinations;
  of_sources.graph = pointers_of(graph.out);
  of_sources.edges = graph.out.edges.data();
  of_sources.own_scores = source_scores.data;
  of_sources.neighbour_scores = destination_scores.data;
  of_sources.grad_own_scores = grad_source_scores.data;
  for (const ScoreGradient<T>& job : {of_destinations, of_sources}) {
    launch(edge_scores_backward_kernel<T>, one_warp_a_node(graph.nodes()), dim3(kBlockThreads), 0,
           context, job);
  }
}

#define INSTANTIATE(T)                                                                             \
  template void edge_scores<T>(CudaContext&, CsrView, MatrixView<const T>, MatrixView<const T>, T, \
                               MatrixView<T>);                                                     \
  template void edge_scores_backward<T>(CudaContext&, const GraphView&, MatrixView<const T>,       \
                                        MatrixView<const T>, T, MatrixView<const T>,               \
                                        MatrixView<T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
