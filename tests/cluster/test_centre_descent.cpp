// The centres' step: closed forms where there are any, and that it never climbs.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cluster/centre_descent.h"
#include "engine/random.h"

namespace m2st::cluster {
namespace {

constexpr double kRounding = 1e-12;  // of some hundred products in double
constexpr double kConverged = 1e-5;  // of conjugate gradients after many steps
constexpr std::int64_t kRows = 6, kClusters = 4;

Matrix<double> random_matrix(CpuContext& context, std::uint32_t stream, double size) {
  Matrix<double> result(context.pool(), kRows, kClusters);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    result.data()[i] = size * random_normal({8, stream_of(Purpose::kTest, stream), 0},
                                            static_cast<std::uint32_t>(i));
  }
  return result;
}

TEST(CentreDescent, WithoutPenaltyGivesTheMeansAndKeepsEmptyClusters) {
  CpuContext context(1);
  const Matrix<double> cross = random_matrix(context, 1, 3), start = random_matrix(context, 2, 1);
  const std::vector<std::int64_t> counts{5, 0, 1, 700};

  const Matrix<double> centres =
      descended_centres(context, {cross.view(), counts, 0.3, 0}, start.view(), 10);

  for (std::int64_t i = 0; i < kRows; ++i) {
    for (const std::int64_t c : {0, 2, 3}) {
      const double mean = cross(i, c) / static_cast<double>(counts[static_cast<std::size_t>(c)]);
      EXPECT_NEAR(centres(i, c), mean, kRounding * (1 + std::abs(mean)));
    }
    EXPECT_EQ(centres(i, 1), start(i, 1));
  }
}

TEST(CentreDescent, PenaltyAloneMakesCentresOrthonormal) {
  CpuContext context(1);
  const Matrix<double> cross = random_matrix(context, 1, 3), start = random_matrix(context, 2, 1);
  const std::vector<std::int64_t> counts{5, 0, 1, 700};

  const Matrix<double> centres =
      descended_centres(context, {cross.view(), counts, 0, 2}, start.view(), 300);

  EXPECT_NEAR(orthogonality(context, centres.view()), 0, kConverged);
}

// One row, one cluster: f(v) = α (n v² − 2 v c) + λ (v² − 1)², by hand.
TEST(CentreDescent, ObjectiveOfOneNumber) {
  CpuContext context(1);
  Matrix<double> cross(context.pool(), 1, 1), centre(context.pool(), 1, 1);
  cross(0, 0) = 3;
  centre(0, 0) = 2;
  const std::vector<std::int64_t> counts{5};
  EXPECT_DOUBLE_EQ(centre_objective(context, {cross.view(), counts, 0.5, 0.25}, centre.view()),
                   0.5 * (5 * 4 - 2 * 2 * 3) + 0.25 * 9);
}

TEST(CentreDescent, NeverRaisesTheObjective) {
  CpuContext context(1);
  const std::vector<std::int64_t> counts{5, 0, 1, 70};
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    const double lambda = std::pow(10.0, static_cast<int>(trial % 9) - 5);
    const double size = std::pow(10.0, static_cast<int>(trial % 5) - 2);
    const Matrix<double> cross = random_matrix(context, 3 * trial, 10);
    Matrix<double> centres = random_matrix(context, 3 * trial + 1, size);
    const CentreProblem problem{cross.view(), counts, 0.4, lambda};
    double before = centre_objective(context, problem, centres.view());
    for (int round = 0; round < 5; ++round) {
      centres = descended_centres(context, problem, centres.view(), 3);
      const double now = centre_objective(context, problem, centres.view());
      EXPECT_LE(now, before + kRounding * (1 + std::abs(before))) << "trial " << trial;
      before = now;
    }
  }
}

}  // namespace
}  // namespace m2st::cluster
