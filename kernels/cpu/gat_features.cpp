// The forward of the attention of raw features: log sums as in gat.cpp, then every row is gathered
// once for four heads.
#include "kernels/gat_features.h"

#include <algorithm>

#include "engine/parallel.h"
#include "kernels/attention_shapes.h"
#include "kernels/cpu/attention_log_sums.h"
#include "kernels/cpu/attention_strips.h"
#include "kernels/cpu/gat_walks.h"
#include "kernels/cpu/row_products.h"

namespace m2st::kernels {

namespace {

template <int G, class T>
void sum_features(const EdgeWalk<T>& walk, std::int64_t first, std::int64_t last, std::int64_t head,
                  MatrixView<const T> features, MatrixView<T> out) {
  const std::int64_t width = features.cols;
  StripValues<T> weights, factors;
  for_each_strip(walk.offsets, first, last, [&](const Strip& strip) {
    strip_sums<G>(walk, strip, head, factors);
    strip_weights<G>(walk, strip, head, factors, weights);
    if (walk.rule.threshold != 0) {
      strip_factors<G>(walk, strip, head, factors);
      strip_product((strip.last_edge - strip.first_edge) * G, weights, factors, weights);
    }
    for_each_part(walk.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      T* out_row = out.data + i * out.cols + head * width;
      if (begin == walk.offsets[i]) std::fill_n(out_row, G * width, T(0));
      const RowSet<T> rows{features.data, width, walk.neighbours + begin, end - begin};
      add_rows_of_heads<G>(rows, weights.of + (begin - strip.first_edge) * G, width, out_row);
    });
  });
}

}  // namespace

template <class T>
void gat_features(CpuContext& context, const GraphView& graph, const AttentionOptions& options,
                  MatrixView<const T> features, MatrixView<const T> source_scores,
                  MatrixView<const T> destination_scores, MatrixView<T> log_sums,
                  MatrixView<T> out) {
  check_features<T>("gat_features", graph, options, features, source_scores, destination_scores,
                    log_sums, out);
  const EdgeWalk<T> walk =
      walk_in_edges<T>(graph, options, source_scores, destination_scores, log_sums);
  parallel_for(context, graph.nodes(), kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    for_each_head_group(walk.heads, [&]<int G>(std::int64_t head) {
      find_log_sums<G>(walk, first, last, head, log_sums);
      sum_features<G>(walk, first, last, head, features, out);
    });
  });
}

#define INSTANTIATE(T)                                                                         \
  template void gat_features<T>(CpuContext&, const GraphView&, const AttentionOptions&,        \
                                MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
                                MatrixView<T>, MatrixView<T>)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
