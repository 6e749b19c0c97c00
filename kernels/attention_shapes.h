// The shapes that callers of the fused attention must keep, on every backend.
#pragma once

#include "engine/check.h"
#include "engine/view.h"
#include "kernels/gat.h"
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
  M2ST_CHECK(options.dropout >= 0 && dropout_rule(options.dropout).threshold < 65536, op,
             ": dropout is ", options.dropout, ", must be at least 0 and below 1");
  M2ST_CHECK(options.dropout == 0 || static_cast<std::int64_t>(graph.ids.size()) == nodes, op, ": ",
             graph.ids.size(), " ids for ", nodes, " nodes");
}

}  // namespace m2st::kernels
