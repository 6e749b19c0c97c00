// Principal components as users meet them: shapes, order, limits. The mathematics is tested with
// the kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "data/prep/pca.h"
#include "engine/check.h"
#include "tests/reference/dense.h"
#include "tests/reference/eigen.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using test::converted;
using test::random_dense;
using test::view_of;

TEST(Pca, MatchesReference) {
  CpuContext context(1);
  auto x = random_dense<float>(150, 12, 1);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) x(n, c) *= static_cast<float>(1 + c);
  }
  const auto centred = reference::centred(converted<double>(x));
  const auto expected = reference::symmetric_eigen(reference::covariance(centred));

  const auto actual = data::principal_components<float>(context, view_of(std::as_const(x)), 5);

  ASSERT_EQ(actual.scores.rows(), 150);
  ASSERT_EQ(actual.scores.cols(), 5);
  for (std::int64_t i = 0; i < 5; ++i) {
    // Sums of 150 products of order 100.
    EXPECT_NEAR(actual.variances[static_cast<std::size_t>(i)],
                expected.values[static_cast<std::size_t>(i)], 1e-10);
    const auto axis = actual.axes.view().row(i);
    const auto [low, high] = std::minmax_element(axis.begin(), axis.end());
    EXPECT_GT(*high, -*low);
    for (std::int64_t n = 0; n < x.rows; ++n) {
      double score = 0;
      for (std::int64_t c = 0; c < x.cols; ++c)
        score += axis[static_cast<std::size_t>(c)] * centred(n, c);
      EXPECT_FLOAT_EQ(actual.scores(n, i), static_cast<float>(score));
    }
  }
}

TEST(Pca, ImpossibleNumbersOfComponentsAreExplained) {
  CpuContext context(1);
  const auto x = random_dense<double>(3, 9, 1);

  for (int components : {-1, 0, 4}) {
    try {
      data::principal_components<double>(context, view_of(x), components);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kParameterImpossible);
      EXPECT_NE(std::string(error.what()).find("3 cells with 9 features have between 1 and 3"),
                std::string::npos);
    }
  }
}

}  // namespace
}  // namespace m2st
