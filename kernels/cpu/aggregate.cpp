// Weighted sums over edges, each output row owned by one node: in-edges forward, out-edges back.
#include "kernels/aggregate.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/cpu/row_products.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kNodeGrain = 32;    // about a hundred row gathers of a kilobyte or more
constexpr std::int64_t kStripEdges = 128;  // weights brought together at a time

}  // namespace

template <class T>
void aggregate(CpuContext& context, CsrView graph, MatrixView<const T> weights,
               MatrixView<const T> features, MatrixView<T> out) {
  const std::int64_t heads = weights.cols;
  check_aggregate<T>("aggregate", graph.nodes(), graph.edges(), weights, features, out);
  const std::int64_t width = features.cols / heads;
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = graph.offsets[i];
      std::fill_n(out.data + i * out.cols, out.cols, T(0));
      for (std::int64_t h = 0; h < heads; ++h) {
        const RowSet<T> rows{features.data + h * width, features.cols, graph.sources.data() + begin,
                             graph.offsets[i + 1] - begin};
        add_weighted_rows(rows, weights.data + begin * heads + h, heads, width,
                          out.data + i * out.cols + h * width);
      }
    }
  });
}

template <class T>
void aggregate_backward_features(CpuContext& context, const GraphView& graph,
                                 MatrixView<const T> weights, MatrixView<const T> grad_out,
                                 MatrixView<T> grad_features, Accumulate accumulate) {
  const std::int64_t heads = weights.cols;
  check_aggregate<T>("aggregate_backward_features", graph.nodes(), graph.edges(), weights, grad_out,
                     grad_features);
  const std::int64_t width = grad_out.cols / heads;
  const auto add_strip = [&](std::int64_t j, std::int64_t begin, std::int64_t end) {
    T strip[kStripEdges];
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t p = begin; p < end; ++p) strip[p - begin] = weights(graph.out.edges[p], h);
      const RowSet<T> rows{grad_out.data + h * width, grad_out.cols,
                           graph.out.destinations.data() + begin, end - begin};
      add_weighted_rows(rows, strip, 1, width, grad_features.data + j * grad_out.cols + h * width);
    }
  };
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      if (accumulate == Accumulate::kOverwrite) {
        std::fill_n(grad_features.data + j * grad_out.cols, grad_out.cols, T(0));
      }
      const std::int64_t end = graph.out.offsets[j + 1];
      for (std::int64_t p = graph.out.offsets[j]; p < end; p += kStripEdges) {
        add_strip(j, p, std::min(p + kStripEdges, end));
      }
    }
  });
}

template <class T>
void aggregate_backward_weights(CpuContext& context, CsrView graph, MatrixView<const T> features,
                                MatrixView<const T> grad_out, MatrixView<T> grad_weights,
                                Accumulate accumulate) {
  const std::int64_t heads = grad_weights.cols;
  check_aggregate<T>("aggregate_backward_weights", graph.nodes(), graph.edges(), grad_weights,
                     features, grad_out);
  const std::int64_t width = features.cols / heads;
  const auto write_strip = [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
    T dots[kStripEdges];
    for (std::int64_t h = 0; h < heads; ++h) {
      const RowSet<T> rows{features.data + h * width, features.cols, graph.sources.data() + begin,
                           end - begin};
      dot_rows(rows, grad_out.data + i * grad_out.cols + h * width, width, dots, 1);
      for (std::int64_t e = begin; e < end; ++e) {
        T& gradient = grad_weights(e, h);
        gradient = accumulate == Accumulate::kAdd ? gradient + dots[e - begin] : dots[e - begin];
      }
    }
  };
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t end = graph.offsets[i + 1];
      for (std::int64_t e = graph.offsets[i]; e < end; e += kStripEdges) {
        write_strip(i, e, std::min(e + kStripEdges, end));
      }
    }
  });
}

template <class T>
void neighbour_mean(CpuContext& context, CsrView graph, MatrixView<const T> features,
                    MatrixView<T> out) {
  M2ST_CHECK(
      features.rows == graph.nodes() && out.rows == graph.nodes() && features.cols == out.cols,
      "neighbour_mean: ", features.rows, " x ", features.cols, " in, ", out.rows, " x ", out.cols,
      " out, the graph has ", graph.nodes(), " nodes");
  parallel_for(context, graph.nodes(), kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      std::fill_n(out.data + i * out.cols, out.cols, T(0));
      const std::int64_t begin = graph.offsets[i];
      const std::int64_t degree = graph.offsets[i + 1] - begin;
      if (degree == 0) continue;
      const RowSet<T> rows{features.data, features.cols, graph.sources.data() + begin, degree};
      const T share = T(1) / static_cast<T>(degree);
      add_weighted_rows(rows, &share, 0, features.cols, out.data + i * out.cols);
    }
  });
}

#define INSTANTIATE(T)                                                                             \
  template void aggregate<T>(CpuContext&, CsrView, MatrixView<const T>, MatrixView<const T>,       \
                             MatrixView<T>);                                                       \
  template void aggregate_backward_features<T>(CpuContext&, const GraphView&, MatrixView<const T>, \
                                               MatrixView<const T>, MatrixView<T>, Accumulate);    \
  template void aggregate_backward_weights<T>(CpuContext&, CsrView, MatrixView<const T>,           \
                                              MatrixView<const T>, MatrixView<T>, Accumulate);     \
  template void neighbour_mean<T>(CpuContext&, CsrView, MatrixView<const T>, MatrixView<T>)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
