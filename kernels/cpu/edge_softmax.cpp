// Row softmax on edges. The edges of a range of nodes are one contiguous block, so the exponentials
// of a whole block are taken in one vectorised loop, however short the rows.
#include "kernels/edge_softmax.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/math/exponential.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kNodeGrain = 64;  // some 500 edges: the block of four heads fits in L1

// weights := scores − the row's maximum, for the edges into one node.
template <class T>
void subtract_maximum(MatrixView<const T> scores, std::int64_t begin, std::int64_t end,
                      MatrixView<T> weights) {
  for (std::int64_t h = 0; h < scores.cols && begin < end; ++h) {
    T maximum = scores(begin, h);
    for (std::int64_t e = begin + 1; e < end; ++e) maximum = std::max(maximum, scores(e, h));
    for (std::int64_t e = begin; e < end; ++e) weights(e, h) = scores(e, h) - maximum;
  }
}

template <class T>
void divide_by_sum(std::int64_t begin, std::int64_t end, MatrixView<T> weights) {
  for (std::int64_t h = 0; h < weights.cols; ++h) {
    T total = 0;
    for (std::int64_t e = begin; e < end; ++e) total += weights(e, h);
    const T inverse = T(1) / total;
    for (std::int64_t e = begin; e < end; ++e) weights(e, h) *= inverse;
  }
}

}  // namespace

template <class T>
void edge_softmax(CpuContext& context, CsrView graph, MatrixView<const T> scores,
                  MatrixView<T> weights) {
  M2ST_CHECK(scores.rows == graph.edges() && weights.rows == graph.edges(),
             "edge_softmax: scores have ", scores.rows, " rows and weights ", weights.rows,
             ", the graph has ", graph.edges(), " edges");
  M2ST_CHECK(scores.cols == weights.cols, "edge_softmax: scores have ", scores.cols,
             " heads, weights have ", weights.cols);
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    const auto offsets = graph.offsets;
    for (std::int64_t i = first; i < last; ++i) {
      subtract_maximum(scores, offsets[i], offsets[i + 1], weights);
    }
    T* block = weights.data + offsets[first] * weights.cols;
    const std::int64_t size = (offsets[last] - offsets[first]) * weights.cols;
    for (std::int64_t k = 0; k < size; ++k) block[k] = exponential(block[k]);
    for (std::int64_t i = first; i < last; ++i) divide_by_sum(offsets[i], offsets[i + 1], weights);
  });
}

template <class T>
void edge_softmax_backward(CpuContext& context, CsrView graph, MatrixView<const T> weights,
                           MatrixView<const T> grad_weights, MatrixView<T> grad_scores,
                           Accumulate accumulate) {
  M2ST_CHECK(weights.rows == graph.edges() && grad_weights.rows == graph.edges() &&
                 grad_scores.rows == graph.edges(),
             "edge_softmax_backward: arrays have ", weights.rows, ", ", grad_weights.rows, " and ",
             grad_scores.rows, " rows, the graph has ", graph.edges(), " edges");
  const bool add = accumulate == Accumulate::kAdd;
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = graph.offsets[i];
      const std::int64_t end = graph.offsets[i + 1];
      for (std::int64_t h = 0; h < weights.cols; ++h) {
        T row_term = 0;
        for (std::int64_t e = begin; e < end; ++e) row_term += weights(e, h) * grad_weights(e, h);
        for (std::int64_t e = begin; e < end; ++e) {
          const T gradient = weights(e, h) * (grad_weights(e, h) - row_term);
          grad_scores(e, h) = add ? grad_scores(e, h) + gradient : gradient;
        }
      }
    }
  });
}

#define INSTANTIATE(T)                                                                     \
  template void edge_softmax<T>(CpuContext&, CsrView, MatrixView<const T>, MatrixView<T>); \
  template void edge_softmax_backward<T>(CpuContext&, CsrView, MatrixView<const T>,        \
                                         MatrixView<const T>, MatrixView<T>, Accumulate)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
