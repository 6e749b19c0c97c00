// k-means: recovery, limits, monotonicity, determinism.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "cluster/kmeans.h"
#include "engine/check.h"
#include "tests/cluster/blobs.h"
#include "tests/reference/assign.h"

namespace m2st {
namespace {

using cluster::KMeansOptions;
using cluster::KMeansResult;
using reference::Dense;
using test::view_of;

class KMeans : public testing::Test {
 protected:
  KMeansResult run(const Dense<double>& x, const KMeansOptions& options) {
    return cluster::k_means(context_, view_of(x), options);
  }
  CpuContext context_{1};
};

std::set<std::int32_t> used(const std::vector<std::int32_t>& labels) {
  return {labels.begin(), labels.end()};
}

double naive_inertia(const Dense<double>& x, const std::vector<std::int32_t>& labels,
                     std::int64_t clusters) {
  Dense<double> centres = reference::sums_by_label(x, labels, clusters);
  for (std::int64_t k = 0; k < clusters; ++k) {
    const auto count = std::count(labels.begin(), labels.end(), static_cast<std::int32_t>(k));
    for (std::int64_t c = 0; c < x.cols; ++c) centres(k, c) /= static_cast<double>(count);
  }
  const Dense<double> distances = reference::squared_distances(x, centres);
  double sum = 0;
  for (std::int64_t n = 0; n < x.rows; ++n)
    sum += distances(n, labels[static_cast<std::size_t>(n)]);
  return sum;
}

TEST_F(KMeans, SeparatedBlobsAreRecovered) {
  for (int clouds : {1, 2, 5, 9}) {
    const auto x = test::blobs(5000, clouds, 4, 30, 1);

    const auto result = run(x, {.domains = clouds, .seed = 3});

    EXPECT_TRUE(test::recovers_blobs(result.labels, clouds)) << clouds;
  }
}

TEST_F(KMeans, HandSizedExample) {
  Dense<double> x(4, 1);
  x.values = {0, 1, 10, 12};

  const auto result = run(x, {.domains = 2});

  EXPECT_EQ(result.labels[0], result.labels[1]);
  EXPECT_EQ(result.labels[2], result.labels[3]);
  EXPECT_NE(result.labels[0], result.labels[2]);
  EXPECT_DOUBLE_EQ(result.inertia, 0.5 + 2.0);
  EXPECT_DOUBLE_EQ(result.centres(result.labels[0], 0), 0.5);
  EXPECT_DOUBLE_EQ(result.centres(result.labels[3], 0), 11.0);
}

TEST_F(KMeans, InertiaNeverRises) {
  const auto x = test::random_dense<double>(3000, 6, 2);

  const auto result = run(x, {.domains = 12, .restarts = 1, .seed = 1});

  ASSERT_GT(result.history.size(), 5u);
  // Sums of 3000 numbers, each rounded: a step of nothing may look like a step up of this share.
  constexpr double kRounding = 3000 * std::numeric_limits<double>::epsilon();
  for (std::size_t i = 1; i < result.history.size(); ++i) {
    EXPECT_LE(result.history[i], result.history[i - 1] * (1 + kRounding));
  }
  EXPECT_NEAR(result.inertia, naive_inertia(x, result.labels, 12), kRounding * result.inertia);
  EXPECT_LE(result.inertia, result.history.back() * (1 + kRounding));
}

TEST_F(KMeans, MoreRestartsAreNeverWorse) {
  const auto x = test::random_dense<double>(800, 3, 4);

  double before = std::numeric_limits<double>::infinity();
  for (int restarts : {1, 2, 5, 20}) {
    const auto result = run(x, {.domains = 8, .restarts = restarts, .seed = 5});
    EXPECT_LE(result.inertia, before);
    before = result.inertia;
  }
}

TEST_F(KMeans, OneDomainIsTheMean) {
  const auto x = test::random_dense<double>(33, 3, 5);

  const auto result = run(x, {.domains = 1});

  EXPECT_EQ(used(result.labels), (std::set<std::int32_t>{0}));
  double mean = 0;
  for (std::int64_t n = 0; n < 33; ++n) mean += x(n, 2) / 33;
  EXPECT_NEAR(result.centres(0, 2), mean, 1e-15);
}

TEST_F(KMeans, AsManyDomainsAsCells) {
  const auto x = test::random_dense<double>(50, 3, 6);

  const auto result = run(x, {.domains = 50});

  EXPECT_EQ(used(result.labels).size(), 50u);
  EXPECT_EQ(result.inertia, 0.0);
}

TEST_F(KMeans, AlmostAsManyDomainsAsCells) {
  const auto x = test::random_dense<double>(50, 3, 6);

  const auto result = run(x, {.domains = 49});

  EXPECT_EQ(used(result.labels).size(), 49u);
}

TEST_F(KMeans, OneCell) {
  const auto result = run(test::random_dense<double>(1, 3, 7), {.domains = 1});

  EXPECT_EQ(result.labels, (std::vector<std::int32_t>{0}));
  EXPECT_EQ(result.inertia, 0.0);
}

TEST_F(KMeans, IdenticalCellsStillFillEveryDomain) {
  Dense<double> x(40, 2);
  std::fill(x.values.begin(), x.values.end(), 3.5);

  const auto result = run(x, {.domains = 7});

  EXPECT_EQ(used(result.labels).size(), 7u);
  EXPECT_EQ(result.inertia, 0.0);
}

TEST_F(KMeans, FewerDistinctCellsThanDomains) {
  Dense<double> x(30, 1);
  for (std::int64_t n = 0; n < 30; ++n) x(n, 0) = static_cast<double>(n % 3);

  const auto result = run(x, {.domains = 5});

  EXPECT_EQ(used(result.labels).size(), 5u);
  EXPECT_EQ(result.inertia, 0.0);
}

TEST_F(KMeans, EmptyClusterTakesTheFarthestCell) {
  Dense<double> x(4, 1);
  x.values = {0, 1, 2, 9};
  Matrix<double> start(context_.pool(), 2, 1);
  start(0, 0) = 1;
  start(1, 0) = -100;

  const auto result = cluster::lloyd(context_, view_of(std::as_const(x)), std::move(start), {});

  EXPECT_EQ(result.labels, (std::vector<std::int32_t>{0, 0, 0, 1}));
  EXPECT_DOUBLE_EQ(result.history[0], 2.0);
}

TEST_F(KMeans, NumberOfThreadsChangesNothing) {
  const auto x = test::random_dense<double>(9000, 10, 8);
  const KMeansOptions options{.domains = 11, .restarts = 2, .seed = 9};

  const auto one = run(x, options);

  for (int threads : {2, 5}) {
    CpuContext context(threads);
    const auto many = cluster::k_means(context, view_of(x), options);
    EXPECT_EQ(many.labels, one.labels);
    EXPECT_EQ(many.history, one.history);
    EXPECT_EQ(many.inertia, one.inertia);
  }
}

TEST_F(KMeans, SeedsAndStreamsDiffer) {
  const auto x = test::random_dense<double>(500, 5, 10);
  const auto centres_of = [&](KMeansOptions options) {
    const auto centres = cluster::plus_plus_centres(context_, view_of(x), options, 0);
    return std::vector<double>(centres.data(), centres.data() + centres.size());
  };

  const auto base = centres_of({.domains = 3, .seed = 1});

  EXPECT_EQ(centres_of({.domains = 3, .seed = 1}), base);
  EXPECT_NE(centres_of({.domains = 3, .seed = 2}), base);
  EXPECT_NE(centres_of({.domains = 3, .seed = 1, .stream = 1}), base);
}

TEST_F(KMeans, CentresAreSeededInDifferentBlobs) {
  const auto x = test::blobs(900, 9, 3, 50, 11);

  const auto centres = cluster::plus_plus_centres(context_, view_of(x), {.domains = 9}, 0);

  std::set<std::pair<long, long>> cells;
  for (std::int64_t k = 0; k < 9; ++k) {
    cells.emplace(std::lround(centres(k, 0) / 50), std::lround(centres(k, 1) / 50));
  }
  EXPECT_EQ(cells.size(), 9u);
}

TEST_F(KMeans, ImpossibleDomainsAreNamed) {
  const auto x = test::random_dense<double>(3, 2, 12);

  EXPECT_THROW(run(x, {.domains = 4}), Error);
  EXPECT_THROW(run(x, {.domains = 0}), Error);
}

}  // namespace
}  // namespace m2st
