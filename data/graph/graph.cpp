#include "data/graph/graph.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kNodesPerChunk = 4096;

// Offsets of rows whose lengths are given.
std::vector<std::int64_t> scanned(CpuContext& context, const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> offsets(lengths.size() + 1);
  kernels::exclusive_scan(context, lengths, offsets);
  return offsets;
}

// The out-edges, by a counting sort: edges ascend inside a source's row, hence destinations too.
void add_transpose(Graph& graph) {
  const std::size_t nodes = graph.offsets.size() - 1;
  graph.out_offsets.assign(nodes + 1, 0);
  for (const std::int32_t source : graph.sources) {
    ++graph.out_offsets[static_cast<std::size_t>(source) + 1];
  }
  std::partial_sum(graph.out_offsets.begin(), graph.out_offsets.end(), graph.out_offsets.begin());
  graph.out_destinations.resize(graph.sources.size());
  graph.out_edges.resize(graph.sources.size());
  std::vector<std::int64_t> next(graph.out_offsets.begin(), graph.out_offsets.end() - 1);
  for (std::size_t i = 0; i < nodes; ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      const std::int64_t place = next[graph.sources[e]]++;
      graph.out_destinations[place] = static_cast<std::int32_t>(i);
      graph.out_edges[place] = e;
    }
  }
}

// Row i of the result is row order[i] with every end renamed, ascending.
void reorder_rows(CpuContext& context, const std::vector<std::int64_t>& offsets,
                  const std::vector<std::int32_t>& ends, Span<const std::int32_t> order,
                  std::vector<std::int64_t>& new_offsets, std::vector<std::int32_t>& new_ends) {
  const auto nodes = static_cast<std::int64_t>(offsets.size()) - 1;
  M2ST_CHECK(static_cast<std::int64_t>(order.size()) == nodes, "reordered: size of order (got ",
             order.size(), ", need ", nodes, ")");
  std::vector<std::int64_t> lengths(order.size());
  std::vector<std::int32_t> place(order.size(), -1);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::int32_t old = order[i];
    M2ST_CHECK(old >= 0 && old < nodes && place[old] < 0, "reordered: order is no permutation at ",
               i, " (got ", old, ")");
    place[old] = static_cast<std::int32_t>(i);
    lengths[i] = offsets[old + 1] - offsets[old];
  }
  new_offsets = scanned(context, lengths);
  new_ends.resize(ends.size());
  parallel_for(context, nodes, kNodesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int32_t* row = new_ends.data() + new_offsets[i];
      const std::int64_t start = offsets[order[i]];
      for (std::int64_t k = 0; k < lengths[i]; ++k) row[k] = place[ends[start + k]];
      std::sort(row, row + lengths[i]);
    }
  });
}

}  // namespace

GraphView Graph::view() const {
  return {{offsets, sources}, {out_offsets, out_destinations, out_edges}, ids};
}

Graph graph_with_self_loops(CpuContext& context, const Adjacency& adjacency) {
  const std::int64_t nodes = adjacency.nodes();
  const auto row = [&](std::int64_t i) {
    return std::pair{adjacency.neighbours.begin() + adjacency.offsets[i],
                     adjacency.neighbours.begin() + adjacency.offsets[i + 1]};
  };
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(nodes));
  parallel_for(context, nodes, kNodesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto [first, last] = row(i);
      const bool has_loop = std::binary_search(first, last, static_cast<std::int32_t>(i));
      lengths[i] = last - first + (has_loop ? 0 : 1);
    }
  });
  Graph graph;
  graph.offsets = scanned(context, lengths);
  graph.sources.resize(static_cast<std::size_t>(graph.offsets.back()));
  parallel_for(context, nodes, kNodesPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto [first, last] = row(i);
      const auto self = static_cast<std::int32_t>(i);
      const auto after = std::lower_bound(first, last, self);
      auto out = std::copy(first, after, graph.sources.begin() + graph.offsets[i]);
      if (after == last || *after != self) *out++ = self;
      std::copy(after, last, out);
    }
  });
  add_transpose(graph);
  graph.ids.resize(static_cast<std::size_t>(nodes));
  std::iota(graph.ids.begin(), graph.ids.end(), 0);
  return graph;
}

Graph reordered(CpuContext& context, const Graph& graph, Span<const std::int32_t> order) {
  Graph result;
  reorder_rows(context, graph.offsets, graph.sources, order, result.offsets, result.sources);
  add_transpose(result);
  for (const std::int32_t old : order) result.ids.push_back(graph.ids[old]);
  return result;
}

Adjacency reordered(CpuContext& context, const Adjacency& adjacency,
                    Span<const std::int32_t> order) {
  Adjacency result;
  reorder_rows(context, adjacency.offsets, adjacency.neighbours, order, result.offsets,
               result.neighbours);
  return result;
}

void validate(const Adjacency& adjacency, bool symmetric) {
  const auto& [offsets, neighbours] = adjacency;
  const std::int64_t nodes = adjacency.nodes();
  const auto edges = static_cast<std::int64_t>(neighbours.size());
  if (nodes < 0 || nodes > std::numeric_limits<std::int32_t>::max() || offsets.front() != 0 ||
      offsets.back() != edges) {
    fail(ExitCode::kInputInvalid, "graph: offsets of ", nodes, " cells run from ",
         offsets.empty() ? 0 : offsets.front(), " to ", offsets.empty() ? 0 : offsets.back(),
         ", need 0 to the number of neighbours, ", edges);
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (offsets[i] > offsets[i + 1] || offsets[i + 1] > edges) {
      fail(ExitCode::kInputInvalid, "graph: offsets fall or run over at cell ", i, " (", offsets[i],
           " to ", offsets[i + 1], ")");
    }
    for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
      if (neighbours[e] < 0 || neighbours[e] >= nodes) {
        fail(ExitCode::kInputInvalid, "graph: cell ", i, " has the neighbour ", neighbours[e],
             ", need 0 to ", nodes - 1);
      }
      if (e > offsets[i] && neighbours[e - 1] >= neighbours[e]) {
        fail(ExitCode::kInputInvalid, "graph: neighbours of cell ", i,
             " are not in ascending order (", neighbours[e - 1], " before ", neighbours[e], ")");
      }
    }
  }
  for (std::int64_t i = 0; symmetric && i < nodes; ++i) {
    for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
      const auto first = neighbours.begin() + offsets[neighbours[e]];
      const auto last = neighbours.begin() + offsets[neighbours[e] + 1];
      if (!std::binary_search(first, last, static_cast<std::int32_t>(i))) {
        fail(ExitCode::kInputInvalid, "graph: is not symmetric: cell ", i, " has the neighbour ",
             neighbours[e], ", which does not have ", i);
      }
    }
  }
}

}  // namespace m2st::data
