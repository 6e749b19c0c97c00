// From many mixtures to one partition: the start by division, the joining of components, the vote.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cluster/component_merging.h"
#include "cluster/consensus.h"
#include "cluster/divisive_start.h"
#include "cluster/kmeans.h"
#include "cluster/metrics/agreement.h"
#include "tests/cluster/blobs.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using reference::Dense;
using test::view_of;
using Labels = std::vector<std::int32_t>;

TEST(DivisiveCentres, CutALineWhereItsMeanIs) {
  CpuContext context(1);
  Dense<double> x(4, 1);
  x.values = {0, 1, 9, 10};

  const auto two = cluster::divisive_centres(context, view_of(x), 2);
  std::vector<double> places(two.span().begin(), two.span().end());
  std::sort(places.begin(), places.end());

  EXPECT_EQ(places, (std::vector<double>{0.5, 9.5}));
}

TEST(DivisiveCentres, StartKMeansInEveryBlob) {
  CpuContext context(2);
  const auto x = test::blobs(700, 7, 5, 30, 1);
  const auto centres = cluster::divisive_centres(context, view_of(x), 7);
  Matrix<double> copy(context.pool(), 7, 5);
  std::copy(centres.span().begin(), centres.span().end(), copy.span().begin());

  const auto found = cluster::lloyd(context, view_of(x), std::move(copy), {.domains = 7});

  EXPECT_TRUE(test::recovers_blobs(found.labels, 7));
}

TEST(DivisiveCentres, AreTheSameForAnyNumberOfThreads) {
  const auto x = test::random_dense<double>(9000, 6, 3);
  CpuContext one(1), many(5);
  const auto a = cluster::divisive_centres(one, view_of(x), 9);
  const auto b = cluster::divisive_centres(many, view_of(x), 9);

  EXPECT_TRUE(std::equal(a.span().begin(), a.span().end(), b.span().begin()));
}

TEST(DivisiveCentres, RepeatTheMeanWhereCellsCoincide) {
  CpuContext context(1);
  Dense<double> x(5, 2);
  std::fill(x.values.begin(), x.values.end(), 3.0);

  const auto centres = cluster::divisive_centres(context, view_of(x), 4);

  for (const double value : centres.span()) EXPECT_EQ(value, 3.0);
}

// Components 0 and 1 share their cells, 2 and 3 hardly any.
Dense<double> overlapping() {
  Dense<double> r(6, 4);
  r.values = {0.5, 0.5, 0, 0, 0.6, 0.4, 0, 0, 0.4, 0.6, 0,   0,
              0,   0,   1, 0, 0,   0,   0, 1, 0,   0,   0.1, 0.9};
  return r;
}

TEST(ComponentMerging, JoinsThoseThatClaimTheSameCells) {
  CpuContext context(1);
  const auto r = overlapping();

  const auto three = cluster::merge_components(context, view_of(r), 3);
  EXPECT_EQ(three, (Labels{0, 0, 1, 2}));
  EXPECT_EQ(cluster::labels_of_groups(context, view_of(r), three, 3), (Labels{0, 0, 0, 1, 2, 2}));
  EXPECT_EQ(cluster::merge_components(context, view_of(r), 2), (Labels{0, 0, 1, 1}));
  EXPECT_EQ(cluster::merge_components(context, view_of(r), 4), (Labels{0, 1, 2, 3}));
  EXPECT_EQ(cluster::merge_components(context, view_of(r), 1), (Labels{0, 0, 0, 0}));
}

TEST(ComponentMerging, TakesAwayComponentsWithoutCellsFirst) {
  CpuContext context(1);
  Dense<double> r(4, 3);
  r.values = {0.5, 0, 0.5, 0.5, 0, 0.5, 0.9, 0, 0.1, 0.1, 0, 0.9};

  const auto groups = cluster::merge_components(context, view_of(r), 2);

  EXPECT_NE(groups[0], groups[2]);
}

TEST(Consensus, NamesDoNotMatter) {
  CpuContext context(2);
  const Labels a{0, 0, 1, 1, 2, 2}, renamed{2, 2, 0, 0, 1, 1};

  const auto found = cluster::find_consensus(context, {a, renamed, a}, 3);

  EXPECT_EQ(found.labels, a);
  EXPECT_EQ(found.share, std::vector<float>(6, 1.0f));
  EXPECT_DOUBLE_EQ(found.agreement, 1.0);
}

TEST(Consensus, TheMajorityDecidesEachCellAndTheShareSaysHowLarge) {
  CpuContext context(1);
  const Labels a{0, 0, 0, 1, 1, 1, 1, 1}, b{0, 0, 0, 0, 1, 1, 1, 1};
  Labels c;  // b under other names
  for (const std::int32_t label : b) c.push_back(1 - label);

  const auto found = cluster::find_consensus(context, {a, b, c}, 2);

  EXPECT_EQ(found.labels[0], found.labels[3]);
  EXPECT_NE(found.labels[0], found.labels[4]);
  EXPECT_FLOAT_EQ(found.share[3], 2.0f / 3);
  EXPECT_FLOAT_EQ(found.share[0], 1.0f);
}

TEST(Consensus, NeverLosesADomain) {
  CpuContext context(1);
  const Labels three{0, 0, 0, 0, 1, 1, 1, 2}, two{0, 0, 0, 0, 1, 1, 1, 1};

  const auto found = cluster::find_consensus(context, {two, three, two, two}, 3);

  EXPECT_EQ(found.labels, three);
  EXPECT_FLOAT_EQ(found.share[7], 0.25f);
}

TEST(AdjustedRandIndex, OfATableEqualsThatOfLabels) {
  const Labels a{0, 0, 1, 1, 2, 2, 2, 0}, b{0, 1, 1, 1, 0, 0, 0, 0};
  CpuContext context(1);
  Matrix<std::int64_t> table(context.pool(), 3, 4);
  std::fill(table.span().begin(), table.span().end(), 0);
  for (std::size_t n = 0; n < a.size(); ++n) ++table(a[n], b[n]);

  EXPECT_DOUBLE_EQ(cluster::adjusted_rand_index(table.view()), cluster::agreement(a, b).ari);
}

}  // namespace
}  // namespace m2st
