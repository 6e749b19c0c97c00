// The naive row movements, column statistics and Adam against values worked out by hand.
#include <gtest/gtest.h>

#include "tests/reference/adam.h"
#include "tests/reference/columns.h"
#include "tests/reference/complex_step.h"
#include "tests/reference/rows.h"

namespace m2st::reference {
namespace {

const std::vector<double> kX = {1, 2, 3, 4, 5, 6};  // 3 x 2

TEST(ReferenceRows, MoveRowsAsListed) {
  EXPECT_EQ(gather_rows({2, 0}, kX, 2), (std::vector<double>{5, 6, 1, 2}));
  EXPECT_EQ(scatter_add_rows({2, 0}, {10, 20, 30, 40}, kX, 2),
            (std::vector<double>{31, 42, 3, 4, 15, 26}));
  EXPECT_EQ(fill_rows({1}, {7, 8}, kX), (std::vector<double>{1, 2, 7, 8, 5, 6}));
}

TEST(ReferenceRows, GatherVjpIsScatterAdd) {
  const std::vector<double> weight = {0.5, -1, 2, 3};

  expect_derivative(scatter_add_rows({2, 0}, weight, std::vector<double>(6, 0.0), 2),
                    complex_step(
                        [&](const std::vector<Complex>& x) {
                          return weighted_sum(weight, gather_rows({2, 0}, x, 2));
                        },
                        kX));
}

TEST(ReferenceRows, FillVjpIsTheSumOfRows) {
  const std::vector<double> weight = {0.5, -1, 2, 3, 4, 5};

  expect_derivative(sum_of_rows({2, 0}, weight, 2),
                    complex_step(
                        [&](const std::vector<Complex>& row) {
                          const std::vector<Complex> x(kX.begin(), kX.end());
                          return weighted_sum(weight, fill_rows({2, 0}, row, x));
                        },
                        {7, 8}));
}

TEST(ReferenceRows, ScaledColumnsVjpIsTheDerivative) {
  const std::vector<double> weight = {0.5, -1, 2, 3, 4, 5};

  EXPECT_EQ(scale_columns(kX, {10, -1}), (std::vector<double>{10, -2, 30, -4, 50, -6}));
  expect_derivative(scale_columns_vjp(kX, {0, 0}, weight),
                    complex_step(
                        [&](const std::vector<Complex>& factors) {
                          const std::vector<Complex> x(kX.begin(), kX.end());
                          return weighted_sum(weight, scale_columns(x, factors));
                        },
                        {7, 8}));
}

TEST(ReferenceColumns, StatisticsOfAHandSizedMatrix) {
  const ColumnStatistics statistics = column_statistics(kX, 2, 1);

  EXPECT_EQ(statistics.sum, (std::vector<double>{9, 12}));
  EXPECT_EQ(statistics.mean, (std::vector<double>{3, 4}));
  EXPECT_EQ(statistics.variance, (std::vector<double>{4, 4}));
  EXPECT_EQ(statistics.minimum, (std::vector<double>{1, 2}));
  EXPECT_EQ(statistics.maximum, (std::vector<double>{5, 6}));
}

TEST(ReferenceColumns, ScalingsOfHandSizedMatrices) {
  EXPECT_EQ(normalise_rows({3, 4, 0, 0}, 2), (std::vector<double>{0.6, 0.8, 0, 0}));
  EXPECT_EQ(min_max_columns({1, 7, 3, 7, 2, 7}, 2), (std::vector<double>{0, 0, 1, 0, 0.5, 0}));
}

// The first step moves by the learning rate against the gradient's sign, whatever its size.
TEST(ReferenceAdam, FirstStepIsTheLearningRate) {
  AdamState state{{0, 0}, {0, 0}, {1, 1}};

  adam_step({0.1, 0.9, 0.999, 0, 0, false}, 1, {100, -0.01}, state);

  EXPECT_NEAR(state.parameters[0], 0.9, 1e-14);
  EXPECT_NEAR(state.parameters[1], 1.1, 1e-14);
}

TEST(ReferenceAdam, DecoupledDecayShrinksWithoutAGradient) {
  AdamState state{{0}, {0}, {2}};

  adam_step({0.1, 0.9, 0.999, 1e-8, 0.5, true}, 1, {0}, state);

  EXPECT_NEAR(state.parameters[0], 2 - 0.1 * 0.5 * 2, 1e-15);
}

}  // namespace
}  // namespace m2st::reference
