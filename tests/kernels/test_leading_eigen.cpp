// Leading eigenpairs against matrices whose eigenvalues are known and against the full solver.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/leading_eigen.h"
#include "kernels/linear_algebra.h"
#include "tests/reference/dense.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

using reference::Dense;
using test::view_of;

// Residuals are at 1e-10 of each value; values are then right to its square, up to rounding.
constexpr double kValueTolerance = 1e-12;
// A vector errs by residual over gap, and gaps below are at least 1e-4 of the value.
constexpr double kVectorTolerance = 1e-5;
constexpr double kOrthogonal = 1e-12;

struct Pairs {
  bool converged = false;
  std::vector<double> values;
  Dense<double> vectors;
};

Pairs leading(CpuContext& context, const Dense<double>& a, std::int64_t count) {
  Pairs pairs{false, std::vector<double>(static_cast<std::size_t>(count)),
              Dense<double>(count, a.rows)};
  const auto apply = [&](MatrixView<const double> x, MatrixView<double> out) {
    kernels::gemm<double>(context, kernels::Layout::kPlain, kernels::Layout::kPlain, 1.0, x,
                          view_of(a), 0.0, out);
  };
  pairs.converged =
      kernels::leading_eigen(context, a.rows, apply, pairs.values, view_of(pairs.vectors));
  return pairs;
}

Dense<double> diagonal(const std::vector<double>& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  Dense<double> a(n, n);
  for (std::int64_t i = 0; i < n; ++i) a(i, i) = values[static_cast<std::size_t>(i)];
  return a;
}

// Squares of a random matrix: a bulk of close eigenvalues, the hard part of real spectra.
Dense<double> covariance(CpuContext& context, std::int64_t cells, std::int64_t genes) {
  auto x = test::random_dense<double>(cells, genes, 7);
  for (std::int64_t i = 0; i < cells; ++i) {
    for (std::int64_t j = 0; j < genes; ++j) x(i, j) += 3 * std::sin(0.01 * double(i * (j % 5)));
  }
  Dense<double> a(genes, genes);
  kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                        view_of(std::as_const(x)), view_of(std::as_const(x)), 0.0, view_of(a));
  return a;
}

void expect_orthonormal(const Dense<double>& rows) {
  const auto products = reference::product(rows, reference::transposed(rows));
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    for (std::int64_t j = 0; j < rows.rows; ++j) {
      EXPECT_NEAR(products(i, j), i == j ? 1 : 0, kOrthogonal) << i << ", " << j;
    }
  }
}

TEST(LeadingEigen, MatchesTheFullSolver) {
  CpuContext context(2);
  const Dense<double> a = covariance(context, 900, 400);
  std::vector<double> values(400);
  Dense<double> vectors(400, 400);
  kernels::symmetric_eigen<double>(context, view_of(a), values, view_of(vectors));

  const Pairs pairs = leading(context, a, 40);

  ASSERT_TRUE(pairs.converged);
  expect_orthonormal(pairs.vectors);
  for (std::int64_t i = 0; i < 40; ++i) {
    EXPECT_NEAR(
        pairs.values[static_cast<std::size_t>(i)] / values[static_cast<std::size_t>(399 - i)], 1,
        kValueTolerance);
    double product = 0;
    for (std::int64_t c = 0; c < 400; ++c) product += pairs.vectors(i, c) * vectors(c, 399 - i);
    EXPECT_NEAR(product, 1, kVectorTolerance) << i;
  }
}

TEST(LeadingEigen, FindsEveryCopyOfARepeatedValue) {
  CpuContext context(1);
  std::vector<double> values(300, 1.0);
  for (int i = 0; i < 280; i += 3) values[static_cast<std::size_t>(i + 1)] = 0.5;
  for (int i = 0; i < 12; ++i) values[static_cast<std::size_t>(20 * i)] = 5.0;

  const Pairs pairs = leading(context, diagonal(values), 14);

  ASSERT_TRUE(pairs.converged);
  expect_orthonormal(pairs.vectors);
  for (std::size_t i = 0; i < 14; ++i) EXPECT_NEAR(pairs.values[i], i < 12 ? 5.0 : 1.0, 1e-9);
}

TEST(LeadingEigen, CompletesVectorsBeyondTheRank) {
  CpuContext context(1);
  std::vector<double> values(300, 0.0);
  values[7] = 3;
  values[200] = 2;

  const Pairs pairs = leading(context, diagonal(values), 5);

  ASSERT_TRUE(pairs.converged);
  expect_orthonormal(pairs.vectors);
  EXPECT_NEAR(pairs.vectors(0, 7), 1, kVectorTolerance);
  EXPECT_NEAR(pairs.vectors(1, 200), 1, kVectorTolerance);
  for (std::size_t i = 2; i < 5; ++i) EXPECT_NEAR(pairs.values[i], 0, 1e-12);
}

TEST(LeadingEigen, DoesNotDependOnThreads) {
  CpuContext one(1);
  const Dense<double> a = covariance(one, 500, 300);
  test::expect_same_bytes_for_any_threads(
      [&](CpuContext& context) { return leading(context, a, 10).vectors.values; });
}

TEST(LeadingEigen, SmallProblemsAreLeftToTheFullSolver) {
  EXPECT_FALSE(kernels::worth_iterating(0, 0));
  EXPECT_FALSE(kernels::worth_iterating(100, 50));
  EXPECT_TRUE(kernels::worth_iterating(2000, 50));
}

}  // namespace
}  // namespace m2st
