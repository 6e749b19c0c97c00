// squidpy's kinds of graph against searches over all pairs, and what its parameters mean. The
// comparison with squidpy itself is tests/tools/test_squidpy.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "data/graph/one_way.h"
#include "data/graph/spatial_graph.h"
#include "tests/data/naive_graph.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::PointSet;
using test::Rows;
using test::rows_of;

constexpr EdgeLimit kNoLimit = {1 << 30, 1 << 30};

SpatialGraph build(const PointSet& points, SpatialGraphOptions options, int threads = 2) {
  CpuContext context(threads);
  options.semantics = GraphSemantics::kSquidpy;
  SpatialGraph graph = build_spatial_graph(context, points.view(), options);
  validate(graph.adjacency, graph.symmetric);
  return graph;
}

Rows naive_one_way(const PointSet& points, int neighbours, double bound) {
  Rows rows(static_cast<std::size_t>(points.size()));
  for (std::int32_t i = 0; i < points.size(); ++i) {
    std::vector<std::pair<double, std::int32_t>> others;
    for (std::int32_t j = 0; j < points.size(); ++j) {
      if (i != j) others.emplace_back(points.squared_distance(i, j), j);
    }
    std::sort(others.begin(), others.end());
    for (int k = 0; k < neighbours; ++k) {
      if (std::sqrt(others[k].first) < bound) rows[i].push_back(others[k].second);
    }
    std::sort(rows[i].begin(), rows[i].end());
  }
  return rows;
}

double naive_cutoff(const PointSet& points, int neighbours) {
  std::vector<double> lengths;
  for (std::int32_t i = 0; i < points.size(); ++i) {
    std::vector<double> own;
    for (std::int32_t j = 0; j < points.size(); ++j) {
      if (i != j) own.push_back(std::sqrt(points.squared_distance(i, j)));
    }
    std::sort(own.begin(), own.end());
    lengths.insert(lengths.end(), own.begin(), own.begin() + neighbours);
  }
  std::sort(lengths.begin(), lengths.end());
  const std::size_t middle = lengths.size() / 2;
  return 1.3 *
         (lengths.size() % 2 == 1 ? lengths[middle] : (lengths[middle - 1] + lengths[middle]) / 2);
}

// Steps from every node to every other by repeated relaxation; -1 where there is no way.
std::vector<std::vector<int>> naive_steps(const Rows& rows) {
  std::vector<std::vector<int>> steps(rows.size(), std::vector<int>(rows.size(), -1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    steps[i][i] = 0;
    bool changed = true;
    for (int step = 1; changed; ++step) {
      changed = false;
      for (std::size_t j = 0; j < rows.size(); ++j) {
        if (steps[i][j] != step - 1) continue;
        for (const std::int32_t next : rows[j]) {
          if (steps[i][next] >= 0) continue;
          steps[i][next] = step;
          changed = true;
        }
      }
    }
  }
  return steps;
}

TEST(SquidpyGraph, NearestNeighboursAreOneWay) {
  for (const std::int64_t axes : {2, 3}) {
    for (const std::int64_t count : {2, 7, 31, 32, 33, 700}) {
      const PointSet points = test::random_points(count, axes, 31);
      const int neighbours = static_cast<int>(std::min<std::int64_t>(6, count - 1));

      EXPECT_EQ(rows_of(build(points, {.kind = GraphKind::kKnn}).adjacency),
                naive_one_way(points, neighbours, 1e300))
          << axes << " axes, " << count << " points";
    }
  }
}

TEST(SquidpyGraph, GridCutsAtTheMedianOfItsLengths) {
  for (const int neighbours : {4, 6, 9}) {
    const PointSet points = test::random_points(300, 2, 32);

    EXPECT_EQ(
        rows_of(build(points, {.kind = GraphKind::kGrid, .neighbours = neighbours}).adjacency),
        naive_one_way(points, neighbours, naive_cutoff(points, neighbours)));
  }
}

TEST(SquidpyGraph, GridOnLatticesIsTheFirstRing) {
  const PointSet hexagonal = test::hexagonal_lattice(20, 100);
  const PointSet square = test::square_lattice(20, 7);

  EXPECT_EQ(rows_of(build(hexagonal, {.kind = GraphKind::kGrid}).adjacency),
            test::naive_radius_graph(hexagonal, 120));
  EXPECT_EQ(rows_of(build(square, {.kind = GraphKind::kGrid}).adjacency),
            test::naive_radius_graph(square, 8));
}

// Cells on a line at 0, 1, 3, 7 and 15: distances to the nearest are 1, 1, 2, 4 and 8.
TEST(SquidpyGraph, PercentileCountsAZeroForEveryCell) {
  const PointSet line{{0, 0, 1, 0, 3, 0, 7, 0, 15, 0}, 2};
  const auto rows = [&](double percentile) {
    return rows_of(build(line, {.kind = GraphKind::kKnn, .neighbours = 1, .percentile = percentile})
                       .adjacency);
  };
  const Rows all = {{1}, {0}, {1}, {2}, {3}};

  EXPECT_EQ(rows(100), all);
  // Of 0 0 0 0 0 1 1 2 4 8, at places 8.991, 7.02, 6.3 and 4.5.
  EXPECT_EQ(rows(99.9), (Rows{{1}, {0}, {1}, {2}, {}}));
  EXPECT_EQ(rows(78), (Rows{{1}, {0}, {1}, {}, {}}));
  EXPECT_EQ(rows(70), (Rows{{1}, {0}, {}, {}, {}}));
  EXPECT_EQ(rows(50), (Rows{{}, {}, {}, {}, {}}));
}

TEST(SquidpyGraph, PercentileCountsWhatAnIntervalLeftOut) {
  // Distances 1, 2 and 3, each way; the interval leaves out 1: six zeros, then 2 2 3 3.
  const PointSet line{{0, 0, 1, 0, 3, 0}, 2};
  SpatialGraphOptions options{.kind = GraphKind::kRadius, .radius = 3, .least_radius = 1.5};
  const auto edges = [&](double percentile) {
    options.percentile = percentile;
    return build(line, options).adjacency.neighbours.size();
  };

  EXPECT_EQ(edges(100), 4u);
  EXPECT_EQ(edges(80), 2u);  // at 7.2 of 0 0 0 0 0 2 2 3 3 with three cells and two edges
  EXPECT_EQ(edges(50), 0u);
}

TEST(SquidpyGraph, RingsAreStepsAlongTheEdges) {
  const PointSet points = test::random_points(250, 2, 33);
  const SpatialGraph one = build(points, {.kind = GraphKind::kGrid});
  const std::vector<std::vector<int>> steps = naive_steps(rows_of(one.adjacency));
  for (const int rings : {1, 2, 3, 5}) {
    const SpatialGraph graph = build(points, {.kind = GraphKind::kGrid, .rings = rings});

    const auto& [offsets, ends] = graph.adjacency;
    std::size_t expected = 0;
    for (std::int64_t i = 0; i < graph.adjacency.nodes(); ++i) {
      expected += static_cast<std::size_t>(std::count_if(
          steps[i].begin(), steps[i].end(), [&](int step) { return step > 0 && step <= rings; }));
      for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
        ASSERT_EQ(graph.steps[e], steps[i][ends[e]]) << rings << " rings, cell " << i;
      }
    }
    EXPECT_EQ(ends.size(), expected) << rings;
  }
}

TEST(SquidpyGraph, RingsThatReachEverythingAreRefusedWithinALimit) {
  const PointSet lattice = test::square_lattice(40, 1);
  CpuContext context(2);
  const Adjacency grid = radius_graph(context, lattice.view(), 1, kNoLimit);

  EXPECT_EQ(within_rings(context, grid, 1000, kNoLimit).adjacency.neighbours.size(), 1600u * 1599u);
  expect_error(ExitCode::kOutOfMemory, {"edges"}, [&] {
    within_rings(context, grid, 1000, {100000, 1});
  });
}

TEST(SquidpyGraph, IntervalsKeepBothEnds) {
  const PointSet lattice = test::square_lattice(10, 1);
  const SpatialGraph graph =
      build(lattice, {.kind = GraphKind::kRadius, .radius = 2, .least_radius = 2});

  for (std::int64_t i = 0; i < graph.adjacency.nodes(); ++i) {
    for (std::int64_t e = graph.adjacency.offsets[i]; e < graph.adjacency.offsets[i + 1]; ++e) {
      ASSERT_EQ(
          lattice.squared_distance(static_cast<std::int32_t>(i), graph.adjacency.neighbours[e]), 4);
    }
  }
  EXPECT_EQ(graph.adjacency.neighbours.size(), 2u * 2 * 8 * 10);
}

TEST(SquidpyGraph, DelaunayDropsLongEdgesAndLeavesCoincidentCellsAlone) {
  PointSet points = test::random_points(200, 2, 34);
  const SpatialGraph whole = build(points, {.kind = GraphKind::kDelaunay});
  const SpatialGraph pruned = build(points, {.kind = GraphKind::kDelaunay, .radius = 5});
  points.values.insert(points.values.end(), points.values.begin(), points.values.begin() + 2);
  const SpatialGraph doubled = build(points, {.kind = GraphKind::kDelaunay});

  EXPECT_EQ(whole.isolated_nodes, 0);
  std::vector<double> lengths;
  {
    CpuContext context(1);
    lengths = distances_of(context, pruned, test::random_points(200, 2, 34).view());
  }
  EXPECT_LT(pruned.adjacency.neighbours.size(), whole.adjacency.neighbours.size());
  EXPECT_TRUE(std::all_of(lengths.begin(), lengths.end(), [](double x) { return x <= 5; }));
  EXPECT_EQ(doubled.isolated_nodes, 1);
  EXPECT_FALSE(doubled.warnings.empty());
}

TEST(SquidpyGraph, DelaunayOfOneLineIsRefused) {
  for (const PointSet& points :
       {PointSet{{0, 0, 1, 0, 2, 0, 3, 0, 5, 0}, 2}, PointSet{{0, 0, 4, 4}, 2}}) {
    expect_error(ExitCode::kInputInvalid, {"line", "knn"},
                 [&] { build(points, {.kind = GraphKind::kDelaunay}); });
  }
}

TEST(SquidpyGraph, RadiusHasToBeGiven) {
  expect_error(ExitCode::kUsage, {"--radius"},
               [&] { build(test::random_points(10, 2, 35), {.kind = GraphKind::kRadius}); });
}

TEST(SquidpyGraph, AutomaticChoiceIsGridOnLatticesElseNearest) {
  EXPECT_EQ(build(test::hexagonal_lattice(12, 3), {}).kind, GraphKind::kGrid);
  EXPECT_EQ(build(test::random_points(300, 2, 36), {}).kind, GraphKind::kKnn);
}

TEST(SquidpyGraph, IsTheSameForAnyNumberOfThreads) {
  const PointSet points = test::random_points(6000, 2, 37);
  for (const GraphKind kind : {GraphKind::kKnn, GraphKind::kGrid, GraphKind::kDelaunay}) {
    const SpatialGraph one = build(points, {.kind = kind, .rings = 2}, 1);
    const SpatialGraph five = build(points, {.kind = kind, .rings = 2}, 5);

    EXPECT_EQ(one.adjacency.offsets, five.adjacency.offsets);
    EXPECT_EQ(one.adjacency.neighbours, five.adjacency.neighbours);
    EXPECT_EQ(one.steps, five.steps);
  }
}

}  // namespace
}  // namespace m2st::data
