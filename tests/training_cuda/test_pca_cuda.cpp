// Principal components of counts whose dense algebra runs on a CUDA device, against the host's.
#include <gtest/gtest.h>

#include "data/prep/pca.h"
#include "engine/context.h"
#include "tests/data/sparse.h"

namespace m2st {
namespace {

// Eigenvalues near one another turn into each other by rounding over gap; components here are
// apart.
constexpr double kTolerance = 1e-8;
// Scores are rounded to float: 6e-8 of values up to 100.
constexpr double kScoreTolerance = 1e-5;

void expect_alike(int cells, int genes) {
  constexpr int kCount = 3;
  Context host = cpu_context(2);
  Context device = cuda_context(0, 2);
  const data::SparseMatrix x = test::sparse(test::random_counts(cells, genes, 0.4, 3));
  const data::SparseMatrix by_gene = data::transposed(host.host(), x);

  const auto expected = data::principal_components(host.host(), x, by_gene, kCount);
  const auto actual = data::principal_components(device.host(), x, by_gene, kCount, &device);

  for (int i = 0; i < kCount; ++i) {
    EXPECT_NEAR(actual.variances[i] / expected.variances[i], 1, kTolerance);
    for (int g = 0; g < genes; ++g) {
      EXPECT_NEAR(actual.axes(i, g), expected.axes(i, g), kTolerance) << i << ", " << g;
    }
    for (int n = 0; n < cells; ++n) {
      EXPECT_NEAR(actual.scores(n, i), expected.scores(n, i), kScoreTolerance) << i << ", " << n;
    }
  }
}

TEST(ComponentsOnCuda, MatchTheHostWithFewGenes) { expect_alike(60, 12); }
TEST(ComponentsOnCuda, MatchTheHostWithFewCells) { expect_alike(12, 60); }
TEST(ComponentsOnCuda, MatchTheHostByIteration) { expect_alike(200, 150); }

}  // namespace
}  // namespace m2st
