// Spatial graphs against a search over all pairs, against the graphs that real data came with, and
// at the edges: one cell, coincident cells, far coordinates, impossible options.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "data/graph/spatial_graph.h"
#include "data/io/npy.h"
#include "tests/data/naive_graph.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::PointSet;
using test::Rows;
using test::rows_of;

SpatialGraph build(const PointSet& points, const SpatialGraphOptions& options, int threads = 2) {
  CpuContext context(threads);
  SpatialGraph graph = build_spatial_graph(context, points.view(), options);
  validate(graph.adjacency, true);
  return graph;
}

SpatialGraph radius_graph_of(const PointSet& points, double radius) {
  return build(points, {.kind = GraphKind::kRadius, .radius = radius});
}

SpatialGraph nearest_graph_of(const PointSet& points, int neighbours) {
  return build(points, {.kind = GraphKind::kKnn, .neighbours = neighbours});
}

void expect_refused(ExitCode code, std::initializer_list<std::string> words, const PointSet& points,
                    const SpatialGraphOptions& options) {
  expect_error(code, words, [&] { build(points, options); });
}

TEST(RadiusGraph, MatchesAllPairs) {
  for (const std::int64_t axes : {2, 3}) {
    for (const std::int64_t count : {2, 31, 32, 33, 700}) {
      for (const double radius : {0.01, 3.0, 11.0, 60.0, 1000.0}) {
        const PointSet points = test::random_points(count, axes, 11);

        EXPECT_EQ(rows_of(radius_graph_of(points, radius).adjacency),
                  test::naive_radius_graph(points, radius))
            << axes << " axes, " << count << " points, radius " << radius;
      }
    }
  }
}

TEST(RadiusGraph, ReachesExactlyItsRadius) {
  const PointSet lattice = test::square_lattice(20, 1);

  EXPECT_EQ(radius_graph_of(lattice, 1).mean_degree, 4.0 * 20 * 19 / 400);
  EXPECT_EQ(radius_graph_of(lattice, std::nextafter(1, 0)).mean_degree, 0);
  EXPECT_EQ(rows_of(radius_graph_of(lattice, 5).adjacency), test::naive_radius_graph(lattice, 5));
}

TEST(RadiusGraph, TakesFarOutliersAndHugeMagnitudes) {
  PointSet points = test::random_points(400, 2, 12, 100, 1e9);
  points.values.insert(points.values.end(), {-1e12, 3e9, 1e9, 1e140});

  EXPECT_EQ(rows_of(radius_graph_of(points, 8).adjacency), test::naive_radius_graph(points, 8));
}

TEST(RadiusGraph, ConnectsCoincidentCells) {
  PointSet points = test::random_points(50, 2, 13);
  points.values.insert(points.values.end(), points.values.begin(), points.values.begin() + 60);

  EXPECT_EQ(rows_of(radius_graph_of(points, 5).adjacency), test::naive_radius_graph(points, 5));
  EXPECT_EQ(radius_graph_of({{7, 7, 7, 7, 7, 7}, 2}, 1).mean_degree, 2);
}

TEST(RadiusGraph, IsRefusedBeforeItOutgrowsMemory) {
  const PointSet crowd = test::random_points(20000, 2, 14);

  expect_refused(ExitCode::kOutOfMemory, {"MiB", "smaller --radius"}, crowd,
                 {.kind = GraphKind::kRadius, .radius = 1000, .memory_limit = 64 << 20});
  // Near the limit neighbours are counted: one edge too many is too many, as many as fit are not.
  constexpr std::int64_t kBytesPerEdge = 20;
  const auto edges =
      static_cast<std::int64_t>(radius_graph_of(crowd, 2).adjacency.neighbours.size());
  const auto limited = [&](std::int64_t count) {
    return SpatialGraphOptions{
        .kind = GraphKind::kRadius, .radius = 2, .memory_limit = count * kBytesPerEdge};
  };
  expect_refused(ExitCode::kOutOfMemory, {"MiB"}, crowd, limited(edges - 1));
  EXPECT_EQ(build(crowd, limited(edges)).radius, 2);
}

TEST(NearestGraph, MatchesAllPairs) {
  for (const std::int64_t axes : {2, 3}) {
    for (const std::int64_t count : {2, 7, 33, 600}) {
      for (const int neighbours : {1, 6, 17}) {
        if (neighbours >= count) continue;
        const PointSet points = test::random_points(count, axes, 21);

        EXPECT_EQ(rows_of(nearest_graph_of(points, neighbours).adjacency),
                  test::naive_nearest_graph(points, neighbours))
            << axes << " axes, " << count << " points, " << neighbours << " neighbours";
      }
    }
  }
}

TEST(NearestGraph, BreaksTiesBySmallerNumber) {
  const PointSet lattice = test::square_lattice(15, 1);
  const PointSet one_place{std::vector<double>(80, 2.5), 2};

  EXPECT_EQ(rows_of(nearest_graph_of(lattice, 3).adjacency), test::naive_nearest_graph(lattice, 3));
  EXPECT_EQ(rows_of(nearest_graph_of(lattice, 6).adjacency), test::naive_nearest_graph(lattice, 6));
  EXPECT_EQ(rows_of(nearest_graph_of(one_place, 5).adjacency),
            test::naive_nearest_graph(one_place, 5));
}

TEST(NearestGraph, TakesSixNeighboursOrAllThereAre) {
  EXPECT_EQ(nearest_graph_of(test::random_points(100, 2, 22), 0).neighbours, 6);
  EXPECT_EQ(nearest_graph_of(test::random_points(4, 2, 22), 0).neighbours, 3);
  EXPECT_EQ(nearest_graph_of(test::random_points(4, 2, 22), 3).mean_degree, 3);
}

TEST(SpatialGraph, IsTheSameForAnyNumberOfThreads) {
  const PointSet points = test::random_points(30000, 2, 31);
  for (const GraphKind kind : {GraphKind::kAuto, GraphKind::kKnn, GraphKind::kDelaunay}) {
    const SpatialGraph one = build(points, {.kind = kind}, 1);
    const SpatialGraph five = build(points, {.kind = kind}, 5);

    EXPECT_EQ(one.adjacency.neighbours, five.adjacency.neighbours) << to_string(kind);
    EXPECT_EQ(one.adjacency.offsets, five.adjacency.offsets);
    EXPECT_EQ(one.radius, five.radius);
  }
}

TEST(SpatialGraph, ChoosesTheGridOnLattices) {
  const PointSet hexagons = test::hexagonal_lattice(40, 137);
  const PointSet squares = test::square_lattice(40, 8);

  const SpatialGraph hexagonal = build(hexagons, {});
  const SpatialGraph square = build(squares, {});

  EXPECT_EQ(hexagonal.kind, GraphKind::kGrid);
  EXPECT_EQ(hexagonal.neighbours, 6);
  EXPECT_EQ(rows_of(hexagonal.adjacency), test::naive_radius_graph(hexagons, 150));
  EXPECT_EQ(square.kind, GraphKind::kGrid);
  EXPECT_EQ(square.neighbours, 4);
  EXPECT_EQ(rows_of(square.adjacency), test::naive_radius_graph(squares, 8.1));
}

TEST(SpatialGraph, GridTakesMoreRingsWhenAsked) {
  const PointSet squares = test::square_lattice(30, 8), hexagons = test::hexagonal_lattice(30, 8);
  const auto grid = [](int neighbours) {
    return SpatialGraphOptions{.kind = GraphKind::kGrid, .neighbours = neighbours};
  };

  EXPECT_EQ(rows_of(build(squares, grid(8)).adjacency), test::naive_radius_graph(squares, 8 * 1.5));
  EXPECT_EQ(rows_of(build(hexagons, grid(18)).adjacency),
            test::naive_radius_graph(hexagons, 8 * 2.1));
  EXPECT_EQ(rows_of(build(hexagons, grid(6)).adjacency),
            test::naive_radius_graph(hexagons, 8 * 1.1));
}

TEST(SpatialGraph, GridSurvivesHolesAndLoneCells) {
  PointSet holes = test::hexagonal_lattice(40, 100);
  std::vector<double> kept;
  for (std::int64_t i = 0; i < holes.size(); ++i) {
    if (i * 7919 % 100 < 15) continue;
    kept.insert(kept.end(), {holes.values[2 * i], holes.values[2 * i + 1]});
  }
  kept.insert(kept.end(), {-1000, -1000, 9000, 5000});

  const SpatialGraph graph = build({kept, 2}, {});

  EXPECT_EQ(graph.kind, GraphKind::kGrid);
  EXPECT_EQ(rows_of(graph.adjacency), test::naive_radius_graph({kept, 2}, 110));
  EXPECT_GE(graph.isolated_nodes, 2);
}

TEST(SpatialGraph, ChoosesARadiusOfAboutSixNeighboursElsewhere) {
  for (const std::int64_t axes : {2, 3}) {
    const PointSet points = test::random_points(20000, axes, 41);

    const SpatialGraph graph = build(points, {});
    const SpatialGraph again = radius_graph_of(points, graph.radius);

    EXPECT_EQ(graph.kind, GraphKind::kRadius);
    EXPECT_NEAR(graph.mean_degree, 6, 0.5) << axes;
    EXPECT_EQ(graph.adjacency.neighbours, again.adjacency.neighbours);
  }
}

TEST(SpatialGraph, RadiusOnALatticeTakesAWholeRing) {
  const SpatialGraph graph = build(test::hexagonal_lattice(60, 137), {.kind = GraphKind::kRadius});

  EXPECT_GT(graph.radius, 137 * 1.1);
  EXPECT_LT(graph.radius, 137 * 1.6);
  EXPECT_GT(graph.mean_degree, 5.5);
}

TEST(SpatialGraph, CountsIsolatedCellsAndComponents) {
  const PointSet points{{0, 0, 1, 0, 2, 0, 10, 0, 11, 0, 50, 50}, 2};

  const SpatialGraph graph = radius_graph_of(points, 1.5);

  EXPECT_EQ(graph.isolated_nodes, 1);
  EXPECT_EQ(graph.components, 3);
  EXPECT_EQ(graph.mean_degree, 1);
  ASSERT_EQ(graph.warnings.size(), 2u);
  EXPECT_NE(graph.warnings[0].find("1 of 6 cells"), std::string::npos);
  EXPECT_NE(graph.warnings[1].find("2 parts"), std::string::npos);
}

TEST(SpatialGraph, OneCellHasNoEdges) {
  const PointSet one{{3, 4}, 2};
  for (const GraphKind kind : {GraphKind::kAuto, GraphKind::kRadius, GraphKind::kKnn,
                               GraphKind::kDelaunay, GraphKind::kGrid}) {
    const SpatialGraph graph = build(one, {.kind = kind});

    EXPECT_NE(graph.kind, GraphKind::kAuto);
    EXPECT_EQ(graph.adjacency.nodes(), 1);
    EXPECT_TRUE(graph.adjacency.neighbours.empty());
    EXPECT_EQ(graph.isolated_nodes, 1);
    EXPECT_EQ(graph.components, 1);
  }
}

TEST(SpatialGraph, FewCellsAreConnected) {
  for (const std::int64_t count : {2, 3, 5, 9}) {
    const SpatialGraph graph =
        build(test::random_points(count, 2, 51), {.kind = GraphKind::kRadius});

    EXPECT_GE(graph.mean_degree, std::min<double>(6, static_cast<double>(count - 1)) - 1e-9);
  }
}

TEST(SpatialGraph, ImpossibleOptionsAreRefused) {
  const PointSet points = test::random_points(50, 2, 61);
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();

  for (const double radius : {-1.0, nan, infinity}) {
    expect_refused(ExitCode::kUsage, {"radius"}, points,
                   {.kind = GraphKind::kRadius, .radius = radius});
  }
  expect_refused(ExitCode::kUsage, {"neighbors"}, points,
                 {.kind = GraphKind::kKnn, .neighbours = -2});
  expect_refused(ExitCode::kParameterImpossible, {"50", "49"}, points,
                 {.kind = GraphKind::kKnn, .neighbours = 50});
  expect_refused(ExitCode::kParameterImpossible, {"lattice", "radius"}, points,
                 {.kind = GraphKind::kGrid});
  expect_refused(ExitCode::kOutOfMemory, {"MiB"}, points,
                 {.kind = GraphKind::kKnn, .neighbours = 20, .memory_limit = 1000});
  expect_refused(ExitCode::kOutOfMemory, {"MiB", "knn"}, points,
                 {.kind = GraphKind::kDelaunay, .memory_limit = 1000});
}

TEST(SpatialGraph, ImpossibleCoordinatesAreRefused) {
  const PointSet one_place{std::vector<double>(40, 2.5), 2};

  expect_refused(ExitCode::kInputInvalid, {"same coordinates", "knn"}, one_place, {});
  expect_refused(ExitCode::kInputInvalid, {"no cells"}, {{}, 2}, {});
  expect_refused(ExitCode::kInputInvalid, {"finite"}, {{1, std::nan(""), 3, 4}, 2}, {});
  expect_refused(ExitCode::kInputInvalid, {"1e+150"}, {{1, 1e200, 3, 4}, 2}, {});
}

struct SharedGraph {
  const char* name;
  double radius;
  double mean_degree;
};

class SharedGraphs : public ::testing::TestWithParam<SharedGraph> {};

TEST_P(SharedGraphs, RadiusGivesTheShippedEdges) {
  const std::string folder = std::string("data/") + GetParam().name;
  M2ST_NEEDS_SHARED(folder);
  CpuContext context(2);
  const auto read = [&](const char* file) {
    const auto values = read_npy<std::int64_t>(context, test::shared_path(folder + "/" + file));
    return std::vector<std::int64_t>(values.span().begin(), values.span().end());
  };
  const auto shipped = read("graph_indices.npy");
  const auto coordinates = read_npy<double>(context, test::shared_path(folder + "/coords.npy"));

  const SpatialGraph graph = build_spatial_graph(
      context, coordinates.view(), {.kind = GraphKind::kRadius, .radius = GetParam().radius});
  const SpatialGraph automatic = build_spatial_graph(context, coordinates.view(), {});

  EXPECT_EQ(graph.adjacency.offsets, read("graph_indptr.npy"));
  EXPECT_TRUE(std::equal(shipped.begin(), shipped.end(), graph.adjacency.neighbours.begin(),
                         graph.adjacency.neighbours.end()));
  if (GetParam().mean_degree == 0) {  // a lattice
    EXPECT_EQ(automatic.kind, GraphKind::kGrid);
    EXPECT_EQ(automatic.neighbours, 6);
    EXPECT_EQ(automatic.adjacency.offsets, graph.adjacency.offsets);
    EXPECT_EQ(automatic.adjacency.neighbours, graph.adjacency.neighbours);
  } else {
    EXPECT_EQ(automatic.kind, GraphKind::kRadius);
    EXPECT_NEAR(automatic.mean_degree, GetParam().mean_degree, 0.1);
    RecordProperty("radius", std::to_string(automatic.radius));
  }
}

INSTANTIATE_TEST_SUITE_P(All, SharedGraphs,
                         ::testing::Values(SharedGraph{"starmap_m2st", 400, 6},
                                           SharedGraph{"breast_m2st", 300, 0},
                                           SharedGraph{"dlpfc_151672", 150, 0}),
                         [](const auto& set) { return std::string(set.param.name); });

}  // namespace
}  // namespace m2st::data
