// Weights of edges against sums over dense matrices, and hand-sized literals. The comparison with
// squidpy itself is tests/tools/test_squidpy.py.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "data/graph/edge_weights.h"
#include "data/graph/spatial_graph.h"
#include "tests/data/naive_graph.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using Dense = std::vector<std::vector<double>>;

constexpr EdgeLimit kNoLimit = {1 << 30, 1 << 30};
constexpr double kTolerance = 1e-7;  // floats of at most 1

Dense dense_of(const Adjacency& graph, const std::vector<float>& weights) {
  const auto n = static_cast<std::size_t>(graph.nodes());
  Dense dense(n, std::vector<double>(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      dense[i][graph.neighbours[e]] += weights[e];
    }
  }
  return dense;
}

Dense ones_of(const Adjacency& graph, bool diagonal) {
  Dense dense = dense_of(graph, std::vector<float>(graph.neighbours.size(), 1));
  for (std::size_t i = 0; diagonal && i < dense.size(); ++i) dense[i][i] = 1;
  return dense;
}

Dense naive_spectral(const Dense& a) {
  std::vector<double> sums(a.size(), 0.0);
  for (const auto& row : a) {
    for (std::size_t j = 0; j < row.size(); ++j) sums[j] += row[j];
  }
  Dense out = a;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      const double scale = sums[i] * sums[j];
      out[i][j] = scale > 0 ? a[i][j] / std::sqrt(scale) : 0;
    }
  }
  return out;
}

Dense naive_cosine(const Dense& a) {
  Dense out(a.size(), std::vector<double>(a.size(), 0.0));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      double product = 0, one = 0, other = 0;
      for (std::size_t k = 0; k < a.size(); ++k) {
        product += a[i][k] * a[j][k];
        one += a[i][k] * a[i][k];
        other += a[j][k] * a[j][k];
      }
      out[i][j] = product > 0 ? product / std::sqrt(one * other) : 0;
    }
  }
  return out;
}

void expect_near(const WeightedGraph& actual, const Dense& expected) {
  const Dense dense = dense_of(actual.adjacency, actual.weights);
  ASSERT_EQ(dense.size(), expected.size());
  std::size_t entries = 0;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    for (std::size_t j = 0; j < dense.size(); ++j) {
      EXPECT_NEAR(dense[i][j], expected[i][j], kTolerance) << i << ", " << j;
      entries += expected[i][j] > 0 ? 1 : 0;
    }
  }
  EXPECT_GE(actual.weights.size(), entries);
}

Adjacency one_way_graph(std::int64_t cells, int threads = 2) {
  CpuContext context(threads);
  const test::PointSet points = test::random_points(cells, 2, 61);
  SpatialGraphOptions options{.kind = GraphKind::kKnn, .semantics = GraphSemantics::kSquidpy};
  options.neighbours = static_cast<int>(std::min<std::int64_t>(3, cells - 1));
  return build_spatial_graph(context, points.view(), options).adjacency;
}

TEST(EdgeWeights, MatchDenseSums) {
  CpuContext context(2);
  for (const std::int64_t cells : {1, 2, 31, 32, 33, 300}) {
    const Adjacency graph = one_way_graph(cells);
    for (const bool diagonal : {false, true}) {
      const Dense a = ones_of(graph, diagonal);
      const auto weighted = [&](GraphTransform transform) {
        return weighted_graph(context, graph, transform, diagonal, kNoLimit);
      };
      expect_near(weighted(GraphTransform::kNone), a);
      expect_near(weighted(GraphTransform::kSpectral), naive_spectral(a));
      expect_near(weighted(GraphTransform::kCosine), naive_cosine(a));
    }
  }
}

// 0 → 1, 2 → 1: no edge ends at 0 or 2, and both have the same neighbours.
TEST(EdgeWeights, OfNodesThatNoEdgeEndsAtAreZero) {
  CpuContext context(1);
  const Adjacency graph{{0, 1, 1, 2}, {1, 1}};

  const WeightedGraph spectral =
      weighted_graph(context, graph, GraphTransform::kSpectral, false, kNoLimit);
  const WeightedGraph cosine =
      weighted_graph(context, graph, GraphTransform::kCosine, false, kNoLimit);

  EXPECT_EQ(spectral.adjacency.neighbours, graph.neighbours);
  EXPECT_EQ(spectral.weights, (std::vector<float>{0, 0}));
  EXPECT_EQ(cosine.adjacency.offsets, (std::vector<std::int64_t>{0, 2, 2, 4}));
  EXPECT_EQ(cosine.adjacency.neighbours, (std::vector<std::int32_t>{0, 2, 0, 2}));
  EXPECT_EQ(cosine.weights, (std::vector<float>{1, 1, 1, 1}));
}

TEST(EdgeWeights, CosinesBeyondTheLimitAreRefused) {
  CpuContext context(2);
  Adjacency star{{0}, {}};  // everyone points to node 0
  for (std::int64_t i = 0; i < 100; ++i) {
    if (i > 0) star.neighbours.push_back(0);
    star.offsets.push_back(i);
  }

  test::expect_error(ExitCode::kOutOfMemory, {"edges"}, [&] {
    weighted_graph(context, star, GraphTransform::kCosine, false, {5000, 100000});
  });
}

TEST(EdgeWeights, DoNotDependOnThreads) {
  CpuContext one(1), four(4);
  const Adjacency graph = one_way_graph(9000);

  const WeightedGraph a = weighted_graph(one, graph, GraphTransform::kCosine, true, kNoLimit);
  const WeightedGraph b = weighted_graph(four, graph, GraphTransform::kCosine, true, kNoLimit);

  EXPECT_EQ(a.adjacency.neighbours, b.adjacency.neighbours);
  EXPECT_EQ(a.weights, b.weights);
}

}  // namespace
}  // namespace m2st::data
