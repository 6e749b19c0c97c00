// Simulated tissue: whole domains in space, the numbers asked for, the same for any threads.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "data/graph/spatial_graph.h"
#include "data/simulate/simulate.h"
#include "tests/support/expect_error.h"

namespace m2st::data {
namespace {

using test::expect_error;

class SimulateTest : public ::testing::Test {
 protected:
  SimulatedTissue simulate(const SimulateOptions& options) {
    return simulate_tissue(two_, options);
  }

  // A tissue's memory belongs to its context's pool, so contexts live as long as the test.
  CpuContext one_{1}, two_{2}, five_{5};
};

template <class T>
std::vector<T> copied(const Matrix<T>& x) {
  return {x.span().begin(), x.span().end()};
}

TEST_F(SimulateTest, EveryDomainHasCells) {
  for (const TissueShape shape : {TissueShape::kLayers, TissueShape::kBlobs}) {
    for (const PointPattern pattern :
         {PointPattern::kHexagonal, PointPattern::kSquare, PointPattern::kRandom}) {
      for (const std::int64_t cells : {1, 2, 7, 8, 33, 3000}) {
        const int domains = static_cast<int>(std::min<std::int64_t>(cells, 7));

        const SimulatedTissue tissue = simulate({.cells = cells,
                                                 .domains = domains,
                                                 .shape = shape,
                                                 .pattern = pattern,
                                                 .components = 3});

        const std::set<std::int32_t> found(tissue.domains.begin(), tissue.domains.end());
        EXPECT_EQ(static_cast<int>(found.size()), domains);
        EXPECT_EQ(*found.begin(), 0);
        EXPECT_EQ(*found.rbegin(), domains - 1);
        EXPECT_EQ(tissue.coordinates.rows(), cells);
        EXPECT_EQ(tissue.values.rows(), cells);
      }
    }
  }
}

// Share of graph edges that stay inside a domain: near one where domains are compact.
double edges_inside(const SimulatedTissue& tissue, SpatialGraph& graph) {
  CpuContext context(1);
  graph = build_spatial_graph(context, tissue.coordinates.view(), {});
  const Adjacency& adjacency = graph.adjacency;
  double inside = 0;
  for (std::int64_t i = 0; i < adjacency.nodes(); ++i) {
    for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
      inside += tissue.domains[i] == tissue.domains[adjacency.neighbours[e]] ? 1 : 0;
    }
  }
  return inside / static_cast<double>(adjacency.neighbours.size());
}

TEST_F(SimulateTest, DomainsAreCompactAndPatternsAreWhatTheySay) {
  const GraphKind kinds[] = {GraphKind::kGrid, GraphKind::kGrid, GraphKind::kRadius};
  const int neighbours[] = {6, 4, 0};
  for (const TissueShape shape : {TissueShape::kLayers, TissueShape::kBlobs}) {
    for (const int pattern : {0, 1, 2}) {
      const SimulatedTissue tissue = simulate(
          {.shape = shape, .pattern = static_cast<PointPattern>(pattern), .components = 1});
      SpatialGraph graph;

      EXPECT_GT(edges_inside(tissue, graph), 0.85);
      EXPECT_EQ(graph.kind, kinds[pattern]);
      EXPECT_EQ(graph.neighbours, neighbours[pattern]);
    }
  }
}

TEST_F(SimulateTest, IsTheSameForAnyNumberOfThreads) {
  for (const Signal signal : {Signal::kComponents, Signal::kCounts}) {
    for (const TissueShape shape : {TissueShape::kLayers, TissueShape::kBlobs}) {
      const SimulateOptions options{.cells = 9000,
                                    .shape = shape,
                                    .pattern = PointPattern::kRandom,
                                    .signal = signal,
                                    .genes = 20,
                                    .components = 10,
                                    .seed = 9};
      const SimulatedTissue one = simulate_tissue(one_, options);
      const SimulatedTissue five = simulate_tissue(five_, options);

      EXPECT_EQ(copied(one.coordinates), copied(five.coordinates));
      EXPECT_EQ(copied(one.values), copied(five.values));
      EXPECT_EQ(one.domains, five.domains);
    }
  }
}

TEST_F(SimulateTest, SeedsDiffer) {
  const SimulatedTissue a = simulate({.cells = 500, .seed = 1});
  const SimulatedTissue b = simulate({.cells = 500, .seed = 2});

  EXPECT_NE(copied(a.values), copied(b.values));
  EXPECT_NE(a.domains, b.domains);
}

TEST_F(SimulateTest, ComponentsHaveTheNoiseAskedFor) {
  constexpr int kComponents = 20, kDomains = 5;
  constexpr std::int64_t kCells = 20000;
  const SimulatedTissue tissue = simulate(
      {.cells = kCells, .domains = kDomains, .components = kComponents, .noise = 0.7, .seed = 3});
  std::vector<double> sums(kDomains * kComponents), counts(kDomains);
  for (std::int64_t i = 0; i < kCells; ++i) {
    counts[tissue.domains[i]] += 1;
    for (int c = 0; c < kComponents; ++c) {
      sums[tissue.domains[i] * kComponents + c] += tissue.values(i, c);
    }
  }
  double within = 0;
  for (std::int64_t i = 0; i < kCells; ++i) {
    for (int c = 0; c < kComponents; ++c) {
      const std::int32_t k = tissue.domains[i];
      const double off = tissue.values(i, c) - sums[k * kComponents + c] / counts[k];
      within += off * off;
    }
  }
  // 400,000 squares: a relative standard error of √(2 / 400,000) = 0.0022; five of them.
  EXPECT_NEAR(within / (kCells * kComponents), 0.49, 0.49 * 0.011);
  // Means of some 4,000 cells have an error of 0.011: leading components spread with variance 1
  // over domains, the others not at all.
  for (int c = 0; c < kComponents; ++c) {
    double squares = 0;
    for (int k = 0; k < kDomains; ++k) {
      const double mean = sums[k * kComponents + c] / counts[k];
      squares += mean * mean / kDomains;
    }
    EXPECT_NEAR(squares, c < kDomains - 1 ? 1 : 0, 0.06) << c;
  }
}

TEST_F(SimulateTest, CountsHaveTheMeanAndVarianceAskedFor) {
  constexpr int kGenes = 12;
  constexpr std::int64_t kCells = 40000;
  const SimulatedTissue tissue = simulate({.cells = kCells,
                                           .domains = 1,
                                           .signal = Signal::kCounts,
                                           .genes = kGenes,
                                           .dispersion = 3,
                                           .depth = 60});
  double total = 0;
  for (int g = 0; g < kGenes; ++g) {
    double sum = 0, squares = 0, fourth = 0;
    for (std::int64_t i = 0; i < kCells; ++i) {
      ASSERT_EQ(tissue.values(i, g), std::floor(tissue.values(i, g)));
      sum += tissue.values(i, g) / kCells;
    }
    for (std::int64_t i = 0; i < kCells; ++i) {
      const double square = std::pow(tissue.values(i, g) - sum, 2);
      squares += square / kCells;
      fourth += square * square / kCells;
    }
    total += sum;
    // Five standard errors of a variance, and what an error of the mean adds.
    const double error = std::sqrt((fourth - squares * squares) / kCells) +
                         (1 + 2 * sum / 3) * std::sqrt(squares / kCells);
    EXPECT_NEAR(squares, sum + sum * sum / 3, 5 * error) << g;
  }
  EXPECT_NEAR(total, 60, 5 * std::sqrt(60 + 3600.0 / 3) / std::sqrt(kCells));
}

TEST_F(SimulateTest, MarkersAreHigherInTheirDomain) {
  constexpr int kDomains = 3, kGenes = 30;
  const SimulatedTissue tissue = simulate({.cells = 6000,
                                           .domains = kDomains,
                                           .signal = Signal::kCounts,
                                           .genes = kGenes,
                                           .depth = 3000,
                                           .marker_fold = 4});
  std::vector<double> sums(kDomains * kGenes), counts(kDomains);
  for (std::int64_t i = 0; i < 6000; ++i) {
    counts[tissue.domains[i]] += 1;
    for (int g = 0; g < kGenes; ++g) sums[tissue.domains[i] * kGenes + g] += tissue.values(i, g);
  }
  for (int g = 0; g < kGenes; ++g) {
    std::vector<double> means;
    for (int k = 0; k < kDomains; ++k) means.push_back(sums[k * kGenes + g] / counts[k]);
    const double highest = *std::max_element(means.begin(), means.end());
    const double lowest = *std::min_element(means.begin(), means.end());
    if (g % 5 == 0) {
      EXPECT_EQ(highest, means[g / 5 % kDomains]) << g;
      EXPECT_GT(highest, 2 * lowest) << g;
    } else {
      EXPECT_LT(highest, 2 * lowest) << g;
    }
  }
}

TEST_F(SimulateTest, ImpossibleOptionsAreRefused) {
  const auto refused = [&](ExitCode code, const std::string& word, const SimulateOptions& options) {
    expect_error(code, {word}, [&] { simulate(options); });
  };

  refused(ExitCode::kUsage, "cells", {.cells = 0});
  refused(ExitCode::kUsage, "domains", {.domains = 0});
  refused(ExitCode::kParameterImpossible, "5 cells", {.cells = 5, .domains = 6});
  refused(ExitCode::kUsage, "components", {.components = 0});
  refused(ExitCode::kUsage, "noise", {.noise = -1});
  refused(ExitCode::kUsage, "genes", {.signal = Signal::kCounts, .genes = 0});
  refused(ExitCode::kUsage, "dispersion", {.signal = Signal::kCounts, .dispersion = 0});
  refused(ExitCode::kUsage, "depth", {.signal = Signal::kCounts, .depth = std::nan("")});
  refused(ExitCode::kUsage, "marker", {.signal = Signal::kCounts, .marker_fold = 0});
}

}  // namespace
}  // namespace m2st::data
