// Graphs for tests: owners of everything a GraphView shows. Global ids differ from positions on
// purpose, so that a kernel that keys randomness by position is caught.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/view.h"

namespace m2st::test {

struct TestGraph {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> sources;
  std::vector<std::int64_t> out_offsets;
  std::vector<std::int32_t> out_destinations;
  std::vector<std::int64_t> out_edges;
  std::vector<std::int32_t> ids;

  std::int64_t nodes() const { return static_cast<std::int64_t>(ids.size()); }
  std::int64_t edges() const { return static_cast<std::int64_t>(sources.size()); }
  GraphView view() const {
    return {{offsets, sources}, {out_offsets, out_destinations, out_edges}, ids};
  }
};

// sources_of[i]: where the in-edges of node i come from, in order; edges may repeat.
inline TestGraph make_graph(const std::vector<std::vector<std::int32_t>>& sources_of) {
  TestGraph graph;
  const std::int64_t nodes = static_cast<std::int64_t>(sources_of.size());
  graph.offsets.push_back(0);
  for (const std::vector<std::int32_t>& row : sources_of) {
    graph.sources.insert(graph.sources.end(), row.begin(), row.end());
    graph.offsets.push_back(graph.edges());
  }
  std::vector<std::vector<std::int64_t>> edges_of(sources_of.size());  // by source, in edge order
  std::vector<std::int32_t> destination_of;
  for (std::int32_t i = 0; i < nodes; ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      edges_of[graph.sources[e]].push_back(e);
      destination_of.push_back(i);
    }
  }
  graph.out_offsets.push_back(0);
  for (const std::vector<std::int64_t>& edges : edges_of) {
    for (const std::int64_t e : edges) {
      graph.out_destinations.push_back(destination_of[e]);
      graph.out_edges.push_back(e);
    }
    graph.out_offsets.push_back(static_cast<std::int64_t>(graph.out_edges.size()));
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    graph.ids.push_back(static_cast<std::int32_t>(1000 + nodes - i));
  }
  return graph;
}

struct RandomGraphOptions {
  int mean_degree = 7;      // degrees are uniform in 0 .. 2 · mean
  int isolated_every = 11;  // every so many nodes one has no in-edges; 0: none on purpose
  int hub_degree = 0;       // in- and out-degree of the first node (edges repeat when N is small)
};

inline TestGraph random_graph(std::int32_t nodes, std::uint64_t seed,
                              RandomGraphOptions options = {}) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<std::int32_t>> sources_of(static_cast<std::size_t>(nodes));
  const auto any_node = [&] { return static_cast<std::int32_t>(random() % nodes); };
  for (std::int32_t i = 0; i < nodes; ++i) {
    if (options.isolated_every > 0 && i % options.isolated_every == options.isolated_every - 1) {
      continue;
    }
    const std::uint64_t degree = random() % (2 * options.mean_degree + 1);
    for (std::uint64_t e = 0; e < degree; ++e) sources_of[i].push_back(any_node());
  }
  for (int e = 0; nodes > 0 && e < options.hub_degree; ++e) {
    sources_of[0].push_back(any_node());
    sources_of[any_node()].push_back(0);
  }
  return make_graph(sources_of);
}

// Uniform in (−1, 1), the same numbers for float and double up to rounding.
template <class T>
std::vector<T> random_values(std::int64_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<T> values(static_cast<std::size_t>(size));
  for (T& value : values) value = static_cast<T>((random() >> 11) * 0x1.0p-52 - 1.0);
  return values;
}

}  // namespace m2st::test
