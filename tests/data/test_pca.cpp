// Principal components of sparse matrices, by each of the three ways to them.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "data/prep/pca.h"
#include "engine/check.h"
#include "tests/data/sparse.h"
#include "tests/reference/dense.h"
#include "tests/reference/eigen.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

using test::random_counts;
using test::sparse;
using test::view_of;

data::PrincipalComponents components_of(CpuContext& context, const data::SparseMatrix& x,
                                        int count) {
  return data::principal_components(context, x, data::transposed(context, x), count);
}

// Counts up to 30, sums of hundreds of their products.
constexpr double kVarianceTolerance = 1e-10;
// Scores are rounded to float: 6e-8 of values up to 100.
constexpr double kScoreTolerance = 1e-5;

void expect_components(const reference::Dense<float>& x, int count) {
  CpuContext context(2);
  const auto centred = reference::centred(test::converted<double>(x));
  const auto expected = reference::symmetric_eigen(reference::covariance(centred));

  const auto actual = components_of(context, sparse(x), count);

  ASSERT_EQ(actual.scores.rows(), x.rows);
  ASSERT_EQ(actual.scores.cols(), count);
  for (std::int64_t i = 0; i < count; ++i) {
    EXPECT_NEAR(actual.variances[static_cast<std::size_t>(i)],
                expected.values[static_cast<std::size_t>(i)], kVarianceTolerance);
    const auto axis = actual.axes.view().row(i);
    const auto [low, high] = std::minmax_element(axis.begin(), axis.end());
    EXPECT_GT(*high, -*low);
    double cosine = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      cosine += axis[static_cast<std::size_t>(c)] * expected.vectors(i, c);
    }
    EXPECT_NEAR(std::abs(cosine), 1, 1e-8);
    for (std::int64_t n = 0; n < x.rows; ++n) {
      double score = 0;
      for (std::int64_t c = 0; c < x.cols; ++c) {
        score += axis[static_cast<std::size_t>(c)] * centred(n, c);
      }
      EXPECT_NEAR(actual.scores(n, i), score, kScoreTolerance);
    }
  }
}

TEST(Pca, MatchesReferenceWithFewGenes) { expect_components(random_counts(150, 12, 0.4, 1), 5); }
TEST(Pca, MatchesReferenceWithFewCells) { expect_components(random_counts(14, 60, 0.4, 2), 6); }
TEST(Pca, MatchesReferenceWhereMostIsZero) {
  expect_components(random_counts(300, 40, 0.04, 3), 4);
}

TEST(Pca, ComponentsWithoutVarianceAreZero) {
  CpuContext context(1);
  reference::Dense<float> x(6, 40);
  for (std::int64_t i = 0; i < 6; ++i) x(i, 3) = static_cast<float>(i % 2);

  const auto actual = components_of(context, sparse(x), 4);

  EXPECT_NEAR(actual.variances[0], 0.3, 1e-14);
  for (std::int64_t c = 1; c < 4; ++c) {
    EXPECT_NEAR(actual.variances[static_cast<std::size_t>(c)], 0, 1e-14);
    for (std::int64_t i = 0; i < 6; ++i) EXPECT_NEAR(actual.scores(i, c), 0, 1e-7);
  }
}

// Too many cells and genes for either square matrix: the axes must still be eigenvectors.
TEST(Pca, WithoutASquareMatrixAxesAreEigenvectors) {
  constexpr std::int64_t kCells = 8300, kGenes = 8200;
  constexpr int kCount = 2;
  data::SparseMatrix x{kCells, kGenes, {0}, {}, {}};
  for (std::int64_t i = 0; i < kCells; ++i) {
    const std::int64_t group = i % 3;
    for (std::int64_t j = group; j < 12; j += 3) {
      x.indices.push_back(static_cast<std::int32_t>(j));
      x.values.push_back(static_cast<float>(5 + group + (i * 7 + j) % 2));
    }
    x.indices.push_back(static_cast<std::int32_t>(12 + i % (kGenes - 12)));
    x.values.push_back(1);
    x.offsets.push_back(x.entries());
  }
  CpuContext context(2);
  const data::SparseMatrix turned = data::transposed(context, x);

  const auto actual = data::principal_components(context, x, turned, kCount);

  EXPECT_GT(actual.variances[0], actual.variances[1]);
  for (int c = 0; c < kCount; ++c) {
    std::vector<double> scores(kCells), back(kGenes);
    for (std::int64_t i = 0; i < kCells; ++i) scores[i] = actual.scores(i, c);
    data::multiply(context, turned, {scores.data(), kCells, 1}, {back.data(), kGenes, 1});
    for (std::int64_t g = 0; g < kGenes; ++g) {
      // The scores are floats: 6e-8 of a sum of 8,300 terms up to 8.
      EXPECT_NEAR(back[g] / (kCells - 1), actual.variances[c] * actual.axes(c, g), 1e-5);
    }
  }
}

TEST(Pca, DoesNotDependOnThreads) {
  const data::SparseMatrix x = sparse(random_counts(700, 600, 0.1, 4));
  test::expect_same_bytes_for_any_threads([&](CpuContext& context) {
    const auto actual = components_of(context, x, 20);
    return std::vector<float>(actual.scores.span().begin(), actual.scores.span().end());
  });
}

TEST(Pca, TotalVarianceIsThatOfAllColumns) {
  CpuContext context(1);
  const auto x = random_counts(50, 7, 0.5, 5);
  const auto covariance = reference::covariance(reference::centred(test::converted<double>(x)));
  double expected = 0;
  for (std::int64_t c = 0; c < 7; ++c) expected += covariance(c, c);

  EXPECT_NEAR(data::total_variance(context, data::transposed(context, sparse(x))), expected, 1e-11);
}

TEST(Pca, ImpossibleNumbersOfComponentsAreExplained) {
  CpuContext context(1);
  const data::SparseMatrix x = sparse(random_counts(3, 9, 0.5, 1));

  for (int components : {-1, 0, 4}) {
    try {
      components_of(context, x, components);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kParameterImpossible);
      EXPECT_NE(std::string(error.what()).find("3 cells with 9 genes have between 1 and 3"),
                std::string::npos);
    }
  }
}

}  // namespace
}  // namespace m2st
