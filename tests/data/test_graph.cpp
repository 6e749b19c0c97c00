// The training graph: self loops, transpose, reordering; and the refusal of graphs that are none.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "data/graph/graph.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using test::expect_error;
using Edge = std::pair<std::int32_t, std::int32_t>;  // (to, from) as global ids

Adjacency random_adjacency(std::int32_t nodes, int pairs, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::set<std::int32_t>> rows(static_cast<std::size_t>(nodes));
  for (int pair = 0; pair < pairs; ++pair) {
    const auto i = static_cast<std::int32_t>(random() % nodes);
    const auto j = static_cast<std::int32_t>(random() % nodes);
    rows[i].insert(j);
    rows[j].insert(i);
  }
  Adjacency adjacency{{0}, {}};
  for (const auto& row : rows) {
    adjacency.neighbours.insert(adjacency.neighbours.end(), row.begin(), row.end());
    adjacency.offsets.push_back(static_cast<std::int64_t>(adjacency.neighbours.size()));
  }
  return adjacency;
}

std::vector<Edge> edges_of(const Graph& graph) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i + 1 < graph.offsets.size(); ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      edges.emplace_back(graph.ids[i], graph.ids[graph.sources[e]]);
    }
  }
  std::sort(edges.begin(), edges.end());
  return edges;
}

// Every edge appears in the transpose once, at its source, with its own id and destination.
void expect_transpose(const Graph& graph) {
  std::vector<int> seen(graph.sources.size(), 0);
  for (std::size_t j = 0; j + 1 < graph.out_offsets.size(); ++j) {
    for (std::int64_t p = graph.out_offsets[j]; p < graph.out_offsets[j + 1]; ++p) {
      const std::int64_t edge = graph.out_edges[p];
      const std::int32_t to = graph.out_destinations[p];
      ++seen[edge];
      EXPECT_EQ(graph.sources[edge], static_cast<std::int32_t>(j));
      EXPECT_TRUE(graph.offsets[to] <= edge && edge < graph.offsets[to + 1]);
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::int64_t>(seen.size()));
}

TEST(Graph, EveryNodeGetsOneSelfLoopInItsPlace) {
  CpuContext context(1);
  // 0 – 2, 1 has a loop already, 3 is alone.
  const Adjacency adjacency{{0, 1, 2, 3, 3}, {2, 1, 0}};

  const Graph graph = graph_with_self_loops(context, adjacency);

  EXPECT_EQ(graph.offsets, (std::vector<std::int64_t>{0, 2, 3, 5, 6}));
  EXPECT_EQ(graph.sources, (std::vector<std::int32_t>{0, 2, 1, 0, 2, 3}));
  EXPECT_EQ(graph.out_offsets, graph.offsets);
  EXPECT_EQ(graph.out_destinations, graph.sources);
  EXPECT_EQ(graph.out_edges, (std::vector<std::int64_t>{0, 3, 2, 1, 4, 5}));
  EXPECT_EQ(graph.ids, (std::vector<std::int32_t>{0, 1, 2, 3}));
}

TEST(Graph, TransposeHoldsEveryEdgeOnce) {
  CpuContext context(2);
  for (const std::int32_t nodes : {1, 31, 32, 33, 9001}) {
    const Graph graph = graph_with_self_loops(context, random_adjacency(nodes, 3 * nodes, 5));

    expect_transpose(graph);
  }
}

TEST(Graph, HasNoNodesFromNoNodes) {
  CpuContext context(1);

  const Graph graph = graph_with_self_loops(context, {{0}, {}});

  EXPECT_EQ(graph.view().nodes(), 0);
  EXPECT_EQ(graph.view().edges(), 0);
}

TEST(Graph, ReorderingKeepsEdgesBetweenGlobalIds) {
  CpuContext context(2);
  constexpr std::int32_t kNodes = 9001;
  const Graph graph = graph_with_self_loops(context, random_adjacency(kNodes, 20000, 6));
  std::vector<std::int32_t> order(kNodes);
  for (std::int32_t i = 0; i < kNodes; ++i) order[i] = (i * 7 + 3) % kNodes;

  const Graph moved = reordered(context, graph, order);
  const Graph twice = reordered(context, moved, order);

  EXPECT_EQ(moved.ids, order);
  EXPECT_EQ(edges_of(moved), edges_of(graph));
  EXPECT_EQ(edges_of(twice), edges_of(graph));
  expect_transpose(moved);
  for (std::int32_t i = 0; i < kNodes; ++i) {
    EXPECT_TRUE(std::is_sorted(moved.sources.begin() + moved.offsets[i],
                               moved.sources.begin() + moved.offsets[i + 1]));
  }
}

TEST(Graph, ReorderingAnAdjacencyRenamesBothEnds) {
  CpuContext context(1);
  const Adjacency path{{0, 1, 3, 4}, {1, 0, 2, 1}};  // 0 – 1 – 2

  const Adjacency moved = reordered(context, path, std::vector<std::int32_t>{1, 2, 0});

  EXPECT_EQ(moved.offsets, (std::vector<std::int64_t>{0, 2, 3, 4}));
  EXPECT_EQ(moved.neighbours, (std::vector<std::int32_t>{1, 2, 0, 0}));
}

TEST(Graph, OrdersThatAreNoPermutationAreRefused) {
  CpuContext context(1);
  const Adjacency pair{{0, 1, 2}, {1, 0}};

  for (const std::vector<std::int32_t>& order :
       {std::vector<std::int32_t>{0, 0}, {0}, {0, 2}, {-1, 0}}) {
    expect_error(ExitCode::kInternal, {"reordered"}, [&] { reordered(context, pair, order); });
  }
}

TEST(Graph, ValidationNamesWhatIsWrong) {
  const auto refused = [](const Adjacency& adjacency, const std::string& word) {
    expect_error(ExitCode::kInputInvalid, {word}, [&] { validate(adjacency, true); });
  };

  validate({{0}, {}}, true);
  validate({{0, 1, 2}, {1, 0}}, true);
  validate({{0, 1, 1}, {1}}, false);
  refused({{}, {}}, "offsets");
  refused({{1, 1}, {0}}, "offsets");
  refused({{0, 1, 3}, {1, 0}}, "offsets");
  refused({{0, 3, 2}, {1, 0}}, "cell 0");
  refused({{0, 1, 2}, {2, 0}}, "neighbour 2");
  refused({{0, 1, 2}, {-1, 0}}, "neighbour -1");
  refused({{0, 2, 4}, {1, 1, 0, 0}}, "ascending");
  refused({{0, 1, 1}, {1}}, "cell 0 has the neighbour 1");
}

}  // namespace
}  // namespace m2st::data
