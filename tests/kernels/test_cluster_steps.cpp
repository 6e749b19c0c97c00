// The reference clustering's own steps against their formulas, for several option sets at once.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/check.h"
#include "kernels/cluster_steps.h"
#include "test_backend.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using test::Backend;
using test::near;

constexpr double kRounding = 1e-14;  // a few roundings, and one exponential

std::vector<double> values(std::int64_t size, std::uint64_t seed) {
  return test::random_dense<double>(1, size, seed).values;
}
BatchView<double> view_of(std::vector<double>& x, std::int64_t count, std::int64_t rows,
                          std::int64_t cols) {
  return {x.data(), count, rows, cols, cols, rows * cols};
}
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

std::vector<std::int64_t> cell_counts(std::int64_t size) {
  std::vector<std::int64_t> counts;
  for (std::int64_t i = 0; i < size; ++i) counts.push_back(i * 37 % 11);
  return counts;
}

struct Shape {
  std::int64_t sets, rows, clusters;
};
const std::vector<Shape> kShapes = {{1, 1, 1},   {2, 31, 33}, {3, 32, 32}, {1, 33, 31},
                                    {300, 2, 3}, {0, 4, 4},   {2, 0, 5}};

TEST(ClusterSteps, WeightsFollowTheNorms) {
  Backend context(1);
  for (const std::int64_t sets : {0, 1, 31, 32, 33, 600}) {
    std::vector<double> lambda2, norms = values(3 * sets, 1), weights(norms.size());
    for (double& norm : norms) norm = std::abs(norm);
    for (std::int64_t s = 0; s < sets; ++s) lambda2.push_back(0.01 * static_cast<double>(s));
    std::vector<double> want(norms.size());
    for (std::int64_t s = 0; s < sets; ++s) {
      double sum = 0;
      for (std::int64_t v = 0; v < 3; ++v) {
        want[at(v * sets + s)] = std::exp(-lambda2[at(s)] * norms[at(v * sets + s)]);
        sum += want[at(v * sets + s)];
      }
      for (std::int64_t v = 0; v < 3; ++v) want[at(v * sets + s)] /= sum;
    }

    kernels::view_weights(context, lambda2, {norms.data(), 3, sets}, {weights.data(), 3, sets});

    EXPECT_TRUE(near(weights, want, test::relative_error(kRounding)));
  }
}

// All underflow: equal. Norms below 0 count as 0, those that are not finite weigh nothing.
TEST(ClusterSteps, WeightsOfExtremeNorms) {
  Backend context(1);
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> lambda2 = {2, 1, 3, 0};
  const std::vector<double> norms = {1e4, -5, 0, infinity, 2e4, infinity, NAN, 1};
  std::vector<double> weights(8);

  kernels::view_weights(context, lambda2, {norms.data(), 2, 4}, {weights.data(), 2, 4});

  EXPECT_EQ(weights, (std::vector<double>{0.5, 1, 1, 0.5, 0.5, 0, 0, 0.5}));
}

TEST(ClusterSteps, CentreSystems) {
  Backend context(1);
  for (const Shape& shape : kShapes) {
    const std::int64_t k = shape.clusters;
    const auto alphas = values(shape.sets, 1), lambda3 = values(shape.sets, 2);
    const auto counts = cell_counts(shape.sets * k);
    auto gram = values(shape.sets * k * k, 3);
    auto want = gram;
    for (std::int64_t s = 0; s < shape.sets; ++s) {
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t j = 0; j < k; ++j) want[at(s * k * k + i * k + j)] *= lambda3[at(s)];
        want[at(s * k * k + i * k + i)] +=
            alphas[at(s)] * static_cast<double>(counts[at(s * k + i)]) - lambda3[at(s)];
      }
    }

    kernels::centre_systems(context, alphas, lambda3, {counts.data(), shape.sets, k},
                            view_of(gram, shape.sets, k, k));

    EXPECT_TRUE(near(gram, want, test::relative_error(kRounding)));
  }
}

TEST(ClusterSteps, HalfDistances) {
  Backend context(1);
  for (const Shape& shape : kShapes) {
    const std::int64_t k = shape.clusters, size = shape.rows * k;
    auto centres = values(shape.sets * size, 1), cross = values(shape.sets * size, 2);
    const auto counts = cell_counts(shape.sets * k);
    std::vector<double> out(centres.size()), want;
    for (std::int64_t i = 0; i < std::ssize(centres); ++i) {
      const std::int64_t s = i / size, c = i % k;
      want.push_back(0.5 * static_cast<double>(counts[at(s * k + c)]) * centres[at(i)] -
                     cross[at(i)]);
    }

    kernels::half_distances(
        context, {counts.data(), shape.sets, k}, view_of(centres, shape.sets, shape.rows, k),
        view_of(cross, shape.sets, shape.rows, k), view_of(out, shape.sets, shape.rows, k));

    EXPECT_TRUE(near(out, want, test::relative_error(kRounding)));
  }
}

// The table is wider than there are centres: what is beyond stays.
TEST(ClusterSteps, CentreSquaresAreAddedToEveryRow) {
  Backend context(1);
  for (const Shape& shape : kShapes) {
    const std::int64_t k = shape.clusters, width = k + 3, size = k * width;
    auto centres = values(shape.sets * shape.rows * k, 1);
    const auto alphas = values(shape.sets, 2);
    auto table = values(shape.sets * size, 3);
    auto want = table;
    for (std::int64_t s = 0; s < shape.sets; ++s) {
      for (std::int64_t c = 0; c < k; ++c) {
        double square = 0;
        for (std::int64_t i = 0; i < shape.rows; ++i) {
          const double value = centres[at((s * shape.rows + i) * k + c)];
          square += value * value;
        }
        for (std::int64_t old = 0; old < k; ++old) {
          want[at(s * size + old * width + c)] += alphas[at(s)] * square;
        }
      }
    }

    kernels::add_centre_squares(context, alphas, view_of(centres, shape.sets, shape.rows, k),
                                view_of(table, shape.sets, k, width));

    EXPECT_TRUE(near(table, want, test::relative_error(kRounding)));
  }
}

TEST(ClusterSteps, CountsGoOntoTheDiagonalOfABlock) {
  Backend context(1);
  for (const Shape& shape : kShapes) {
    const std::int64_t k = shape.clusters, n = k + 2;
    auto gram = values(shape.sets * n * n, 1);
    auto want = gram;
    const auto counts = cell_counts(shape.sets * k);
    for (std::int64_t i = 0; i < shape.sets * k; ++i) {
      want[at(i / k * n * n + (i % k + 2) * (n + 1))] = static_cast<double>(counts[at(i)]);
    }

    kernels::put_counts(context, {counts.data(), shape.sets, k},
                        view_of(gram, shape.sets, n, n).slice(2, k).columns(2, k));

    EXPECT_EQ(gram, want);
  }
}

TEST(ClusterSteps, OtherShapesAreRefused) {
  Backend context(1);
  std::vector<double> x(12);
  const std::vector<std::int64_t> counts(3);
  test::expect_error(ExitCode::kInternal, {"put_counts", "3 x 4"}, [&] {
    kernels::put_counts(context, {counts.data(), 1, 3}, view_of(x, 1, 3, 4));
  });
  test::expect_error(ExitCode::kInternal, {"view_weights", "2 option sets"}, [&] {
    kernels::view_weights(context, Span<const double>(x).first(2), {x.data(), 2, 3},
                          {x.data(), 2, 3});
  });
}

}  // namespace
}  // namespace m2st
