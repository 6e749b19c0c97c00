// Delaunay graphs against SciPy's (tests/golden/make_graphs.py), and the cells that have none.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "data/graph/spatial_graph.h"
#include "data/io/npy.h"
#include "tests/data/naive_graph.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::PointSet;
using Edges = std::vector<std::pair<std::int32_t, std::int32_t>>;  // i < j, ascending

SpatialGraph delaunay(MatrixView<const double> coordinates) {
  CpuContext context(2);
  return build_spatial_graph(context, coordinates, {.kind = GraphKind::kDelaunay});
}

Edges edges_of(const Adjacency& adjacency) {
  validate(adjacency, true);
  Edges edges;
  for (std::int32_t i = 0; i < adjacency.nodes(); ++i) {
    for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
      if (i < adjacency.neighbours[e]) edges.emplace_back(i, adjacency.neighbours[e]);
    }
  }
  return edges;
}

class DelaunayGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(DelaunayGolden, HasTheEdgesThatScipyFinds) {
  CpuContext context(1);
  const std::string stem = std::string(M2ST_TEST_FOLDER) + "/golden/delaunay_" + GetParam();
  const Matrix<double> points = read_npy<double>(context, stem + "_points.npy");
  const Matrix<std::int32_t> pairs = read_npy<std::int32_t>(context, stem + "_edges.npy");
  Edges want;
  for (std::int64_t e = 0; e < pairs.rows(); ++e) want.emplace_back(pairs(e, 0), pairs(e, 1));

  EXPECT_EQ(edges_of(delaunay(points.view()).adjacency), want);
}

INSTANTIATE_TEST_SUITE_P(All, DelaunayGolden, ::testing::Values("plane", "solid", "far"),
                         [](const auto& set) { return set.param; });

TEST(Delaunay, TriangulatesByHand) {
  // A triangle around a cell, and two cells alone.
  const PointSet star{{0, 0, 10, 0, 0, 10, 2, 2}, 2};
  const PointSet pair{{0, 0, 1, 1}, 2};

  EXPECT_EQ(edges_of(delaunay(star.view()).adjacency),
            (Edges{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}));
  EXPECT_EQ(edges_of(delaunay(pair.view()).adjacency), (Edges{{0, 1}}));
}

TEST(Delaunay, LeavesOutAxesThatDoNotVary) {
  PointSet flat = test::random_points(60, 2, 3), lifted{{}, 3};
  for (std::int64_t i = 0; i < flat.size(); ++i) {
    lifted.values.insert(lifted.values.end(), {flat.values[2 * i], 7.0, flat.values[2 * i + 1]});
  }

  EXPECT_EQ(edges_of(delaunay(lifted.view()).adjacency), edges_of(delaunay(flat.view()).adjacency));
}

TEST(Delaunay, ReachesEveryCellOfDegenerateLattices) {
  for (const PointSet& lattice : {test::square_lattice(12, 1), test::hexagonal_lattice(12, 1)}) {
    const SpatialGraph graph = delaunay(lattice.view());

    EXPECT_EQ(graph.isolated_nodes, 0);
    EXPECT_EQ(graph.components, 1);
  }
}

TEST(Delaunay, CoincidentCellsAreRefusedWithAdvice) {
  PointSet points = test::random_points(50, 2, 4);
  points.values.insert(points.values.end(), {points.values[14], points.values[15]});

  expect_error(ExitCode::kInputInvalid, {"1 cell lies", "7 and 50", "--graph radius"},
               [&] { delaunay(points.view()); });
}

TEST(Delaunay, CollinearCellsAreRefusedWithAdvice) {
  PointSet along_axis, slanted, plane;
  plane.axes = 3;
  for (int i = 0; i < 30; ++i) {
    along_axis.values.insert(along_axis.values.end(), {i * 1.0, 4.0});
    slanted.values.insert(slanted.values.end(), {i * 1.0, i * 2.0});
    plane.values.insert(plane.values.end(), {i % 5 * 1.0, i / 5 * 1.0, i % 5 + 2.0 * (i / 5)});
  }

  for (const PointSet& points : {along_axis, slanted, plane}) {
    expect_error(ExitCode::kInputInvalid, {"--graph knn"}, [&] { delaunay(points.view()); });
  }
}

}  // namespace
}  // namespace m2st::data
