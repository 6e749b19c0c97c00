// The fused attention's backward, in three passes that own what they write: by destination (row
// terms), by source (features and the sources' scores, from one gather of grad_out rows), and by
// destination again (the destinations' scores, from the logits' gradients that the second pass
// leaves behind). A softmax does not see a shift of all its logits, so only the edges on one side
// of the LeakyReLU count, and the smaller side is taken. docs/kernels.md derives it.
#include <algorithm>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/cpu/attention_sides.h"
#include "kernels/cpu/attention_strips.h"
#include "kernels/cpu/gat_walks.h"
#include "kernels/cpu/row_products.h"
#include "kernels/gat.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

template <class T>
struct Backward {
  EdgeWalk<T> in, out_edges;
  std::int64_t width;
  MatrixView<const T> projected, out, grad_out;
  Span<const T> bias;
  MatrixView<T> row_terms;       // (N, H): S = grad_out · (out − bias)
  MatrixView<T> grad_logits;     // (E, H), by in-edge
  const std::int64_t* edge_ids;  // of the out-edges
  MatrixView<T> grad_projected, grad_source_scores;
};

template <class T>
void find_row_terms(const Backward<T>& b, std::int64_t i) {
  for (std::int64_t h = 0; h < b.in.heads; ++h) {
    const T* gradient = b.grad_out.data + i * b.grad_out.cols + h * b.width;
    T term = dot(gradient, b.out.data + i * b.out.cols + h * b.width, b.width);
    if (!b.bias.empty()) term -= dot(gradient, b.bias.data() + h * b.width, b.width);
    b.row_terms(i, h) = term;
  }
}

// d loss / d (source score + destination score) of a strip's out-edges, and on the way that of
// their logits; `products` are grad_out · features.
template <int G, class T>
void strip_sum_gradients(const Backward<T>& b, const Strip& strip, std::int64_t head,
                         const StripValues<T>& sums, const StripValues<T>& weights,
                         const StripValues<T>& factors, StripValues<T>& products) {
  const std::int64_t edges = strip.last_edge - strip.first_edge;
  strip_product(edges * G, products, factors, products);
  for (std::int64_t e = 0; e < edges; ++e) {
    const std::int64_t i = b.out_edges.neighbours[strip.first_edge + e];
    subtract_heads<G>(b.row_terms.data + i * b.row_terms.cols + head, products.of + e * G);
  }
  strip_product(edges * G, products, weights, products);
  for (std::int64_t e = 0; e < edges; ++e) {
    const std::int64_t edge = b.edge_ids[strip.first_edge + e];
    std::copy_n(products.of + e * G, G, b.grad_logits.data + edge * b.in.heads + head);
  }
  for (std::int64_t k = 0; k < edges * G; ++k) {
    products.of[k] *= attention_logit_derivative(sums.of[k], b.out_edges.leaky_slope);
  }
}

// Σ α · grad_out rows into a source's features, and the products grad_out · features.
template <int G, class T>
void gather_out_edges(const Backward<T>& b, std::int64_t j, std::int64_t head, std::int64_t begin,
                      std::int64_t end, const T* coefficients, T* products) {
  const std::int64_t row = b.projected.cols;
  for (int g = 0; g < G; ++g) {
    const std::int64_t column = (head + g) * b.width;
    const RowSet<T> rows{b.grad_out.data + column, row, b.out_edges.neighbours + begin,
                         end - begin};
    dot_rows(rows, b.projected.data + j * row + column, b.width, products + g, G);
    add_weighted_rows(rows, coefficients + g, G, b.width, b.grad_projected.data + j * row + column);
  }
}

template <int G, class T>
void walk_sources(const Backward<T>& b, std::int64_t first, std::int64_t last, std::int64_t head) {
  const std::int64_t* offsets = b.out_edges.offsets;
  StripValues<T> sums, weights, factors, coefficients, products;
  for_each_strip(offsets, first, last, [&](const Strip& strip) {
    strip_sums<G>(b.out_edges, strip, head, sums);
    strip_weights<G>(b.out_edges, strip, head, sums, weights);
    strip_factors<G>(b.out_edges, strip, head, factors);
    strip_product((strip.last_edge - strip.first_edge) * G, weights, factors, coefficients);
    for_each_part(offsets, strip, [&](std::int64_t j, std::int64_t begin, std::int64_t end) {
      if (begin == offsets[j]) {
        std::fill_n(b.grad_projected.data + j * b.projected.cols + head * b.width, G * b.width,
                    T(0));
        std::fill_n(b.grad_source_scores.data + j * b.out_edges.heads + head, G, T(0));
      }
      const std::int64_t value = (begin - strip.first_edge) * G;
      gather_out_edges<G>(b, j, head, begin, end, coefficients.of + value, products.of + value);
    });
    strip_sum_gradients<G>(b, strip, head, sums, weights, factors, products);
    const T* gradient = products.of;
    for_each_part(offsets, strip, [&](std::int64_t j, std::int64_t begin, std::int64_t end) {
      T* total = b.grad_source_scores.data + j * b.out_edges.heads + head;
      for (std::int64_t p = begin; p < end; ++p, gradient += G) {
        for (int g = 0; g < G; ++g) total[g] += gradient[g];
      }
    });
  });
}

}  // namespace

template <class T>
void gat_attention_backward(CpuContext& context, const GraphView& graph,
                            const AttentionOptions& options, MatrixView<const T> projected,
                            MatrixView<const T> source_scores,
                            MatrixView<const T> destination_scores, Span<const T> bias,
                            MatrixView<const T> log_sums, MatrixView<const T> out,
                            MatrixView<const T> grad_out, MatrixView<T> grad_projected,
                            MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                            Span<T> grad_bias, Accumulate accumulate_bias) {
  check_attention<T>("gat_attention_backward", graph, options, projected, source_scores,
                     destination_scores, bias, log_sums, out);
  check_attention<T>("gat_attention_backward", graph, options, grad_projected, grad_source_scores,
                     grad_destination_scores, grad_bias, log_sums, grad_out);
  const std::int64_t nodes = graph.nodes();
  const std::int64_t row = projected.cols;
  const std::int64_t heads = source_scores.cols;
  Matrix<T> row_terms(context.pool(), nodes, heads);
  Matrix<T> grad_logits(context.pool(), graph.edges(), heads);
  // The bias's gradient: sums over each chunk's nodes, taken while their rows are at hand.
  const std::int64_t chunks = grad_bias.empty() ? 0 : chunk_count(nodes, kAttentionGrain);
  Matrix<T> bias_sums(context.pool(), chunks, row);
  const Backward<T> b{
      walk_in_edges<T>(graph, options, source_scores, destination_scores, log_sums),
      walk_out_edges<T>(graph, options, source_scores, destination_scores, log_sums),
      row / heads,
      projected,
      out,
      grad_out,
      bias,
      row_terms.view(),
      grad_logits.view(),
      graph.out.edges.data(),
      grad_projected,
      grad_source_scores};
  parallel_for(context, nodes, kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) find_row_terms(b, i);
    if (!grad_bias.empty()) {
      T* sum = bias_sums.data() + first / kAttentionGrain * row;
      std::copy_n(grad_out.data + first * row, row, sum);
      for (std::int64_t i = first + 1; i < last; ++i) {
        add_scaled(T(1), grad_out.data + i * row, row, sum);
      }
    }
  });
  if (!grad_bias.empty()) {
    column_sums<T>(context, bias_sums.view(), grad_bias, accumulate_bias);
  }
  parallel_for(context, nodes, kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    for_each_head_group(heads,
                        [&]<int G>(std::int64_t head) { walk_sources<G>(b, first, last, head); });
  });
  parallel_for(context, nodes, kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    for_each_head_group(heads, [&]<int G>(std::int64_t head) {
      find_destination_scores<G, T>(b.in, grad_logits.view(), first, last, head,
                                    grad_destination_scores);
    });
  });
}

#define INSTANTIATE(T)                                                                             \
  template void gat_attention_backward<T>(CpuContext&, const GraphView&, const AttentionOptions&,  \
                                          MatrixView<const T>, MatrixView<const T>,                \
                                          MatrixView<const T>, Span<const T>, MatrixView<const T>, \
                                          MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                          MatrixView<T>, MatrixView<T>, Span<T>, Accumulate)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
