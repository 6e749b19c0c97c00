// The fused attention's forward. Two walks over a node's in-edges: the first finds log Σ exp of its
// logits, the second recomputes the weights from it (as the backward will) and sums the rows.
#include "kernels/gat.h"

#include "engine/parallel.h"
#include "kernels/cpu/attention_log_sums.h"
#include "kernels/cpu/attention_strips.h"
#include "kernels/cpu/gat_walks.h"
#include "kernels/cpu/row_products.h"

namespace m2st::kernels {

namespace {

template <int G, class T>
void sum_rows(const EdgeWalk<T>& walk, std::int64_t first, std::int64_t last, std::int64_t head,
              MatrixView<const T> projected, Span<const T> bias, MatrixView<T> out) {
  const std::int64_t width = projected.cols / walk.heads;
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
      if (begin == walk.offsets[i]) {
        if (bias.empty()) {
          std::fill_n(out_row, G * width, T(0));
        } else {
          std::copy_n(bias.data() + head * width, G * width, out_row);
        }
      }
      for (int g = 0; g < G; ++g) {
        const RowSet<T> rows{projected.data + (head + g) * width, projected.cols,
                             walk.neighbours + begin, end - begin};
        add_weighted_rows(rows, weights.of + (begin - strip.first_edge) * G + g, G, width,
                          out_row + g * width);
      }
    });
  });
}

}  // namespace

template <class T>
void gat_attention(CpuContext& context, const GraphView& graph, const AttentionOptions& options,
                   MatrixView<const T> projected, MatrixView<const T> source_scores,
                   MatrixView<const T> destination_scores, Span<const T> bias,
                   MatrixView<T> log_sums, MatrixView<T> out) {
  check_attention<T>("gat_attention", graph, options, projected, source_scores, destination_scores,
                     bias, log_sums, out);
  const EdgeWalk<T> walk =
      walk_in_edges<T>(graph, options, source_scores, destination_scores, log_sums);
  parallel_for(context, graph.nodes(), kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    for_each_head_group(walk.heads, [&]<int G>(std::int64_t head) {
      find_log_sums<G>(walk, first, last, head, log_sums);
      sum_rows<G>(walk, first, last, head, projected, bias, out);
    });
  });
}

#define INSTANTIATE(T)                                                                          \
  template void gat_attention<T>(CpuContext&, const GraphView&, const AttentionOptions&,        \
                                 MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
                                 Span<const T>, MatrixView<T>, MatrixView<T>)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
