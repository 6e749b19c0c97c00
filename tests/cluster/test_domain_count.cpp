// The number of domains without a label: tissues whose number is known, the range, bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "cluster/domain_count.h"
#include "cluster/spatial_components.h"
#include "data/graph/spatial_graph.h"
#include "data/simulate/simulate.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st::cluster {
namespace {

using m2st::test::expect_error;

// A layered tissue with its graph.
struct Tissue {
  Tissue(CpuContext& context, std::int64_t cells, int domains) {
    data::SimulateOptions options;
    options.cells = cells;
    options.components = 30;
    options.domains = domains;
    options.seed = 4;
    simulated = data::simulate_tissue(context, options);
    graph = data::build_spatial_graph(context, simulated.coordinates.view(), {}).adjacency;
  }
  DomainCount count(CpuContext& context, const DomainCountOptions& options) const {
    return find_domain_count(context, {simulated.values.view()}, {}, graph.view(), options);
  }

  data::SimulatedTissue simulated;
  data::Adjacency graph;
};

TEST(DomainCount, IsThatOfASimulatedTissue) {
  CpuContext context(2);
  for (const int domains : {3, 6}) {
    const Tissue tissue(context, 2000, domains);
    const DomainCount count = tissue.count(context, {.least = 2, .most = 10});
    EXPECT_EQ(count.domains, domains);
    ASSERT_EQ(count.curve.size(), 9u);
    EXPECT_EQ(count.curve.front().domains, 2);
    EXPECT_EQ(count.curve.back().domains, 10);
    for (const DomainCountPoint& point : count.curve) {
      EXPECT_GE(point.criterion, count.curve[static_cast<std::size_t>(domains) - 2].criterion);
    }
  }
}

TEST(DomainCount, IsOneWhereNothingDiffersInSpace) {
  CpuContext context(2);
  Tissue tissue(context, 1500, 3);
  const auto noise = m2st::test::random_dense<float>(1500, 30, 9);
  std::copy(noise.values.begin(), noise.values.end(), tissue.simulated.values.span().begin());

  EXPECT_EQ(tissue.count(context, {.least = 1, .most = 6}).domains, 1);
}

TEST(DomainCount, IsTheSameForAnyNumberOfThreads) {
  m2st::test::expect_same_bytes_for_any_threads([](CpuContext& context) {
    const DomainCount count =
        Tissue(context, 700, 4).count(context, {.least = 2, .most = 7, .seed = 3});
    std::vector<double> numbers = {count.independent_cells};
    for (const DomainCountPoint& point : count.curve) {
      numbers.push_back(point.log_likelihood);
      numbers.push_back(point.criterion);
    }
    return numbers;
  });
}

TEST(DomainCount, RangeEndsAtTheNumberOfCells) {
  CpuContext context(1);
  const auto dense = m2st::test::random_dense<float>(5, 3, 1);
  const DomainCount count =
      find_domain_count(context, {m2st::test::view_of(dense)}, {}, {}, {.least = 1, .most = 25});
  EXPECT_EQ(count.curve.size(), 5u);
  EXPECT_EQ(count.independent_cells, 5);  // no graph, no averaging
}

TEST(DomainCount, RefusesWhatCannotBe) {
  CpuContext context(1);
  auto dense = m2st::test::random_dense<float>(5, 3, 1);
  const auto count = [&](const DomainCountOptions& options) {
    find_domain_count(context, {m2st::test::view_of(std::as_const(dense))}, {}, {}, options);
  };
  expect_error(ExitCode::kParameterImpossible, {"between 6 and 9", "5 cells"},
               [&] { count({.least = 6, .most = 9}); });
  expect_error(ExitCode::kInternal, {"range"}, [&] { count({.least = 3, .most = 2}); });
  dense.values[4] = std::numeric_limits<float>::quiet_NaN();
  expect_error(ExitCode::kInputInvalid, {"cell 1, column 1"}, [&] { count({}); });
}

// Sums of squared weights by hand: after one averaging a cell of a ring of three or more holds a
// third of itself and of either neighbour; after none it is itself.
TEST(CellsPerAverage, CountsACellsKernel) {
  constexpr std::int32_t kRing = 4000;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> sources;
  for (std::int32_t i = 0; i < kRing; ++i) {
    sources.push_back((i + kRing - 1) % kRing);
    sources.push_back((i + 1) % kRing);
    offsets.push_back(std::ssize(sources));
  }
  CpuContext context(2);
  const CsrView ring{offsets, sources};
  // The median of 64 random signs' mean square lies 1 % below the mean, give or take 1 %.
  constexpr double kTolerance = 0.03;
  EXPECT_EQ(cells_per_average(context, ring, 0), 1);
  EXPECT_NEAR(cells_per_average(context, ring, 1) / 3, 1, kTolerance);
  EXPECT_NEAR(cells_per_average(context, ring, 2) / (81.0 / 19), 1, kTolerance);
  EXPECT_EQ(cells_per_average(context, {}, 4), 1);
}

}  // namespace
}  // namespace m2st::cluster
