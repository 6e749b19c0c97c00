// From embeddings to domains: recovery, order, limits, messages; each for every method.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/domains.h"
#include "cluster/joined_components.h"
#include "engine/check.h"
#include "tests/cluster/blobs.h"

namespace m2st {
namespace {

using cluster::DomainOptions;
using cluster::DomainResult;
using cluster::Method;
using reference::Dense;
using test::converted;
using test::view_of;

using Labels = std::vector<std::int32_t>;

TEST(LargestFirst, OrdersBySizeThenFirstAppearance) {
  EXPECT_EQ(cluster::largest_first({5, 2, 2, 7, 7, 7}), (Labels{2, 1, 1, 0, 0, 0}));
  EXPECT_EQ(cluster::largest_first({3, 1, 3, 1, 0}), (Labels{0, 1, 0, 1, 2}));
  EXPECT_EQ(cluster::largest_first({}), Labels{});
  EXPECT_EQ(cluster::largest_first({4}), Labels{0});
  EXPECT_THROW(cluster::largest_first({0, -1}), Error);
}

TEST(JoinedComponents, PutScalesSideBySide) {
  CpuContext context(1);
  const auto a = test::random_dense<float>(30, 25, 1), b = test::random_dense<float>(30, 3, 2);

  const auto joined = cluster::joined_components(context, {view_of(a), view_of(b)}, 20);
  const auto alone = cluster::joined_components(context, {view_of(b)}, 20);

  ASSERT_EQ(joined.cols(), 20 + 3);
  for (std::int64_t n = 0; n < 30; ++n) {
    for (std::int64_t c = 0; c < 3; ++c) EXPECT_EQ(joined(n, 20 + c), alone(n, c));
  }
}

class Domains : public testing::TestWithParam<Method> {
 protected:
  DomainResult find(const std::vector<Dense<float>>& scales, DomainOptions options,
                    CsrView graph = {}) {
    return find_with(context_, scales, options, graph);
  }
  static DomainResult find_with(CpuContext& context, const std::vector<Dense<float>>& scales,
                                DomainOptions options, CsrView graph) {
    std::vector<MatrixView<const float>> views;
    for (const auto& scale : scales) views.push_back(view_of(scale));
    options.method = GetParam();
    return cluster::find_domains(context, views, {}, graph, options);
  }
  CpuContext context_{1};
};

INSTANTIATE_TEST_SUITE_P(Methods, Domains,
                         testing::Values(Method::kDefault, Method::kKMeans, Method::kMixture,
                                         Method::kReference));

// The reference factorisation is tested by its golden iterations: blobs are not what it is good at.
class RecoveringDomains : public Domains {};
INSTANTIATE_TEST_SUITE_P(Methods, RecoveringDomains,
                         testing::Values(Method::kDefault, Method::kKMeans, Method::kMixture));

void expect_sound(const DomainResult& result, std::size_t cells, int domains) {
  ASSERT_EQ(result.labels.size(), cells);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(domains), 0);
  for (std::int32_t label : result.labels) ++sizes.at(static_cast<std::size_t>(label));
  EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
  EXPECT_TRUE(result.confidence.empty() || result.confidence.size() == cells);
  for (float confidence : result.confidence) {
    EXPECT_GE(confidence, 0.0f);
    EXPECT_LE(confidence, 1.0f);
  }
  EXPECT_FALSE(result.method.empty());
  EXPECT_EQ(sizes.back() == 0, !result.warnings.empty());
}

TEST_P(RecoveringDomains, SeparateBlobs) {
  const auto scale = converted<float>(test::blobs(600, 4, 30, 40, 1));

  const auto result = find({scale, scale}, {.domains = 4});

  EXPECT_TRUE(test::recovers_blobs(result.labels, 4));
  expect_sound(result, 600, 4);
}

TEST_P(Domains, OneDomain) {
  const auto result = find({test::random_dense<float>(50, 6, 2)}, {.domains = 1});

  EXPECT_EQ(result.labels, Labels(50, 0));
}

TEST_P(Domains, AsManyDomainsAsCells) {
  expect_sound(find({test::random_dense<float>(12, 6, 3)}, {.domains = 12}), 12, 12);
}

TEST_P(Domains, OneCell) {
  EXPECT_EQ(find({test::random_dense<float>(1, 6, 4)}, {.domains = 1}).labels, Labels{0});
}

TEST_P(Domains, IdenticalCells) {
  Dense<float> scale(30, 5);
  std::fill(scale.values.begin(), scale.values.end(), 0.3f);

  expect_sound(find({scale}, {.domains = 3}), 30, 3);
}

TEST_P(Domains, ImpossibleNumbersAreExplained) {
  const auto scale = test::random_dense<float>(5, 3, 5);

  for (int domains : {-1, 0, 6}) {
    try {
      find({scale}, {.domains = domains});
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kParameterImpossible);
      EXPECT_NE(std::string(error.what()).find("5 cells can form between 1 and 5"),
                std::string::npos);
    }
  }
}

TEST_P(Domains, NotANumberIsNamedWithItsPlace) {
  const auto good = test::random_dense<float>(5, 3, 6);
  auto bad = good;
  bad(3, 1) = std::numeric_limits<float>::quiet_NaN();

  try {
    find({good, bad}, {.domains = 2});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kInputInvalid);
    EXPECT_NE(std::string(error.what()).find("scale 2 holds nan at cell 3, column 1"),
              std::string::npos)
        << error.what();
  }
}

TEST_P(Domains, NumberOfThreadsChangesNothing) {
  const auto scale = converted<float>(test::blobs(3000, 5, 8, 3, 7));
  const auto one = find({scale}, {.domains = 5, .seed = 4});

  for (int threads : {2, 5}) {
    CpuContext context(threads);
    const auto many = find_with(context, {scale}, {.domains = 5, .seed = 4}, {});
    EXPECT_EQ(many.labels, one.labels);
    EXPECT_EQ(many.confidence, one.confidence);
  }
}

// A line of cells, left half near 0 and right half near 10, but cell 20 looks like the right.
struct LineWithALonelyCell {
  Dense<float> scale{100, 2};
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> neighbours;

  LineWithALonelyCell() {
    for (std::int32_t n = 0; n < 100; ++n) {
      scale(n, 0) = n < 50 && n != 20 ? 0.0f : 10.0f;
      scale(n, 1) = 0.01f * static_cast<float>(n % 7);
      for (std::int32_t other : {n - 2, n - 1, n + 1, n + 2}) {
        if (other >= 0 && other < 100) neighbours.push_back(other);
      }
      offsets.push_back(static_cast<std::int64_t>(neighbours.size()));
    }
  }
  DomainResult find(const DomainOptions& options) const {
    CpuContext context(1);
    return cluster::find_domains(context, {view_of(scale)}, {}, {offsets, neighbours}, options);
  }
};

TEST(DefaultDomains, NeighboursOutvoteALonelyCell) {
  const auto result = LineWithALonelyCell().find({.domains = 2});

  EXPECT_EQ(result.labels[20], result.labels[19]);
  EXPECT_EQ(std::set<std::int32_t>(result.labels.begin(), result.labels.begin() + 50).size(), 1u);
  EXPECT_NE(result.labels[0], result.labels[99]);
}

TEST(Refinement, FollowsAnyMethodWhenAskedFor) {
  const LineWithALonelyCell line;
  const auto plain = line.find({.method = Method::kKMeans, .domains = 2});
  const auto refined = line.find({.method = Method::kKMeans, .domains = 2, .refinement = 1});

  EXPECT_NE(plain.labels[20], plain.labels[19]);
  EXPECT_EQ(refined.labels[20], refined.labels[19]);
  EXPECT_NE(refined.method, plain.method);
}

}  // namespace
}  // namespace m2st
