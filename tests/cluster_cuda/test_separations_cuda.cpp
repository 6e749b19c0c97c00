// Scores of several labelings on a CUDA device: the CPU's, one labeling after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cluster/metrics/separation.h"
#include "cluster/solver_memory.h"
#include "engine/context.h"
#include "engine/placement.h"
#include "tests/support/random_dense.h"

namespace m2st::cluster {
namespace {

constexpr double kRounding = 1e-12;  // sums of some hundred terms in another order

using Labels = std::vector<std::int32_t>;

// Label of cell i: (i · step) mod kinds, less `out`.
Labels stripes(std::int64_t cells, std::int32_t step, std::int32_t kinds, std::int32_t out) {
  Labels labels;
  for (std::int32_t i = 0; i < cells; ++i) labels.push_back(i * step % kinds - out);
  return labels;
}

void expect_near_or_both_undefined(double got, double want) {
  EXPECT_EQ(std::isnan(got), std::isnan(want));
  if (std::isnan(want)) return;
  EXPECT_NEAR(got, want, kRounding * std::max(1.0, std::abs(want)));
}

class SeparationsOnCuda : public testing::Test {
 protected:
  void expect_the_cpus(const reference::Dense<float>& x, const std::vector<Labels>& sets,
                       std::int64_t clusters) {
    Labels all;
    for (const Labels& labels : sets) all.insert(all.end(), labels.begin(), labels.end());
    Placement placement(device_);
    const MatrixView<const float> there = placement.place(test::view_of(x));

    const std::vector<Separation> got =
        separations(device_, there, {all.data(), std::ssize(sets), x.rows}, clusters);

    ASSERT_EQ(got.size(), sets.size());
    for (std::size_t s = 0; s < sets.size(); ++s) {
      SCOPED_TRACE(s);
      const Separation want = separation(device_.host(), test::view_of(x), sets[s]);
      expect_near_or_both_undefined(got[s].silhouette_squared, want.silhouette_squared);
      expect_near_or_both_undefined(got[s].davies_bouldin, want.davies_bouldin);
      expect_near_or_both_undefined(got[s].calinski_harabasz, want.calinski_harabasz);
    }
  }

  Context device_ = cuda_context(0, 2);
};

// All in one cluster, some left out, clusters without cells, most cells alone, nobody labelled.
TEST_F(SeparationsOnCuda, AreTheCpusForAnyLabels) {
  const auto x = test::random_dense<float>(130, 9, 1);

  expect_the_cpus(x,
                  {stripes(130, 7, 5, 0), stripes(130, 1, 1, 0), stripes(130, 3, 7, 1),
                   stripes(130, 2, 8, 0), stripes(130, 1, 129, 0), stripes(130, 1, 1, 1)},
                  130);
}

TEST_F(SeparationsOnCuda, OfAnyNumberOfLabelingsAreTheCpus) {
  const auto x = test::random_dense<float>(1100, 5, 2);
  for (const std::int32_t count : {0, 1, 3, 64}) {
    std::vector<Labels> sets;
    for (std::int32_t s = 0; s < count; ++s) sets.push_back(stripes(1100, 1 + s, 6, 0));

    expect_the_cpus(x, sets, 6);
  }
}

TEST_F(SeparationsOnCuda, CellsThatDoNotDifferHaveDefinedScores) {
  reference::Dense<float> x(40, 3);
  std::fill(x.values.begin(), x.values.end(), 2.5f);

  expect_the_cpus(x, {stripes(40, 1, 2, 0)}, 2);
}

TEST_F(SeparationsOnCuda, MemoryStaysWithinItsPlan) {
  for (const std::int64_t cells : {30, 2100, 9000}) {
    for (const std::int64_t sets : {1, 9}) {
      const auto x = test::random_dense<float>(cells, 12, 3);
      const Labels labels = stripes(cells * sets, 5, 7, 0);
      Placement placement(device_);
      const MatrixView<const float> there = placement.place(test::view_of(x));
      device_.pool().trim();
      device_.pool().reset_peak();
      const std::size_t before = device_.pool().in_use();

      separations(device_, there, {labels.data(), sets, cells}, 7);

      const SolverShape shape{cells, {12}, 3, 7, 7, sizeof(double)};
      EXPECT_LE(static_cast<std::int64_t>(device_.pool().peak() - before),
                score_bytes(shape, sets));
    }
  }
}

}  // namespace
}  // namespace m2st::cluster
