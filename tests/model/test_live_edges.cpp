// The edges into chosen nodes, against filtering the whole graph's edges one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "model/live_edges.h"
#include "tests/support/random_graph.h"

namespace m2st::model {
namespace {

using Edge = std::tuple<std::int64_t, std::int32_t>;  // destination, source

std::vector<Edge> edges_into(const CsrView& graph, const std::vector<std::int32_t>& destinations) {
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    const bool wanted = std::count(destinations.begin(), destinations.end(), i) > 0;
    for (std::int64_t e = graph.offsets[i]; wanted && e < graph.offsets[i + 1]; ++e) {
      edges.emplace_back(i, graph.sources[e]);
    }
  }
  return edges;
}

std::vector<std::int32_t> all_rows(std::int64_t nodes) {
  std::vector<std::int32_t> rows;
  for (std::int32_t row = 0; row < nodes; ++row) rows.push_back(row);
  return rows;
}

void expect_transpose_of_itself(const GraphView& view) {
  std::vector<int> seen(static_cast<std::size_t>(view.edges()), 0);
  ASSERT_EQ(std::ssize(view.out.destinations), view.edges());
  for (std::int64_t j = 0; j < view.nodes(); ++j) {
    for (std::int64_t p = view.out.offsets[j]; p < view.out.offsets[j + 1]; ++p) {
      const std::int64_t edge = view.out.edges[p];
      const std::int64_t i = view.out.destinations[p];
      ++seen[static_cast<std::size_t>(edge)];
      EXPECT_EQ(view.in.sources[edge], j);
      EXPECT_LE(view.in.offsets[i], edge);
      EXPECT_LT(edge, view.in.offsets[i + 1]);
    }
  }
  EXPECT_EQ(seen, std::vector<int>(seen.size(), 1));
}

TEST(EdgesInto, KeepsTheEdgesOfTheListedNodesInOrder) {
  for (const std::int32_t nodes : {1, 2, 33, 97}) {
    const test::TestGraph graph = test::random_graph(nodes, 3, {7, 11, nodes > 33 ? 200 : 0});
    const std::vector<std::int32_t> all = all_rows(nodes);
    const std::vector<std::int32_t> some(all.begin() + nodes / 2, all.end());
    for (const auto& listed : {std::vector<std::int32_t>(), some, all}) {
      const EdgesInto live(graph.view(), listed, {});

      EXPECT_TRUE(live.silent().empty());
      EXPECT_EQ(edges_into(live.view().in, all), edges_into(graph.view().in, listed));
      EXPECT_EQ(live.view().nodes(), nodes);
      EXPECT_EQ(live.view().ids.data(), graph.view().ids.data());
    }
  }
}

// Every edge appears once in the transpose, under its source and with its own number.
TEST(EdgesInto, TransposeHoldsTheSameEdges) {
  const test::TestGraph graph = test::random_graph(97, 5, {7, 11, 200});
  std::vector<std::int32_t> listed;
  for (std::int32_t row = 0; row < 97; row += 3) listed.push_back(row);
  for (const std::vector<std::int32_t>& quiet : {std::vector<std::int32_t>(), listed}) {
    const EdgesInto live(graph.view(), listed, quiet);
    expect_transpose_of_itself(live.view());
  }
}

// Where the nodes that edges lead into are the quiet ones, none is left between two of them.
TEST(EdgesInto, CountsTheEdgesOfQuietSourcesInstead) {
  const test::TestGraph graph = test::random_graph(97, 5, {7, 11, 200});
  std::vector<std::int32_t> listed;
  for (std::int32_t row = 0; row < 97; row += 3) listed.push_back(row);
  std::vector<Edge> kept;
  std::vector<std::int32_t> silent(97, 0);
  for (const Edge& edge : edges_into(graph.view().in, listed)) {
    if (std::get<1>(edge) % 3 != 0) {
      kept.push_back(edge);
    } else {
      ++silent[static_cast<std::size_t>(std::get<0>(edge))];
    }
  }

  const EdgesInto live(graph.view(), listed, listed);

  EXPECT_EQ(edges_into(live.view().in, all_rows(97)), kept);
  EXPECT_TRUE(std::ranges::equal(live.silent(), silent));
}

}  // namespace
}  // namespace m2st::model
