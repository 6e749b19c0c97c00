// The shapes that callers of the fused attention must keep, on every backend.
#pragma once

#include "engine/check.h"
#include "engine/view.h"
#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "kernels/math/dropout.h"

namespace m2st::kernels {

template <class T>
void check_attention(const char* op, const GraphView& graph, const AttentionOptions& options,
                     MatrixView<const T> projected, MatrixView<const T> source_scores,
                     MatrixView<const T> destination_scores, Span<const T> bias,
                     MatrixView<const T> log_sums, MatrixView<const T> out) {
  const std::int64_t nodes = graph.nodes();
  const std::int64_t heads = source_scores.cols;
  M2ST_CHECK(heads > 0 && projected.cols % heads == 0, op, ": ", heads, " heads for a width of ",
             projected.cols);
  M2ST_CHECK(projected.rows == nodes && out.rows == nodes && out.cols == projected.cols, op,
             ": features are ", projected.rows, " x ", projected.cols, ", the output ", out.rows,
             " x ", out.cols, ", the graph has ", nodes, " nodes");
  M2ST_CHECK(source_scores.rows == nodes && destination_scores.rows == nodes &&
                 log_sums.rows == nodes && destination_scores.cols == heads &&
                 log_sums.cols == heads,
             op, ": scores and log sums must be ", nodes, " x ", heads, " (got ",
             source_scores.rows, " x ", heads, ", ", destination_scores.rows, " x ",
             destination_scores.cols, ", ", log_sums.rows, " x ", log_sums.cols, ")");
  M2ST_CHECK(bias.empty() || static_cast<std::int64_t>(bias.size()) == projected.cols, op,
             ": bias has ", bias.size(), " entries, the width is ", projected.cols);
  M2ST_CHECK(options.silent.empty() || std::ssize(options.silent) == nodes, op, ": ",
             options.silent.size(), " counts of silent edges for ", nodes, " nodes");
  M2ST_CHECK(options.dropout >= 0 && dropout_rule(options.dropout).threshold < 65536, op,
             ": dropout is ", options.dropout, ", must be at least 0 and below 1");
  M2ST_CHECK(options.dropout == 0 || static_cast<std::int64_t>(graph.ids.size()) == nodes, op, ": ",
             graph.ids.size(), " ids for ", nodes, " nodes");
}

// `sums`: the output, or its gradient.
template <class T>
void check_features(const char* op, const GraphView& graph, const AttentionOptions& options,
                    MatrixView<const T> features, MatrixView<const T> source_scores,
                    MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                    MatrixView<const T> sums) {
  M2ST_CHECK(features.rows == graph.nodes(), op, ": features of ", features.rows,
             " nodes, the graph has ", graph.nodes());
  M2ST_CHECK(sums.cols == source_scores.cols * features.cols, op, ": the sums are ", sums.cols,
             " wide, need ", source_scores.cols, " heads of ", features.cols);
  check_attention<T>(op, graph, options, sums, source_scores, destination_scores, {}, log_sums,
                     sums);
}

template <class T>
void check_tokens(const char* op, MatrixView<const T> features, const TokenFactors<T>& tokens,
                  Span<const T> grad_token) {
  M2ST_CHECK(tokens.rows.empty() ||
                 (tokens.factors.rows == std::ssize(tokens.rows) &&
                  tokens.factors.cols == features.cols && std::ssize(grad_token) == features.cols),
             op, ": factors of ", tokens.rows.size(), " tokens are ", tokens.factors.rows, " x ",
             tokens.factors.cols, ", the gradient has ", grad_token.size(),
             " entries, the features are ", features.cols, " wide");
}

template <class T>
void check_features_backward(const char* op, const GraphView& graph,
                             const AttentionOptions& options, MatrixView<const T> features,
                             MatrixView<const T> source_scores,
                             MatrixView<const T> destination_scores, MatrixView<const T> log_sums,
                             MatrixView<const T> grad_out, const TokenFactors<T>& tokens,
                             MatrixView<const T> grad_source_scores,
                             MatrixView<const T> grad_destination_scores,
                             Span<const T> grad_token) {
  check_features<T>(op, graph, options, features, source_scores, destination_scores, log_sums,
                    grad_out);
  check_features<T>(op, graph, options, features, grad_source_scores, grad_destination_scores,
                    log_sums, grad_out);
  check_tokens<T>(op, features, tokens, grad_token);
}

}  // namespace m2st::kernels
