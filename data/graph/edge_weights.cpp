#include "data/graph/edge_weights.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "data/graph/rows_of.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 2048;

Adjacency with_diagonal(CpuContext& context, const Adjacency& graph) {
  const auto edges = static_cast<std::int64_t>(graph.neighbours.size()) + graph.nodes();
  return rows_of(context, graph.nodes(), {edges, 0},
                 [&](std::int32_t i, std::vector<std::int32_t>& row) {
                   const auto begin = graph.neighbours.begin() + graph.offsets[i];
                   const auto end = graph.neighbours.begin() + graph.offsets[i + 1];
                   const auto place = std::lower_bound(begin, end, i);
                   row.insert(row.end(), begin, place);
                   row.push_back(i);
                   row.insert(row.end(), place != end && *place == i ? place + 1 : place, end);
                 });
}

// Rows of the transpose: from where edges come.
Adjacency turned(const Adjacency& graph) {
  Adjacency out;
  out.offsets.assign(graph.offsets.size(), 0);
  for (const std::int32_t end : graph.neighbours) {
    ++out.offsets[static_cast<std::size_t>(end) + 1];
  }
  for (std::size_t i = 1; i < out.offsets.size(); ++i) out.offsets[i] += out.offsets[i - 1];
  std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  out.neighbours.resize(graph.neighbours.size());
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      out.neighbours[next[graph.neighbours[e]]++] = static_cast<std::int32_t>(i);
    }
  }
  return out;
}

WeightedGraph spectral(CpuContext& context, Adjacency graph) {
  std::vector<std::int64_t> degrees(static_cast<std::size_t>(graph.nodes()), 0);
  for (const std::int32_t end : graph.neighbours) ++degrees[end];
  std::vector<float> weights(graph.neighbours.size());
  parallel_for(context, graph.nodes(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
        const auto product =
            static_cast<double>(degrees[i]) * static_cast<double>(degrees[graph.neighbours[e]]);
        weights[e] = product > 0 ? static_cast<float>(1 / std::sqrt(product)) : 0.0f;
      }
    }
  });
  return {std::move(graph), std::move(weights)};
}

// The starts of all edges that end where an edge of i ends, ascending, one entry for each.
void gather_partners(const Adjacency& graph, const Adjacency& transpose, std::int64_t i,
                     std::vector<std::int32_t>& partners) {
  partners.clear();
  for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
    const std::int32_t end = graph.neighbours[e];
    partners.insert(partners.end(), transpose.neighbours.begin() + transpose.offsets[end],
                    transpose.neighbours.begin() + transpose.offsets[end + 1]);
  }
  std::sort(partners.begin(), partners.end());
}

WeightedGraph cosine(CpuContext& context, const Adjacency& graph, EdgeLimit limit) {
  const Adjacency transpose = turned(graph);
  WeightedGraph result;
  result.adjacency =
      rows_of(context, graph.nodes(), limit, [&](std::int32_t i, std::vector<std::int32_t>& row) {
        std::vector<std::int32_t> partners;
        gather_partners(graph, transpose, i, partners);
        std::unique_copy(partners.begin(), partners.end(), std::back_inserter(row));
      });
  const auto& [offsets, ends] = result.adjacency;
  result.weights.resize(ends.size());
  const auto length = [&](std::int64_t i) {
    return static_cast<double>(graph.offsets[i + 1] - graph.offsets[i]);
  };
  parallel_for(context, graph.nodes(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> partners;
    for (std::int64_t i = begin; i < end; ++i) {
      gather_partners(graph, transpose, i, partners);
      auto from = partners.begin();
      for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
        const auto to = std::upper_bound(from, partners.end(), ends[e]);
        result.weights[e] = static_cast<float>(static_cast<double>(to - from) /
                                               std::sqrt(length(i) * length(ends[e])));
        from = to;
      }
    }
  });
  return result;
}

}  // namespace

WeightedGraph weighted_graph(CpuContext& context, const Adjacency& adjacency,
                             GraphTransform transform, bool diagonal, EdgeLimit limit) {
  Adjacency graph = diagonal ? with_diagonal(context, adjacency) : adjacency;
  if (transform == GraphTransform::kSpectral) return spectral(context, std::move(graph));
  if (transform == GraphTransform::kCosine) return cosine(context, graph, limit);
  std::vector<float> ones(graph.neighbours.size(), 1);
  return {std::move(graph), std::move(ones)};
}

std::string to_string(GraphTransform transform) {
  switch (transform) {
    case GraphTransform::kNone:
      return "none";
    case GraphTransform::kSpectral:
      return "spectral";
    case GraphTransform::kCosine:
      return "cosine";
  }
  return "unknown";
}

}  // namespace m2st::data
