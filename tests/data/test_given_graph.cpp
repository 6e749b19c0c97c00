// Graphs from files are made fit or refused; sections stay apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "data/graph/given_graph.h"
#include "data/graph/sections.h"
#include "tests/data/naive_graph.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::PointSet;
using test::Rows;
using test::rows_of;

TEST(GivenGraph, SortsRowsAndDropsRepeatsAndLoops) {
  CpuContext context(2);

  const FitGraph fit = fit_graph(context, {{0, 4, 5, 6}, {2, 1, 2, 0, 0, 0}}, 3, "g");

  EXPECT_EQ(rows_of(fit.adjacency), (Rows{{1, 2}, {0}, {0}}));
  EXPECT_TRUE(fit.warnings.empty());
}

TEST(GivenGraph, MakesOneWayEdgesGoBothWithAWarning) {
  CpuContext context(2);

  const FitGraph fit = fit_graph(context, {{0, 2, 2, 3}, {1, 2, 0}}, 3, "obsp/mine");

  EXPECT_EQ(rows_of(fit.adjacency), (Rows{{1, 2}, {0}, {0}}));
  ASSERT_EQ(fit.warnings.size(), 1u);
  EXPECT_NE(fit.warnings[0].find("obsp/mine: 1 of 3"), std::string::npos) << fit.warnings[0];
  validate(fit.adjacency, true);
}

TEST(GivenGraph, NoCellsAndNoEdgesAreGraphsToo) {
  CpuContext context(1);

  EXPECT_EQ(fit_graph(context, {{0}, {}}, 0, "g").adjacency.nodes(), 0);
  EXPECT_EQ(rows_of(fit_graph(context, {{0, 0, 0}, {}}, 2, "g").adjacency), (Rows{{}, {}}));
}

TEST(GivenGraph, WhatIsNoGraphIsRefused) {
  CpuContext context(1);
  const auto refused = [&](const Adjacency& given, std::initializer_list<std::string> words) {
    expect_error(ExitCode::kInputInvalid, words, [&] { fit_graph(context, given, 3, "g.npz"); });
  };
  refused({{0, 0, 0}, {}}, {"g.npz", "2 rows", "3 cells"});
  refused({{}, {}}, {"0 rows"});
  refused({{0, 1, 1, 1}, {3}}, {"row 0", "3", "0 to 2"});
  refused({{0, 1, 1, 1}, {-1}}, {"-1"});
  refused({{0, 2, 1, 2}, {1, 2}}, {"damaged"});
  refused({{1, 1, 1, 2}, {1, 2}}, {"damaged"});
  refused({{0, 1, 1, 1}, {1, 2}}, {"damaged"});
}

TEST(GivenGraph, HubsOfManyCellsAreSymmetrised) {
  constexpr std::int32_t kCells = 100001;
  Adjacency star;
  star.offsets.assign(kCells + 1, kCells - 1);
  star.offsets[0] = 0;
  for (std::int32_t i = kCells - 1; i > 0; --i) star.neighbours.push_back(i);
  CpuContext context(2);

  const FitGraph fit = fit_graph(context, star, kCells, "g");

  EXPECT_EQ(fit.adjacency.neighbours.size(), 2u * (kCells - 1));
  EXPECT_EQ(fit.adjacency.offsets[1], kCells - 1);
}

// Two overlapping sections, interleaved cell by cell.
struct TwoSections {
  PointSet points = test::random_points(400, 2, 41);
  std::vector<std::string> names;
  TwoSections() {
    for (int i = 0; i < 400; ++i) names.push_back(i % 3 == 0 ? "left" : "right");
  }
  std::vector<std::int32_t> cells(const std::string& name) const {
    std::vector<std::int32_t> found;
    for (std::int32_t i = 0; i < 400; ++i) {
      if (names[i] == name) found.push_back(i);
    }
    return found;
  }
};

TEST(SectionedGraph, IsEachSectionsGraphAlone) {
  const TwoSections two;
  for (const GraphSemantics semantics : {GraphSemantics::kM2st, GraphSemantics::kSquidpy}) {
    const SpatialGraphOptions options = {.kind = GraphKind::kKnn, .semantics = semantics};
    CpuContext context(2);
    const SectionedGraph joined =
        build_sectioned_graph(context, two.points.view(), two.names, options);
    const Rows rows = rows_of(joined.graph.adjacency);
    for (const std::string& name : {std::string("left"), std::string("right")}) {
      const std::vector<std::int32_t> cells = two.cells(name);
      PointSet own{{}, 2};
      for (const std::int32_t cell : cells) {
        own.values.insert(own.values.end(), two.points.values.begin() + 2 * cell,
                          two.points.values.begin() + 2 * cell + 2);
      }
      const Rows alone = rows_of(build_spatial_graph(context, own.view(), options).adjacency);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        std::vector<std::int32_t> expected;
        for (const std::int32_t end : alone[i]) expected.push_back(cells[end]);
        ASSERT_EQ(rows[cells[i]], expected) << name << " " << i;
      }
    }
    validate(joined.graph.adjacency, joined.graph.symmetric);
    ASSERT_EQ(joined.sections.size(), 2u);
    EXPECT_EQ(joined.sections[0].name, "left");
    EXPECT_EQ(joined.sections[0].cells + joined.sections[1].cells, 400);
  }
}

TEST(SectionedGraph, StepsGoWithTheirEdges) {
  const TwoSections two;
  CpuContext context(2);
  const SpatialGraph graph =
      build_sectioned_graph(
          context, two.points.view(), two.names,
          {.kind = GraphKind::kGrid, .semantics = GraphSemantics::kSquidpy, .rings = 2})
          .graph;
  const SpatialGraph one =
      build_sectioned_graph(context, two.points.view(), two.names,
                            {.kind = GraphKind::kGrid, .semantics = GraphSemantics::kSquidpy})
          .graph;
  const Rows first_ring = rows_of(one.adjacency);

  ASSERT_EQ(graph.steps.size(), graph.adjacency.neighbours.size());
  for (std::int64_t i = 0; i < graph.adjacency.nodes(); ++i) {
    for (std::int64_t e = graph.adjacency.offsets[i]; e < graph.adjacency.offsets[i + 1]; ++e) {
      const bool near = std::binary_search(first_ring[i].begin(), first_ring[i].end(),
                                           graph.adjacency.neighbours[e]);
      ASSERT_EQ(graph.steps[e], near ? 1 : 2);
    }
  }
}

TEST(SectionedGraph, ErrorsNameTheSection) {
  const PointSet points = test::random_points(20, 2, 42);
  std::vector<std::string> names(20, "big");
  names[7] = names[3] = "small";
  CpuContext context(1);

  expect_error(ExitCode::kParameterImpossible, {"section 'small'", "neighbors"}, [&] {
    build_sectioned_graph(context, points.view(), names,
                          {.kind = GraphKind::kKnn, .neighbours = 4});
  });
}

TEST(SectionedGraph, OneCellSectionsAreAlone) {
  const PointSet points = test::random_points(3, 2, 43);
  CpuContext context(1);

  const SectionedGraph joined = build_sectioned_graph(context, points.view(), {"a", "b", "c"}, {});

  EXPECT_EQ(joined.graph.isolated_nodes, 3);
  EXPECT_EQ(joined.graph.components, 3);
}

}  // namespace
}  // namespace m2st::data
