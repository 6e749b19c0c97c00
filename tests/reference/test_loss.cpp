// The naive losses against values worked out by hand, their VJPs against complex steps.
#include <gtest/gtest.h>

#include "tests/reference/complex_step.h"
#include "tests/reference/loss.h"

namespace m2st::reference {
namespace {

// Cosines of the three rows: 0, 0.6 and -1.
const std::vector<double> kTarget = {1, 0, 3, 0, 1, 1};
const std::vector<double> kOutput = {0, 2, 3, 4, -2, -2};
// Rows whose cosine is not at an extreme, for derivatives.
const std::vector<double> kAnyOutput = {0.3, -0.7, 1.1, 0.4, -0.2, 0.9};

TEST(ReferenceLoss, ScaledCosineOfHandSizedRows) {
  // (1 + 0.16 + 4) / 3, then only the second row with gamma 1.
  EXPECT_NEAR(scaled_cosine_loss({0, 1, 2}, 2, kTarget, kOutput, 2), 1.72, 1e-15);
  EXPECT_NEAR(scaled_cosine_loss({1}, 1, kTarget, kOutput, 2), 0.4, 1e-15);
  EXPECT_EQ(scaled_cosine_loss({}, 2, kTarget, kOutput, 2), 0.0);
}

TEST(ReferenceLoss, ScaledCosineOfAZeroRowIsOne) {
  EXPECT_EQ(scaled_cosine_loss({0}, 2, {1, 2}, std::vector<double>{0, 0}, 2), 1.0);
}

TEST(ReferenceLoss, ScaledCosineVjpIsTheComplexStepDerivative) {
  for (const double gamma : {1.0, 2.0, 3.5}) {
    const std::vector<std::int32_t> rows = {2, 0};

    const std::vector<double> vjp =
        scaled_cosine_loss_vjp(rows, gamma, kTarget, kAnyOutput, 2, 1.5);

    expect_derivative(vjp, complex_step(
                               [&](const std::vector<Complex>& output) {
                                 return 1.5 * scaled_cosine_loss(rows, gamma, kTarget, output, 2);
                               },
                               kAnyOutput));
  }
}

TEST(ReferenceLoss, MeanSquareOfHandSizedRows) {
  // Rows 0 and 1: 1 + 4 + 0 + 16 over four entries.
  EXPECT_EQ(mse_loss({0, 1}, kTarget, kOutput, 2), 5.25);
}

TEST(ReferenceLoss, MeanSquareVjpIsTheComplexStepDerivative) {
  const std::vector<std::int32_t> rows = {1, 2};

  expect_derivative(mse_loss_vjp(rows, kTarget, kAnyOutput, 2, -0.5),
                    complex_step(
                        [&](const std::vector<Complex>& output) {
                          return -0.5 * mse_loss(rows, kTarget, output, 2);
                        },
                        kAnyOutput));
}

}  // namespace
}  // namespace m2st::reference
