// Attention logits on edges, and their gradient as two gathers: one over the in-edges of each
// destination, one over the out-edges of each source, so that no two threads add to one number.
#include "kernels/edge_scores.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/math/attention.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kNodeGrain = 128;

}  // namespace

template <class T>
void edge_scores(CpuContext& context, CsrView graph, MatrixView<const T> source_scores,
                 MatrixView<const T> destination_scores, T leaky_slope, MatrixView<T> scores) {
  check_edge_scores<T>(graph, source_scores, destination_scores, scores);
  const std::int64_t heads = scores.cols;
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const T* destination = destination_scores.data + i * heads;
      for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
        const T* source = source_scores.data + graph.sources[e] * heads;
        T* __restrict score = scores.data + e * heads;
        for (std::int64_t h = 0; h < heads; ++h) score[h] = source[h] + destination[h];
      }
    }
    // The edges of a range of nodes are one block: its logits are one vector loop.
    T* block = scores.data + graph.offsets[first] * heads;
    const std::int64_t size = (graph.offsets[last] - graph.offsets[first]) * heads;
    for (std::int64_t k = 0; k < size; ++k) block[k] = attention_logit(block[k], leaky_slope);
  });
}

template <class T>
void edge_scores_backward(CpuContext& context, const GraphView& graph,
                          MatrixView<const T> source_scores, MatrixView<const T> destination_scores,
                          T leaky_slope, MatrixView<const T> grad_scores,
                          MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                          Accumulate accumulate) {
  M2ST_CHECK(grad_scores.rows == graph.edges(), "edge_scores_backward: gradients of ",
             grad_scores.rows, " edges, the graph has ", graph.edges());
  const std::int64_t heads = grad_scores.cols;
  // gradient[h] of the edge's sum, added to total.
  const auto add_edge = [&](std::int64_t e, std::int64_t source, std::int64_t destination,
                            T* total) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const T sum = source_scores(source, h) + destination_scores(destination, h);
      total[h] += grad_scores(e, h) * attention_logit_derivative(sum, leaky_slope);
    }
  };
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    if (accumulate == Accumulate::kOverwrite) {
      std::fill_n(grad_source_scores.data + first * heads, (last - first) * heads, T(0));
      std::fill_n(grad_destination_scores.data + first * heads, (last - first) * heads, T(0));
    }
    for (std::int64_t n = first; n < last; ++n) {
      for (std::int64_t e = graph.in.offsets[n]; e < graph.in.offsets[n + 1]; ++e) {
        add_edge(e, graph.in.sources[e], n, grad_destination_scores.data + n * heads);
      }
      for (std::int64_t p = graph.out.offsets[n]; p < graph.out.offsets[n + 1]; ++p) {
        add_edge(graph.out.edges[p], n, graph.out.destinations[p],
                 grad_source_scores.data + n * heads);
      }
    }
  });
}

#define INSTANTIATE(T)                                                                            \
  template void edge_scores<T>(CpuContext&, CsrView, MatrixView<const T>, MatrixView<const T>, T, \
                               MatrixView<T>);                                                    \
  template void edge_scores_backward<T>(CpuContext&, const GraphView&, MatrixView<const T>,       \
                                        MatrixView<const T>, T, MatrixView<const T>,              \
                                        MatrixView<T>, MatrixView<T>, Accumulate)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
