// Activations against the naive reference, float and double.
#include <gtest/gtest.h>

#include "kernels/activation.h"
#include "test_backend.h"
#include "tests/reference/activation.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::near;
using test::on_any_threads;
using test::random_values;

// Around a vector's width, and past two chunks of a loop.
constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 1000, 70001};
// One multiplication or exponential an element; sums over elements are kept in double.
template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 2e-7 : 1e-15;

template <class T>
std::vector<double> widen(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

template <class T>
class Activation : public ::testing::Test {
 protected:
  Backend context_{1};
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Activation, Types);

TYPED_TEST(Activation, PreluMatchesReference) {
  using T = TypeParam;
  const std::vector<T> slope = {T(0.25)};
  for (const std::int64_t size : kSizes) {
    const std::vector<T> x = random_values<T>(size, 1);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(x.size());
      prelu<T>(context, x, slope, result);
      return result;
    });

    EXPECT_TRUE(near(out, reference::prelu(widen(x), 0.25), test::relative_error(kRounding<T>)));
  }
}

TYPED_TEST(Activation, PreluInPlaceMatchesOutOfPlace) {
  using T = TypeParam;
  const std::vector<T> slope = {T(0.25)};
  std::vector<T> x = random_values<T>(1001, 2);
  std::vector<T> out(x.size());
  prelu<T>(this->context_, x, slope, out);

  prelu<T>(this->context_, x, slope, x);

  EXPECT_EQ(x, out);
}

TYPED_TEST(Activation, PreluBackwardMatchesReference) {
  using T = TypeParam;
  const std::vector<T> slope = {T(0.25)};
  for (const std::int64_t size : kSizes) {
    const std::vector<T> x = random_values<T>(size, 3);
    const std::vector<T> grad_out = random_values<T>(size, 4);

    // The slope's gradient goes behind x's.
    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(x.size() + 1);
      const Span<T> all(result);
      prelu_backward<T>(context, x, slope, grad_out, all.first(x.size()), Accumulate::kOverwrite,
                        all.last(1), Accumulate::kOverwrite);
      return result;
    });

    const reference::PreluGrad grad = reference::prelu_vjp(widen(x), 0.25, widen(grad_out));
    EXPECT_TRUE(
        near(Span<const T>(out).first(x.size()), grad.x, test::relative_error(kRounding<T>)));
    EXPECT_NEAR(out.back(), grad.slope, kRounding<T> * (1 + 0.5 * size));
  }
}

TYPED_TEST(Activation, PreluBackwardAddsWhenAsked) {
  using T = TypeParam;
  const std::vector<T> x = {T(-2), T(3)};
  const std::vector<T> slope = {T(0.5)};
  const std::vector<T> grad_out = {T(4), T(8)};
  std::vector<T> grad_x = {T(100), T(200)};
  std::vector<T> grad_slope = {T(1000)};

  prelu_backward<T>(this->context_, x, slope, grad_out, grad_x, Accumulate::kAdd, grad_slope,
                    Accumulate::kAdd);

  EXPECT_EQ(grad_x, (std::vector<T>{T(102), T(208)}));
  EXPECT_EQ(grad_slope, std::vector<T>{T(992)});
}

TYPED_TEST(Activation, PreluBackwardMayOverwriteItsGradient) {
  using T = TypeParam;
  const std::vector<T> slope = {T(0.5)};
  const std::vector<T> x = random_values<T>(1001, 5);
  std::vector<T> grad = random_values<T>(1001, 6);
  std::vector<T> grad_x(x.size());
  std::vector<T> grad_slope(1), in_place_slope(1);
  prelu_backward<T>(this->context_, x, slope, grad, grad_x, Accumulate::kOverwrite, grad_slope,
                    Accumulate::kOverwrite);

  prelu_backward<T>(this->context_, x, slope, grad, grad, Accumulate::kOverwrite, in_place_slope,
                    Accumulate::kOverwrite);

  EXPECT_EQ(grad, grad_x);
  EXPECT_EQ(in_place_slope, grad_slope);
}

TYPED_TEST(Activation, ZeroTakesTheSlopesSide) {
  using T = TypeParam;
  const std::vector<T> zero = {T(0)};
  const std::vector<T> one = {T(1)};
  std::vector<T> grad(1);

  leaky_relu_backward<T>(this->context_, zero, T(0.125), one, grad, Accumulate::kOverwrite);

  EXPECT_EQ(grad[0], T(0.125));
}

TYPED_TEST(Activation, LeakyReluMatchesPrelu) {
  using T = TypeParam;
  const std::vector<T> slope = {T(0.2)};
  const std::vector<T> x = random_values<T>(33, 7);
  std::vector<T> expected(x.size()), out(x.size());
  prelu<T>(this->context_, x, slope, expected);

  leaky_relu<T>(this->context_, x, T(0.2), out);

  EXPECT_EQ(out, expected);
}

TYPED_TEST(Activation, EluAndItsBackwardMatchReference) {
  using T = TypeParam;
  for (const std::int64_t size : kSizes) {
    const std::vector<T> x = random_values<T>(size, 8);
    const std::vector<T> grad_out = random_values<T>(size, 9);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(x.size());
      elu<T>(context, x, result);
      return result;
    });
    const std::vector<T> grad = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(x.size(), T(1));
      elu_backward<T>(context, x, grad_out, result, Accumulate::kAdd);
      return result;
    });

    std::vector<double> expected = reference::elu_vjp(widen(x), widen(grad_out));
    for (double& value : expected) value += 1;
    EXPECT_TRUE(near(out, reference::elu(widen(x)), test::relative_error(kRounding<T>)));
    EXPECT_TRUE(near(grad, expected, test::relative_error(kRounding<T>)));
  }
}

}  // namespace
}  // namespace m2st::kernels
