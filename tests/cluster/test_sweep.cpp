// The sweep over option sets: its grid, that rows depend on their option set alone, the choice.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/metrics/separation.h"
#include "cluster/reduced_solver.h"
#include "cluster/sweep.h"
#include "engine/check.h"
#include "tests/cluster/blobs.h"
#include "tests/support/expect_error.h"

namespace m2st::cluster {
namespace {

using m2st::test::expect_error;

constexpr std::int64_t kCells = 120;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Tissue {
  explicit Tissue(CpuContext& context) {
    for (const std::int64_t width : {9, 5}) {
      const auto dense = m2st::test::blobs(kCells, 3, width, 6, static_cast<std::uint64_t>(width));
      scales.emplace_back(context.pool(), kCells, width);
      std::copy(dense.values.begin(), dense.values.end(), scales.back().span().begin());
    }
    for (std::int64_t i = 0; i < kCells; ++i) truth.push_back(static_cast<std::int32_t>(i % 3));
  }
  SweepInput input() const { return {{scales[0].view(), scales[1].view()}, {}, truth}; }

  std::vector<Matrix<float>> scales;
  std::vector<std::int32_t> truth;
};

SweepOptions small_options() {
  SweepOptions options;
  options.clusters = 3;
  options.iterations = 8;
  options.seed = 2;
  return options;
}

SweepGrid small_grid() { return {{0.1, 10}, {1e-3}, {0.01, 0.1}, {2, 4}}; }

std::vector<SweepRow> rows_of(const Sweep& sweep, const std::vector<OptionSet>& sets) {
  std::vector<SweepRow> rows(sets.size());
  sweep.run(sets, [&](std::size_t i, const SweepRow& row, const SweepSolution&) { rows[i] = row; },
            {});
  return rows;
}

// One cluster has no silhouette.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

SweepRow row_with(std::vector<std::int64_t> sizes, double ari, double silhouette, double pas) {
  SweepRow row;
  row.sizes = std::move(sizes);
  row.silhouette = silhouette;
  row.pas = pas;
  row.agreement.cells = 10;
  row.agreement.ari = ari;
  return row;
}

TEST(SweepGrid, PapersHasEveryCombinationOnce) {
  const std::vector<OptionSet> sets = option_sets(paper_grid());
  EXPECT_EQ(sets.size(), 8 * 5 * 8 * 10);
  const OptionSet first{1e-5, 1e-5, 1e-5, 10}, last{100, 0.1, 100, 100};
  EXPECT_EQ(sets.front(), first);
  EXPECT_EQ(sets.back(), last);
}

// The published option sets of six data sets (lambda1, lambda2, lambda3, specific_dim).
TEST(SweepGrid, PapersHoldsThePublishedChoices) {
  const std::vector<OptionSet> sets = option_sets(paper_grid());
  for (const OptionSet& published :
       {OptionSet{100, 1e-5, 0.1, 40}, OptionSet{1e-5, 1e-5, 1e-3, 40}, OptionSet{0.1, 0.1, 1, 20},
        OptionSet{1e-5, 1e-4, 0.01, 90}, OptionSet{10, 0.01, 0.1, 20},
        OptionSet{1e-5, 1e-4, 10, 100}}) {
    EXPECT_NE(std::find(sets.begin(), sets.end(), published), sets.end());
  }
}

TEST(SweepGrid, RepeatedValuesCountOnce) {
  EXPECT_EQ(option_sets({{1, 1}, {2}, {3, 3, 4}, {5}}).size(), 2);
}

TEST(Sweep, RowIsThatOfASingleRun) {
  CpuContext context(2);
  const Tissue tissue(context);
  const Sweep sweep(context, tissue.input(), small_options(), {});
  const OptionSet set{0.1, 1e-3, 0.01, 4};

  const SweepRow row = rows_of(sweep, {set}).front();

  ReferenceOptions options;
  options.clusters = 3;
  options.iterations = 8;
  options.seed = 2;
  options.lambda1 = set.lambda1;
  options.lambda2 = set.lambda2;
  options.lambda3 = set.lambda3;
  options.specific_dim = set.specific_dim;
  const ReferenceState state =
      reference_clustering(context, {tissue.scales[0].view(), tissue.scales[1].view()}, options);
  EXPECT_EQ(row.agreement.ari, agreement(state.labels, tissue.truth).ari);
  EXPECT_NEAR(row.silhouette, silhouette_squared(context, tissue.scales[0].view(), state.labels),
              1e-12);
  EXPECT_EQ(std::accumulate(row.sizes.begin(), row.sizes.end(), std::int64_t{0}), kCells);
  EXPECT_TRUE(std::isnan(row.pas));
  EXPECT_EQ(row.iterations, 8);
}

TEST(Sweep, RowsDoNotDependOnGridOrThreads) {
  CpuContext one(1), four(4);
  for (const SweepSolver solver : {SweepSolver::kReference, SweepSolver::kMonotone}) {
    SweepOptions options = small_options();
    options.solver = solver;
    const Tissue tissue(one), again(four);
    const std::vector<OptionSet> sets = option_sets(small_grid());
    const std::vector<SweepRow> all = rows_of(Sweep(four, again.input(), options, {}), sets);
    const Sweep alone(one, tissue.input(), options, {});
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const SweepRow row = rows_of(alone, {sets[i]}).front();
      EXPECT_EQ(row.sizes, all[i].sizes);
      EXPECT_EQ(row.objective, all[i].objective);
      EXPECT_TRUE(same(row.silhouette, all[i].silhouette));
      EXPECT_EQ(row.agreement.ari, all[i].agreement.ari);
    }
  }
}

// The sets of one specific_dim are a batch.
TEST(Sweep, StopsBeforeTheNextBatch) {
  CpuContext context(1);
  const Tissue tissue(context);
  const Sweep sweep(context, tissue.input(), small_options(), {});
  const std::vector<OptionSet> sets = option_sets(small_grid());
  std::size_t done = 0;
  sweep.run(
      sets, [&](std::size_t, const SweepRow&, const SweepSolution&) { ++done; },
      [&] { return done > 0; });
  EXPECT_EQ(done, sets.size() / 2);
}

// More than one batch, the last one smaller.
TEST(Sweep, BatchesGiveTheRowsOfSingleRuns) {
  CpuContext context(1);
  const Tissue tissue(context);
  for (const SweepPrecision precision : {SweepPrecision::kDouble, SweepPrecision::kFloat}) {
    SweepOptions options = small_options();
    options.precision = precision;
    const Sweep sweep(context, tissue.input(), options, {});
    const std::vector<OptionSet> sets =
        option_sets({{1e-3, 0.01, 0.1, 1, 10}, {1e-4, 1e-3, 0.01}, {0.01, 0.1, 1}, {4}});

    const std::vector<SweepRow> rows = rows_of(sweep, sets);

    for (std::size_t i = 0; i < sets.size(); ++i) {
      const SweepSolution alone = sweep.solve(sets[i]);
      EXPECT_EQ(rows[i].objective, alone.objective.total());
      EXPECT_EQ(rows[i].agreement.ari, agreement(alone.labels, tissue.truth).ari);
    }
  }
}

// Far from any tie: 24 bits tell the clusters of these cells apart as well as 53.
TEST(Sweep, FloatPassesGiveTheSameLabels) {
  CpuContext context(1);
  const Tissue tissue(context);
  SweepOptions options = small_options();
  const Sweep in_double(context, tissue.input(), options, {});
  options.precision = SweepPrecision::kFloat;
  const Sweep in_float(context, tissue.input(), options, {});
  for (const OptionSet& set : option_sets(small_grid())) {
    EXPECT_EQ(in_float.solve(set).labels, in_double.solve(set).labels);
  }
}

TEST(Sweep, GivenStartReplacesTheRandomOne) {
  CpuContext context(1);
  const Tissue tissue(context);
  SweepOptions options = small_options();
  const auto data = reference_data<float>(context, tissue.input().embeddings, true);
  ReferenceOptions start;
  start.clusters = 3;
  start.specific_dim = 4;
  start.seed = 77;
  const OptionSet set{0.1, 1e-3, 0.01, 4};
  const Sweep given(context, tissue.input(), options, initial_state(context, data, start));
  options.seed = 77;
  const Sweep seeded(context, tissue.input(), options, {});
  EXPECT_EQ(given.solve(set).labels, seeded.solve(set).labels);
}

TEST(Sweep, RefusesMoreDomainsThanCellsThatDiffer) {
  CpuContext context(1);
  Matrix<float> x(context.pool(), 6, 2);
  for (std::int64_t i = 0; i < 6; ++i) x(i, 0) = x(i, 1) = static_cast<float>(i % 2);
  SweepOptions options = small_options();
  options.clusters = 2;
  const Sweep sweep(context, {{x.view()}, {}, {}}, options, {});
  EXPECT_EQ(sweep.solve({0.1, 0.1, 0.1, 2}).labels.size(), 6u);
  options.clusters = 3;
  expect_error(ExitCode::kParameterImpossible, {"3 domains", "only 2 of the 6 cells differ"}, [&] {
    Sweep(context, {{x.view()}, {}, {}}, options, {});
  });
  options.clusters = 7;
  expect_error(ExitCode::kParameterImpossible, {"7 domains for 6 cells"}, [&] {
    Sweep(context, {{x.view()}, {}, {}}, options, {});
  });
}

TEST(BestRow, LooksOnlyAtRowsWithAllClusters) {
  const std::vector<SweepRow> rows = {
      row_with({5, 5, 0}, 0.9, 0.9, 0.0), row_with({4, 3, 3}, 0.4, 0.3, 0.2),
      row_with({8, 1, 1}, 0.5, kNaN, 0.3), row_with({4, 4, 2}, 0.5, 0.2, 0.1)};
  EXPECT_EQ(best_row(rows, Criterion::kTruth), 2);
  EXPECT_EQ(best_row(rows, Criterion::kSilhouette), 1);
  EXPECT_EQ(best_row(rows, Criterion::kPas), 3);
  EXPECT_EQ(best_row({rows[0]}, Criterion::kTruth), -1);
  EXPECT_EQ(best_row({}, Criterion::kTruth), -1);
}

}  // namespace
}  // namespace m2st::cluster
