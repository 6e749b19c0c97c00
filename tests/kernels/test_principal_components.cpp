// Principal components against a naive covariance and Jacobi rotations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "kernels/principal_components.h"
#include "test_backend.h"
#include "tests/reference/dense.h"
#include "tests/reference/eigen.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using reference::Dense;
using test::Backend;
using test::converted;
using test::random_dense;
using test::view_of;

// Variances of order 100 from sums of some hundred products.
constexpr double kTolerance = 1e-10;

struct Found {
  Found(std::int64_t components, const Dense<double>& x)
      : mean(static_cast<std::size_t>(x.cols)),
        axes(components, x.cols),
        variances(static_cast<std::size_t>(components)),
        scores(x.rows, components) {}
  std::vector<double> mean;
  Dense<double> axes;
  std::vector<double> variances;
  Dense<double> scores;
};

Found find(const Dense<double>& x, std::int64_t components, int threads) {
  Backend context(threads);
  Found out(components, x);
  kernels::principal_components<double>(context, view_of(x), out.mean, view_of(out.axes),
                                        out.variances);
  kernels::project<double, double>(context, view_of(x), out.mean, view_of(std::as_const(out.axes)),
                                   view_of(out.scores));
  return out;
}

// Normal numbers, column c stretched by c + 1 and shifted by 10 c, then mixed a little.
Dense<double> stretched(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Dense<double> x = random_dense<double>(rows, cols, seed);
  for (std::int64_t n = 0; n < rows; ++n) {
    for (std::int64_t c = cols - 1; c >= 0; --c) {
      x(n, c) =
          x(n, c) * static_cast<double>(c + 1) + 10.0 * static_cast<double>(c) + 0.3 * x(n, c / 2);
    }
  }
  return x;
}

void expect_orthonormal(const Dense<double>& axes) {
  const Dense<double> gram = reference::product(axes, reference::transposed(axes));
  for (std::int64_t i = 0; i < gram.rows; ++i) {
    for (std::int64_t j = 0; j < gram.cols; ++j) {
      EXPECT_NEAR(gram(i, j), i == j ? 1.0 : 0.0, kTolerance);
    }
  }
}

void expect_matches_reference(const Dense<double>& x, std::int64_t components) {
  const Found actual = find(x, components, 1);

  const auto expected = reference::symmetric_eigen(reference::covariance(x));
  const Dense<double> centred = reference::centred(x);
  for (std::int64_t i = 0; i < components; ++i) {
    double largest = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      if (std::abs(expected.vectors(i, c)) > std::abs(largest)) largest = expected.vectors(i, c);
    }
    const double sign = largest < 0 ? -1 : 1;
    EXPECT_NEAR(actual.variances[static_cast<std::size_t>(i)],
                expected.values[static_cast<std::size_t>(i)], kTolerance);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      EXPECT_NEAR(actual.axes(i, c), sign * expected.vectors(i, c), 1e-8) << i << " " << c;
    }
    for (std::int64_t n = 0; n < x.rows; ++n) {
      double score = 0;
      for (std::int64_t c = 0; c < x.cols; ++c) score += actual.axes(i, c) * centred(n, c);
      EXPECT_NEAR(actual.scores(n, i), score, kTolerance);
    }
  }
  expect_orthonormal(actual.axes);
}

TEST(PrincipalComponents, MatchReferenceWithMoreCellsThanFeatures) {
  expect_matches_reference(stretched(200, 9, 1), 9);
  expect_matches_reference(stretched(33, 32, 2), 5);
}

TEST(PrincipalComponents, MatchReferenceWithFewerCellsThanFeatures) {
  expect_matches_reference(stretched(8, 30, 3), 7);
}

TEST(PrincipalComponents, DirectionsWithoutVarianceAreCompleted) {
  for (const auto& [rows, cols] : {std::pair{40, 12}, {12, 40}}) {
    const Dense<double> x =
        reference::product(random_dense<double>(rows, 3, 4), random_dense<double>(3, cols, 5));

    const Found actual = find(x, 12, 1);

    expect_orthonormal(actual.axes);
    EXPECT_GT(actual.variances[2], 0.1);
    for (std::size_t i = 3; i < 12; ++i) {
      EXPECT_GE(actual.variances[i], 0.0);
      EXPECT_LE(actual.variances[i], kTolerance);
      for (std::int64_t n = 0; n < rows; ++n) {
        EXPECT_NEAR(actual.scores(n, static_cast<std::int64_t>(i)), 0.0, kTolerance);
      }
    }
  }
}

TEST(PrincipalComponents, ConstantFeaturesHaveNoVariance) {
  Dense<double> x(5, 2);
  std::fill(x.values.begin(), x.values.end(), 1e6);

  const Found actual = find(x, 2, 1);

  EXPECT_EQ(actual.variances, (std::vector<double>{0, 0}));
  EXPECT_EQ(actual.mean, (std::vector<double>{1e6, 1e6}));
  expect_orthonormal(actual.axes);
}

TEST(PrincipalComponents, OneCellHasItsMeanAndNoVariance) {
  Dense<double> x(1, 3);
  x.values = {1, 2, 3};

  const Found actual = find(x, 1, 1);

  EXPECT_EQ(actual.mean, x.values);
  EXPECT_EQ(actual.variances[0], 0.0);
  EXPECT_EQ(actual.scores(0, 0), 0.0);
}

TEST(PrincipalComponents, HandSizedExample) {
  Dense<double> x(3, 2);
  x.values = {1, 1, 3, 3, 5, 5};  // on the diagonal: variance 4 + 4 along (1, 1)/√2

  const Found actual = find(x, 2, 1);

  EXPECT_NEAR(actual.variances[0], 8.0, 1e-14);
  EXPECT_NEAR(actual.variances[1], 0.0, 1e-14);
  EXPECT_NEAR(actual.axes(0, 0), std::sqrt(0.5), 1e-14);
  EXPECT_NEAR(actual.axes(0, 1), std::sqrt(0.5), 1e-14);
  EXPECT_NEAR(actual.scores(2, 0), std::sqrt(8.0), 1e-14);
}

TEST(PrincipalComponents, FloatInputIsSummedInDouble) {
  const Dense<float> x = converted<float>(stretched(9000, 6, 6));  // more than one block
  const Found expected = find(converted<double>(x), 6, 1);
  Found actual(6, expected.axes);
  Backend context(1);

  kernels::principal_components<float>(context, view_of(x), actual.mean, view_of(actual.axes),
                                       actual.variances);

  EXPECT_EQ(actual.mean, expected.mean);
  EXPECT_EQ(actual.variances, expected.variances);
  EXPECT_EQ(actual.axes.values, expected.axes.values);
}

TEST(PrincipalComponents, NumberOfThreadsChangesNothing) {
  const Dense<double> x = stretched(20000, 17, 7);

  const Found one = find(x, 5, 1);

  for (int threads : {2, 5}) {
    const Found many = find(x, 5, threads);
    EXPECT_EQ(many.mean, one.mean);
    EXPECT_EQ(many.axes.values, one.axes.values);
    EXPECT_EQ(many.variances, one.variances);
    EXPECT_EQ(many.scores.values, one.scores.values);
  }
}

TEST(PrincipalComponents, TooManyComponentsAreNamed) {
  Dense<double> x(3, 2);

  try {
    find(x, 3, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "principal_components: components (got 3, need at most 2)");
  }
}

}  // namespace
}  // namespace m2st
