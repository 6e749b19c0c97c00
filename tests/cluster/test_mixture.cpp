// The Gaussian mixture as a whole: recovery, monotone likelihood, limits, determinism.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cluster/mixture.h"
#include "engine/check.h"
#include "tests/cluster/blobs.h"

namespace m2st {
namespace {

using cluster::Covariance;
using cluster::MixtureOptions;
using cluster::MixtureResult;
using reference::Dense;
using test::view_of;

class Mixture : public testing::TestWithParam<Covariance> {
 protected:
  MixtureResult fit(const Dense<double>& x, MixtureOptions options) {
    options.covariance = GetParam();
    return cluster::fit_mixture(context_, view_of(x), options);
  }
  void expect_sound(const MixtureResult& result, std::int64_t cells, int domains) {
    ASSERT_EQ(static_cast<std::int64_t>(result.labels.size()), cells);
    ASSERT_EQ(result.responsibilities.cols(), domains);
    for (std::int64_t n = 0; n < cells; ++n) {
      double sum = 0;
      for (double value : result.responsibilities.view().row(n)) {
        EXPECT_GE(value, 0.0);
        sum += value;
      }
      EXPECT_NEAR(sum, 1.0, 1e-12);
      EXPECT_GE(result.labels[static_cast<std::size_t>(n)], 0);
      EXPECT_LT(result.labels[static_cast<std::size_t>(n)], domains);
    }
    EXPECT_TRUE(std::isfinite(result.log_likelihood));
    EXPECT_TRUE(std::isfinite(result.bic));
  }
  CpuContext context_{1};
};

INSTANTIATE_TEST_SUITE_P(Kinds, Mixture,
                         testing::Values(Covariance::kFull, Covariance::kShared,
                                         Covariance::kDiagonal));

TEST_P(Mixture, SeparatedBlobsAreRecovered) {
  for (int clouds : {1, 2, 6}) {
    const auto x = test::blobs(1500, clouds, 4, 20, 1);

    const auto result = fit(x, {.domains = clouds});

    EXPECT_TRUE(test::recovers_blobs(result.labels, clouds)) << clouds;
    EXPECT_TRUE(result.converged);
    for (double weight : result.weights) EXPECT_NEAR(weight, 1.0 / clouds, 1e-6);
  }
}

TEST_P(Mixture, LikelihoodNeverFalls) {
  const auto x = test::blobs(2000, 5, 3, 2.5, 2);

  const auto result = fit(x, {.domains = 5, .iterations = 60, .tolerance = 0, .regularisation = 0});

  ASSERT_GT(result.history.size(), 10u);
  for (std::size_t i = 1; i < result.history.size(); ++i) {
    // 2000 log densities, each rounded.
    EXPECT_GE(result.history[i], result.history[i - 1] - 1e-11 * std::abs(result.history[i]));
  }
  EXPECT_GT(result.history.back(), result.history.front() + 1);
}

TEST_P(Mixture, OneComponentIsTheNormalDistribution) {
  const auto x = test::random_dense<double>(400, 3, 3);

  const auto result = fit(x, {.domains = 1, .regularisation = 0});

  // ln L = −N/2 (d ln 2π + ln det Σ + d), with the determinant of about 1.
  double mean = 0;
  for (std::int64_t n = 0; n < x.rows; ++n) mean += x(n, 1) / 400;
  EXPECT_NEAR(result.means(0, 1), mean, 1e-12);
  EXPECT_NEAR(result.log_likelihood, -200 * 3 * (std::log(2 * M_PI) + 1), 40);
  EXPECT_EQ(std::count(result.labels.begin(), result.labels.end(), 0), 400);
  expect_sound(result, 400, 1);
}

TEST_P(Mixture, BicPrefersTheTrueNumberOfBlobs) {
  const auto x = test::blobs(900, 4, 3, 8, 4);

  const double right = fit(x, {.domains = 4}).bic;

  EXPECT_LT(right, fit(x, {.domains = 3}).bic);
  EXPECT_LT(right, fit(x, {.domains = 6}).bic);
}

TEST_P(Mixture, OneCell) {
  expect_sound(fit(test::random_dense<double>(1, 3, 5), {.domains = 1}), 1, 1);
}

TEST_P(Mixture, AsManyComponentsAsCells) {
  expect_sound(fit(test::random_dense<double>(20, 3, 6), {.domains = 20}), 20, 20);
}

TEST_P(Mixture, IdenticalCells) {
  Dense<double> x(30, 2);
  std::fill(x.values.begin(), x.values.end(), -7.25);

  expect_sound(fit(x, {.domains = 4}), 30, 4);
}

TEST_P(Mixture, DuplicatesAndConstantColumns) {
  Dense<double> x = test::blobs(60, 2, 3, 20, 7);
  for (std::int64_t n = 0; n < 60; ++n) {
    x(n, 2) = 1e3;
    if (n >= 2) x(n, 0) = x(n % 2, 0), x(n, 1) = x(n % 2, 1);
  }

  const auto result = fit(x, {.domains = 2, .regularisation = 0});

  expect_sound(result, 60, 2);
  EXPECT_TRUE(test::recovers_blobs(result.labels, 2));
}

TEST_P(Mixture, MoreRestartsAreNeverWorse) {
  const auto x = test::random_dense<double>(300, 3, 8);

  const auto one = fit(x, {.domains = 5, .initial_restarts = 1});
  const auto four = fit(x, {.domains = 5, .restarts = 4, .initial_restarts = 1});

  EXPECT_GE(four.log_likelihood, one.log_likelihood);
}

TEST_P(Mixture, NumberOfThreadsChangesNothing) {
  const auto x = test::blobs(5000, 4, 8, 2, 9);
  MixtureOptions options{.domains = 4, .initial_restarts = 2, .iterations = 10, .tolerance = 0};
  options.covariance = GetParam();
  const auto one = fit(x, options);

  for (int threads : {2, 5}) {
    CpuContext context(threads);
    const auto many = cluster::fit_mixture(context, view_of(x), options);
    EXPECT_EQ(many.history, one.history);
    EXPECT_EQ(many.labels, one.labels);
    EXPECT_TRUE(std::equal(many.responsibilities.span().begin(), many.responsibilities.span().end(),
                           one.responsibilities.span().begin()));
  }
}

TEST(MixtureOfLongClouds, SharedCovarianceFindsWhatKMeansCuts) {
  // Two clouds 30 long and 1 wide, 8 apart across: nearest means would cut them in the middle.
  CpuContext context(1);
  Dense<double> x = test::random_dense<double>(1000, 2, 10);
  for (std::int64_t n = 0; n < 1000; ++n) {
    x(n, 0) *= 5;
    x(n, 1) += n % 2 == 0 ? 0 : 8;
  }

  const auto result = cluster::fit_mixture(
      context, view_of(std::as_const(x)),
      {.domains = 2, .covariance = Covariance::kShared, .restarts = 5, .initial_restarts = 1});

  EXPECT_TRUE(test::recovers_blobs(result.labels, 2));
}

TEST(MixtureLimits, ImpossibleDomainsAreNamed) {
  CpuContext context(1);
  const auto x = test::random_dense<double>(3, 2, 12);

  EXPECT_THROW(cluster::fit_mixture(context, view_of(x), {.domains = 4}), Error);
  EXPECT_THROW(cluster::fit_mixture(context, view_of(x), {.domains = 0}), Error);
}

}  // namespace
}  // namespace m2st
