// The half-steps of EM against naive densities and moments.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cluster/gaussians.h"
#include "tests/reference/gaussian.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using cluster::Covariance;
using cluster::Gaussians;
using reference::Dense;
using test::view_of;

// Log densities of order 100 through an eigendecomposition of covariances of condition 100.
constexpr double kTolerance = 1e-10;
constexpr std::int64_t kComponents = 3;
constexpr std::int64_t kColumns = 5;
constexpr Covariance kKinds[] = {Covariance::kFull, Covariance::kShared, Covariance::kDiagonal};

Dense<double> covariance_matrix(std::uint64_t seed) {
  const auto factor = test::random_dense<double>(kColumns, kColumns, seed);
  auto out = reference::product(factor, reference::transposed(factor));
  for (std::int64_t i = 0; i < kColumns; ++i) out(i, i) += 0.5;
  return out;
}

// Covariance of component k, as the kind stores it.
Dense<double> covariance_of(const Gaussians& gaussians, std::int64_t k) {
  Dense<double> out(kColumns, kColumns);
  for (std::int64_t i = 0; i < kColumns; ++i) {
    if (gaussians.covariance == Covariance::kDiagonal) {
      out(i, i) = gaussians.covariances(k, i);
      continue;
    }
    const std::int64_t first = gaussians.covariance == Covariance::kFull ? k * kColumns : 0;
    for (std::int64_t j = 0; j < kColumns; ++j) out(i, j) = gaussians.covariances(first + i, j);
  }
  return out;
}

class GaussiansTest : public testing::TestWithParam<Covariance> {
 protected:
  Gaussians random_gaussians() {
    Gaussians out = cluster::make_gaussians(context_, GetParam(), kComponents, kColumns);
    out.weights = {0.2, 0.5, 0.3};
    out.least_variance = 1e-9;
    const auto means = test::random_dense<double>(kComponents, kColumns, 1);
    std::copy(means.values.begin(), means.values.end(), out.means.data());
    for (std::int64_t first = 0; first < out.covariances.rows(); first += kColumns) {
      const auto matrix = covariance_matrix(static_cast<std::uint64_t>(2 + first));
      for (std::int64_t i = first; i < std::min(first + kColumns, out.covariances.rows()); ++i) {
        for (std::int64_t j = 0; j < kColumns; ++j) {
          out.covariances(i, j) = GetParam() == Covariance::kDiagonal
                                      ? matrix(j, j) * static_cast<double>(i + 1)
                                      : matrix(i - first, j);
        }
      }
    }
    return out;
  }
  CpuContext context_{2};
};

INSTANTIATE_TEST_SUITE_P(Kinds, GaussiansTest, testing::ValuesIn(kKinds));

TEST_P(GaussiansTest, DensitiesMatchReference) {
  const Gaussians gaussians = random_gaussians();
  for (std::int64_t rows : {0, 1, 255, 256, 600}) {
    const auto x = test::random_dense<double>(rows, kColumns, 9);
    Dense<double> actual(rows, kComponents);

    cluster::log_joint_densities(context_, view_of(x), gaussians, view_of(actual));

    for (std::int64_t n = 0; n < rows; ++n) {
      const std::vector<double> cell(view_of(x).row(n).begin(), view_of(x).row(n).end());
      for (std::int64_t k = 0; k < kComponents; ++k) {
        const auto mean = gaussians.means.view().row(k);
        const double expected =
            std::log(gaussians.weights[static_cast<std::size_t>(k)]) +
            reference::log_gaussian(cell, std::vector<double>(mean.begin(), mean.end()),
                                    covariance_of(gaussians, k));
        ASSERT_NEAR(actual(n, k), expected, kTolerance) << n << " " << k;
      }
    }
  }
}

TEST_P(GaussiansTest, ParametersMatchReference) {
  const std::int64_t rows = 2500;
  auto x = reference::centred(test::random_dense<double>(rows, kColumns, 11));
  auto responsibilities = test::random_dense<double>(rows, kComponents, 12);
  cluster::to_responsibilities(context_, view_of(responsibilities));
  const auto scatter = reference::product(reference::transposed(x), x);
  Gaussians actual = cluster::make_gaussians(context_, GetParam(), kComponents, kColumns);
  actual.ridge = 0.25;

  cluster::maximise(context_, view_of(std::as_const(x)), view_of(std::as_const(responsibilities)),
                    view_of(scatter), actual);

  Dense<double> pooled(kColumns, kColumns);
  std::vector<Dense<double>> expected;
  for (std::int64_t k = 0; k < kComponents; ++k) {
    std::vector<double> weights;
    double total = 0;
    for (std::int64_t n = 0; n < rows; ++n) {
      weights.push_back(responsibilities(n, k));
      total += weights.back() / static_cast<double>(rows);
    }
    const auto [mean, covariance] = reference::weighted_moments(x, weights);
    EXPECT_NEAR(actual.weights[static_cast<std::size_t>(k)], total, kTolerance);
    for (std::int64_t c = 0; c < kColumns; ++c) {
      EXPECT_NEAR(actual.means(k, c), mean[static_cast<std::size_t>(c)], kTolerance);
    }
    for (std::size_t i = 0; i < pooled.values.size(); ++i) {
      pooled.values[i] += total * covariance.values[i];
    }
    expected.push_back(covariance);
  }
  for (std::int64_t k = 0; k < kComponents; ++k) {
    const auto& wanted =
        GetParam() == Covariance::kShared ? pooled : expected[static_cast<std::size_t>(k)];
    const auto found = covariance_of(actual, k);
    for (std::int64_t i = 0; i < kColumns; ++i) {
      for (std::int64_t j = 0; j < kColumns; ++j) {
        if (GetParam() == Covariance::kDiagonal && i != j) continue;
        EXPECT_NEAR(found(i, j), wanted(i, j) + (i == j ? 0.25 : 0.0), kTolerance);
      }
    }
  }
}

TEST_P(GaussiansTest, DirectionsWithoutVarianceGiveFiniteDensities) {
  Gaussians gaussians = random_gaussians();
  std::fill(gaussians.covariances.span().begin(), gaussians.covariances.span().end(), 0.0);
  const auto x = test::random_dense<double>(4, kColumns, 13);
  Dense<double> densities(4, kComponents);

  cluster::log_joint_densities(context_, view_of(x), gaussians, view_of(densities));

  for (double value : densities.values) EXPECT_TRUE(std::isfinite(value));
}

TEST(Responsibilities, AddUpToOneHoweverSmallTheDensities) {
  CpuContext context(1);
  Dense<double> rows(3, 2);
  rows.values = {-1e6, -1e6, std::log(1.0), std::log(3.0), -INFINITY, -5};

  const double log_likelihood = cluster::to_responsibilities(context, view_of(rows));

  const std::vector<double> expected{0.5, 0.5, 0.25, 0.75, 0, 1};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_DOUBLE_EQ(rows.values[i], expected[i]);
  }
  EXPECT_DOUBLE_EQ(log_likelihood, -1e6 + std::log(2.0) + std::log(4.0) - 5);
}

TEST(ParameterCount, OfTwoComponentsInThreeDimensions) {
  EXPECT_EQ(cluster::parameter_count(Covariance::kFull, 2, 3), 1 + 6 + 12);
  EXPECT_EQ(cluster::parameter_count(Covariance::kShared, 2, 3), 1 + 6 + 6);
  EXPECT_EQ(cluster::parameter_count(Covariance::kDiagonal, 2, 3), 1 + 6 + 6);
}

}  // namespace
}  // namespace m2st
