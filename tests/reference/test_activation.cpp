// The naive activations against values worked out by hand, their VJPs against complex steps.
#include <gtest/gtest.h>

#include "tests/reference/activation.h"
#include "tests/reference/complex_step.h"

namespace m2st::reference {
namespace {

const std::vector<double> kX = {-2.0, 0.5, -0.25, 3.0};
const std::vector<double> kWeight = {1.0, -2.0, 0.5, 4.0};

TEST(ReferenceActivation, PreluScalesTheNegativeSide) {
  EXPECT_EQ(prelu(kX, 0.25), (std::vector<double>{-0.5, 0.5, -0.0625, 3.0}));
  EXPECT_EQ(prelu<double>({0.0}, 0.25), std::vector<double>{0.0});
}

TEST(ReferenceActivation, PreluVjpIsTheComplexStepDerivative) {
  const PreluGrad grad = prelu_vjp(kX, 0.25, kWeight);

  expect_derivative(grad.x, complex_step(
                                [](const std::vector<Complex>& x) {
                                  return weighted_sum(kWeight, prelu(x, Complex(0.25)));
                                },
                                kX));
  expect_derivative({grad.slope}, complex_step(
                                      [](const std::vector<Complex>& slope) {
                                        const std::vector<Complex> x(kX.begin(), kX.end());
                                        return weighted_sum(kWeight, prelu(x, slope[0]));
                                      },
                                      {0.25}));
}

TEST(ReferenceActivation, EluIsExponentialBelowZero) {
  const std::vector<double> out = elu<double>({-1.0, 2.0});

  EXPECT_NEAR(out[0], -0.63212055882855768, 1e-15);
  EXPECT_EQ(out[1], 2.0);
}

TEST(ReferenceActivation, EluVjpIsTheComplexStepDerivative) {
  expect_derivative(
      elu_vjp(kX, kWeight),
      complex_step([](const std::vector<Complex>& x) { return weighted_sum(kWeight, elu(x)); },
                   kX));
}

}  // namespace
}  // namespace m2st::reference
