// The backward of the attention of raw features. One walk over the in-edges gathers every row once
// for four heads: its products with the gradients of the sums give those of the logits, and where
// it is a token's row, its share of the token's gradient. What is left are sums of numbers: the
// destinations' scores as in gat_backward.cpp, the sources' by their out-edges.
#include <algorithm>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/attention_shapes.h"
#include "kernels/cpu/attention_sides.h"
#include "kernels/cpu/attention_strips.h"
#include "kernels/cpu/gat_walks.h"
#include "kernels/cpu/row_products.h"
#include "kernels/gat_features.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

template <class T>
struct FeaturesBackward {
  EdgeWalk<T> in;
  MatrixView<const T> features, grad_out;
  MatrixView<const T> token_factors;
  const std::int32_t* token_of;  // (N): the row's place among the tokens or −1; null: no tokens
  MatrixView<T> grad_logits;     // (E, H), by in-edge
};

// The products of the rows into node i with its gradients, head by head of a group.
template <int G, class T>
void dot_rows_of_heads(const FeaturesBackward<T>& b, std::int64_t i, std::int64_t head,
                       std::int64_t begin, std::int64_t end, T* products) {
  const std::int64_t width = b.features.cols;
  const T* gradients = b.grad_out.data + i * b.grad_out.cols + head * width;
  const T* gradient[4];
  for (int g = 0; g < 4; ++g) gradient[g] = gradients + std::min(g, G - 1) * width;
  for (std::int64_t e = begin; e < end; ++e, products += G) {
    T dots[4];
    dot_four_rows<T>(gradient, b.features.data + b.in.neighbours[e] * width, width, dots);
    std::copy_n(dots, G, products);
  }
}

// sum[c] += factors[c] · Σ_g coefficients[g] · gradients[g, c].
template <int G, class T>
void add_token_term(const T* __restrict factors, const T* __restrict coefficients,
                    const T* __restrict gradients, std::int64_t width, T* __restrict sum) {
  for (std::int64_t c = 0; c < width; ++c) {
    T total = 0;
    for (int g = 0; g < G; ++g) total += coefficients[g] * gradients[g * width + c];
    sum[c] += factors[c] * total;
  }
}

// What the token's rows into node i give to its gradient.
template <int G, class T>
void add_token_terms(const FeaturesBackward<T>& b, std::int64_t i, std::int64_t head,
                     std::int64_t begin, std::int64_t end, const T* coefficients, T* token_sum) {
  const std::int64_t width = b.features.cols;
  const T* gradients = b.grad_out.data + i * b.grad_out.cols + head * width;
  for (std::int64_t e = begin; e < end; ++e, coefficients += G) {
    const std::int32_t token = b.token_of[b.in.neighbours[e]];
    if (token < 0) continue;
    add_token_term<G>(b.token_factors.data + token * width, coefficients, gradients, width,
                      token_sum);
  }
}

// Leaves the softmax's coefficients times the products in grad_logits, and their sum over a node's
// edges, the softmax's row term, in row_terms.
template <int G, class T>
void gather_destinations(const FeaturesBackward<T>& b, std::int64_t first, std::int64_t last,
                         std::int64_t head, T* row_terms, T* token_sum) {
  StripValues<T> coefficients, values, products;
  for_each_strip(b.in.offsets, first, last, [&](const Strip& strip) {
    const std::int64_t size = (strip.last_edge - strip.first_edge) * G;
    strip_sums<G>(b.in, strip, head, values);
    strip_weights<G>(b.in, strip, head, values, coefficients);
    strip_factors<G>(b.in, strip, head, values);
    strip_product(size, coefficients, values, coefficients);
    for_each_part(b.in.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      const std::int64_t value = (begin - strip.first_edge) * G;
      dot_rows_of_heads<G>(b, i, head, begin, end, products.of + value);
      if (b.token_of == nullptr) return;
      add_token_terms<G>(b, i, head, begin, end, coefficients.of + value, token_sum);
    });
    strip_product(size, products, coefficients, products);
    const T* product = products.of;
    for_each_part(b.in.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      T* term = row_terms + (i - first) * G;
      for (std::int64_t e = begin; e < end; ++e, product += G) {
        for (int g = 0; g < G; ++g) term[g] += product[g];
        std::copy_n(product, G, b.grad_logits.data + e * b.in.heads + head);
      }
    });
  });
}

// The row terms times the softmax's weights come off: grad_logits are what their name says.
template <int G, class T>
void subtract_row_terms(const FeaturesBackward<T>& b, std::int64_t first, std::int64_t last,
                        std::int64_t head, const T* row_terms) {
  StripValues<T> sums, weights;
  for_each_strip(b.in.offsets, first, last, [&](const Strip& strip) {
    strip_sums<G>(b.in, strip, head, sums);
    strip_weights<G>(b.in, strip, head, sums, weights);
    const T* weight = weights.of;
    for_each_part(b.in.offsets, strip, [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
      const T* term = row_terms + (i - first) * G;
      for (std::int64_t e = begin; e < end; ++e, weight += G) {
        T* gradient = b.grad_logits.data + e * b.in.heads + head;
        for (int g = 0; g < G; ++g) gradient[g] -= weight[g] * term[g];
      }
    });
  });
}

// Σ over the out-edges of ∂loss/∂(source score + destination score), for the sources [first, last).
template <class T>
void sum_by_source(const EdgeWalk<T>& out_edges, const TransposeView& transpose,
                   MatrixView<const T> grad_logits, std::int64_t first, std::int64_t last,
                   MatrixView<T> grad_source_scores) {
  const std::int64_t heads = out_edges.heads;
  for (std::int64_t j = first; j < last; ++j) {
    T* __restrict total = grad_source_scores.data + j * heads;
    const T* own = out_edges.owner_scores + j * heads;
    std::fill_n(total, heads, T(0));
    for (std::int64_t p = transpose.offsets[j]; p < transpose.offsets[j + 1]; ++p) {
      const T* other = out_edges.neighbour_scores + transpose.destinations[p] * heads;
      const T* gradient = grad_logits.data + transpose.edges[p] * heads;
      for (std::int64_t h = 0; h < heads; ++h) {
        total[h] +=
            gradient[h] * attention_logit_derivative(own[h] + other[h], out_edges.leaky_slope);
      }
    }
  }
}

// The place of every row among the tokens' rows, −1 for the others.
Array<std::int32_t> places_of(CpuContext& context, std::int64_t nodes,
                              Span<const std::int32_t> rows) {
  Array<std::int32_t> places(context.pool(), nodes);
  std::fill_n(places.data(), nodes, -1);
  for (std::size_t k = 0; k < rows.size(); ++k) places[rows[k]] = static_cast<std::int32_t>(k);
  return places;
}

}  // namespace

template <class T>
void gat_features_backward(CpuContext& context, const GraphView& graph,
                           const AttentionOptions& options, MatrixView<const T> features,
                           MatrixView<const T> source_scores,
                           MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                           MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                           MatrixView<T> grad_source_scores, MatrixView<T> grad_destination_scores,
                           Span<T> grad_token, Accumulate accumulate_token) {
  check_features_backward<T>("gat_features_backward", graph, options, features, source_scores,
                             destination_scores, log_sums, grad_out, tokens, grad_source_scores,
                             grad_destination_scores, grad_token);
  const std::int64_t nodes = graph.nodes();
  const std::int64_t heads = source_scores.cols;
  const bool with_tokens = !tokens.rows.empty();
  const Array<std::int32_t> token_of =
      with_tokens ? places_of(context, nodes, tokens.rows) : Array<std::int32_t>();
  Matrix<T> grad_logits(context.pool(), graph.edges(), heads);
  Matrix<T> token_sums(context.pool(), with_tokens ? chunk_count(nodes, kAttentionGrain) : 0,
                       features.cols);
  const FeaturesBackward<T> b{
      walk_in_edges<T>(graph, options, source_scores, destination_scores, log_sums),
      features,
      grad_out,
      tokens.factors,
      token_of.data(),
      grad_logits.view()};
  parallel_for(context, nodes, kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    T* token_sum = nullptr;
    if (with_tokens) {
      token_sum = token_sums.data() + first / kAttentionGrain * features.cols;
      std::fill_n(token_sum, features.cols, T(0));
    }
    for_each_head_group(heads, [&]<int G>(std::int64_t head) {
      T row_terms[kAttentionGrain * G] = {};
      gather_destinations<G>(b, first, last, head, row_terms, token_sum);
      subtract_row_terms<G>(b, first, last, head, row_terms);
      find_destination_scores<G, T>(b.in, grad_logits.view(), first, last, head,
                                    grad_destination_scores);
    });
  });
  if (with_tokens) column_sums<T>(context, token_sums.view(), grad_token, accumulate_token);
  const EdgeWalk<T> out_edges =
      walk_out_edges<T>(graph, options, source_scores, destination_scores, log_sums);
  parallel_for(context, nodes, kAttentionGrain, [&](std::int64_t first, std::int64_t last) {
    sum_by_source<T>(out_edges, graph.out, grad_logits.view(), first, last, grad_source_scores);
  });
}

#define INSTANTIATE(T)                                                                    \
  template void gat_features_backward<T>(                                                 \
      CpuContext&, const GraphView&, const AttentionOptions&, MatrixView<const T>,        \
      MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, MatrixView<const T>, \
      const TokenFactors<T>&, MatrixView<T>, MatrixView<T>, Span<T>, Accumulate)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
