// Hilbert order: a permutation whose neighbours on the curve are neighbours in space.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "data/graph/hilbert.h"

namespace m2st::data {
namespace {

std::vector<std::int32_t> order_of(const std::vector<double>& points, std::int64_t axes,
                                   int threads = 2) {
  CpuContext context(threads);
  return hilbert_order(context,
                       {points.data(), static_cast<std::int64_t>(points.size()) / axes, axes});
}

// The sum over axes of |difference| between each node and the next on the curve, at most.
double longest_step(const std::vector<double>& points, std::int64_t axes) {
  const std::vector<std::int32_t> order = order_of(points, axes);
  double longest = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    double step = 0;
    for (std::int64_t a = 0; a < axes; ++a) {
      step += std::abs(points[order[i] * axes + a] - points[order[i - 1] * axes + a]);
    }
    longest = std::max(longest, step);
  }
  return longest;
}

TEST(Hilbert, StepsToAdjacentCellsOnFullLattices) {
  std::vector<double> square, cube;
  for (int x = 0; x < 32; ++x) {
    for (int y = 0; y < 32; ++y) square.insert(square.end(), {x * 1.0, y * 1.0});
  }
  for (int x = 0; x < 8; ++x) {
    for (int y = 0; y < 8; ++y) {
      for (int z = 0; z < 8; ++z) cube.insert(cube.end(), {x * 1.0, y * 1.0, z * 1.0});
    }
  }

  EXPECT_EQ(longest_step(square, 2), 1);
  EXPECT_EQ(longest_step(cube, 3), 1);
}

TEST(Hilbert, FollowsTheCurveOfFourCells) {
  // The corners of a square, in the curve's order: a U that starts at the origin.
  const auto order = order_of({1, 1, 0, 0, 1, 0, 0, 1}, 2);

  EXPECT_TRUE((order == std::vector<std::int32_t>{1, 3, 0, 2}) ||
              (order == std::vector<std::int32_t>{1, 2, 0, 3}));
}

TEST(Hilbert, EqualPlacesKeepInputOrder) {
  EXPECT_EQ(order_of(std::vector<double>(10, 4.5), 2), (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(order_of({1e9, -1e9, 3}, 3), std::vector<std::int32_t>{0});
  EXPECT_TRUE(order_of({}, 2).empty());
}

TEST(Hilbert, IsThePermutationOfAnyNumberOfThreads) {
  std::mt19937 random(3);
  std::vector<double> points(2 * 50001);
  for (double& value : points) value = 1e9 + random() * 1e-3;

  const auto order = order_of(points, 2, 1);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());

  EXPECT_EQ(order, order_of(points, 2, 2));
  EXPECT_EQ(order, order_of(points, 2, 5));
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    ASSERT_EQ(sorted[i], static_cast<std::int32_t>(i));
  }
}

}  // namespace
}  // namespace m2st::data
