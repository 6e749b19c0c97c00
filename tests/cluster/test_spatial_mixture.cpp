// The mixture that listens to neighbours: what the field changes, and what it must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "cluster/spatial_mixture.h"
#include "tests/cluster/blobs.h"
#include "tests/support/random_dense.h"
#include "tests/support/random_graph.h"

namespace m2st {
namespace {

using cluster::fit_spatial_mixture;
using cluster::SpatialMixtureOptions;
using reference::Dense;
using test::view_of;

using Labels = std::vector<std::int32_t>;

// A square lattice of side² cells; `copies` of every edge.
test::TestGraph lattice(std::int32_t side, int copies) {
  std::vector<std::vector<std::int32_t>> sources(static_cast<std::size_t>(side * side));
  for (std::int32_t r = 0; r < side; ++r) {
    for (std::int32_t c = 0; c < side; ++c) {
      auto& row = sources[static_cast<std::size_t>(r * side + c)];
      for (int copy = 0; copy < copies; ++copy) {
        if (r > 0) row.push_back((r - 1) * side + c);
        if (c > 0) row.push_back(r * side + c - 1);
        if (c + 1 < side) row.push_back(r * side + c + 1);
        if (r + 1 < side) row.push_back((r + 1) * side + c);
      }
    }
  }
  return test::make_graph(sources);
}

// Left half around −1, right half around +1, with noise wide enough to mix them.
struct TwoHalves {
  Dense<double> x;
  Labels truth;
  Labels start;
};

TwoHalves two_halves(std::int32_t side, double noise) {
  TwoHalves out{test::random_dense<double>(side * side, 2, 3), {}, {}};
  for (std::int32_t n = 0; n < side * side; ++n) {
    const std::int32_t half = n % side < side / 2 ? 0 : 1;
    out.x(n, 0) = noise * out.x(n, 0) + 2.0 * half - 1.0;
    out.truth.push_back(half);
    out.start.push_back(out.x(n, 0) > 0 ? 1 : 0);
  }
  return out;
}

std::int64_t mistakes(const Labels& labels, const Labels& truth) {
  std::int64_t count = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) count += labels[n] != truth[n];
  return std::min(count, std::ssize(labels) - count);
}

TEST(SpatialMixture, RecoversSeparateBlobsWithoutAGraph) {
  CpuContext context(2);
  const auto x = test::blobs(400, 4, 5, 30, 1);
  Labels start;
  for (int n = 0; n < 400; ++n) start.push_back(n % 4);

  const auto result = fit_spatial_mixture(context, view_of(x), {}, start, {.domains = 4});

  EXPECT_TRUE(test::recovers_blobs(result.labels, 4));
  EXPECT_TRUE(result.converged);
}

TEST(SpatialMixture, NeighboursCorrectMostOfWhatNoiseMixes) {
  CpuContext context(1);
  const auto halves = two_halves(30, 1.0);
  const auto graph = lattice(30, 1);

  const auto alone =
      fit_spatial_mixture(context, view_of(halves.x), {}, halves.start, {.domains = 2});
  const auto together = fit_spatial_mixture(context, view_of(halves.x), graph.view().in,
                                            halves.start, {.domains = 2});

  EXPECT_GT(mistakes(alone.labels, halves.truth), 90);
  EXPECT_LT(mistakes(together.labels, halves.truth), 20);
}

TEST(SpatialMixture, EdgesGivenTwiceChangeNothing) {
  CpuContext context(1);
  const auto halves = two_halves(20, 0.8);
  const SpatialMixtureOptions options{.domains = 2};
  const auto once = fit_spatial_mixture(context, view_of(halves.x), lattice(20, 1).view().in,
                                        halves.start, options);
  const auto twice = fit_spatial_mixture(context, view_of(halves.x), lattice(20, 2).view().in,
                                         halves.start, options);
  EXPECT_EQ(once.labels, twice.labels);
}

TEST(SpatialMixture, GivesTheSameBytesForAnyNumberOfThreads) {
  const auto halves = two_halves(60, 1.0);
  const auto graph = lattice(60, 1);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 5}) {
    CpuContext context(threads);
    const auto found = fit_spatial_mixture(context, view_of(halves.x), graph.view().in,
                                           halves.start, {.domains = 2});
    results.emplace_back(found.responsibilities.span().begin(),
                         found.responsibilities.span().end());
  }
  EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * 8), 0);
  EXPECT_EQ(std::memcmp(results[0].data(), results[2].data(), results[0].size() * 8), 0);
}

TEST(SpatialMixture, IsDefinedForOneCellOneDomainAndCellsAllAlike) {
  CpuContext context(1);
  Dense<double> one(1, 2);
  EXPECT_EQ(fit_spatial_mixture(context, view_of(one), {}, Labels{0}, {.domains = 1}).labels,
            Labels{0});
  Dense<double> same(6, 2);
  const auto found =
      fit_spatial_mixture(context, view_of(same), {}, Labels{0, 1, 0, 1, 0, 1}, {.domains = 2});
  for (const double value : found.responsibilities.span()) EXPECT_TRUE(value >= 0 && value <= 1);
}

// Two components over one wide blob of 300 cells and another of 30: evidence divided by a
// temperature leaves more of the uncertain cells to the larger component.
TEST(SpatialMixture, TemperatureLetsTheLargerComponentGrow) {
  CpuContext context(1);
  auto x = test::random_dense<double>(330, 2, 5);
  Labels start;
  for (std::int32_t n = 0; n < 330; ++n) {
    const std::int32_t small = n % 11 == 0 ? 1 : 0;
    x(n, 0) += 2.0 * small;
    start.push_back(small);
  }
  const auto size_of_larger = [&](double temperature) {
    const auto result =
        fit_spatial_mixture(context, view_of(x), {}, start,
                            {.domains = 2, .iterations = 3, .temperature = temperature});
    return std::count(result.labels.begin(), result.labels.end(), 0);
  };

  EXPECT_GT(size_of_larger(3.0), size_of_larger(1.0));
}

}  // namespace
}  // namespace m2st
