// Losses against the naive reference, float and double.
#include <gtest/gtest.h>

#include "kernels/loss.h"
#include "test_backend.h"
#include "tests/reference/loss.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::near;
using test::on_any_threads;
using test::random_values;

// Sums are kept in double; a gradient has a handful of operations in T.
template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 1e-6 : 1e-14;

// The reference adds its 100 000 terms one by one.
constexpr double kReferenceSum = 1e-13;

template <class T>
struct Problem {
  std::int64_t rows, cols;
  std::vector<T> target, output;
  std::vector<std::int32_t> listed;  // every other row

  Problem(std::int64_t n, std::int64_t d)
      : rows(n), cols(d), target(random_values<T>(n * d, 1)), output(random_values<T>(n * d, 2)) {
    for (std::int64_t r = n - 1; r >= 0; r -= 2) listed.push_back(static_cast<std::int32_t>(r));
  }
  MatrixView<const T> target_view() const { return {target.data(), rows, cols}; }
  MatrixView<const T> output_view() const { return {output.data(), rows, cols}; }
  std::vector<double> wide_target() const { return {target.begin(), target.end()}; }
  std::vector<double> wide_output() const { return {output.begin(), output.end()}; }
};

// Rows and columns: none, one, around a vector's width, several chunks of rows.
constexpr std::int64_t kShapes[][2] = {{0, 5},  {1, 1},  {7, 31},   {7, 32},
                                       {8, 33}, {9, 16}, {700, 300}};

template <class T>
class Loss : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Loss, Types);

TYPED_TEST(Loss, ScaledCosineMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    for (const double gamma : {1.0, 2.0, 2.5}) {
      const Problem<T> problem(rows, cols);

      const std::vector<double> loss = on_any_threads<Backend>([&](Backend& context) {
        return std::vector<double>{scaled_cosine_loss<T>(
            context, problem.listed, gamma, problem.target_view(), problem.output_view())};
      });

      // One column: the cosine is ±1 and the loss may be zero up to rounding.
      EXPECT_NEAR(loss[0],
                  reference::scaled_cosine_loss(problem.listed, gamma, problem.wide_target(),
                                                problem.wide_output(), cols),
                  1e-14);
    }
  }
}

TYPED_TEST(Loss, ScaledCosineBackwardMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    if (cols == 1) continue;  // the gradient is zero there, and all of it rounding
    for (const double gamma : {1.0, 2.0, 2.5}) {
      const Problem<T> problem(rows, cols);

      const std::vector<T> grad = on_any_threads<Backend>([&](Backend& context) {
        std::vector<T> result(problem.output.size(), T(77));
        scaled_cosine_loss_backward<T>(context, problem.listed, gamma, problem.target_view(),
                                       problem.output_view(), 0.5, {result.data(), rows, cols},
                                       Accumulate::kOverwrite);
        return result;
      });

      EXPECT_TRUE(
          near(grad,
               reference::scaled_cosine_loss_vjp(problem.listed, gamma, problem.wide_target(),
                                                 problem.wide_output(), cols, 0.5),
               test::relative_error(kRounding<T>), cols));
    }
  }
}

TYPED_TEST(Loss, ScaledCosineOfZeroRowsIsFinite) {
  using T = TypeParam;
  Backend context(1);
  const std::vector<std::int32_t> rows = {0, 1};
  const std::vector<T> target = {T(0), T(0), T(3), T(4)};
  const std::vector<T> output = {T(1), T(2), T(0), T(0)};
  std::vector<T> grad(4);

  const double loss =
      scaled_cosine_loss<T>(context, rows, 2, {target.data(), 2, 2}, {output.data(), 2, 2});
  scaled_cosine_loss_backward<T>(context, rows, 2, {target.data(), 2, 2}, {output.data(), 2, 2}, 1,
                                 {grad.data(), 2, 2}, Accumulate::kOverwrite);

  // Cosines are 0; the zero output's gradient is −2 · target / ‖target‖ / 1e-12 / 2 rows.
  EXPECT_EQ(loss, 1.0);
  EXPECT_EQ(grad[0], T(0));
  EXPECT_EQ(grad[1], T(0));
  EXPECT_NEAR(grad[2] * 1e-12, -0.6, 1e-7);
  EXPECT_NEAR(grad[3] * 1e-12, -0.8, 1e-7);
}

// Rounding may put a cosine a hair above 1: an odd power of a negative error would be NaN.
TYPED_TEST(Loss, ScaledCosineOfParallelRowsIsZeroForAnyPower) {
  using T = TypeParam;
  Backend context(1);
  std::vector<std::int32_t> rows;
  for (std::int32_t r = 0; r < 200; ++r) rows.push_back(r);
  const std::vector<T> target = random_values<T>(200 * 7, 3);
  std::vector<T> grad(target.size());

  const double loss =
      scaled_cosine_loss<T>(context, rows, 1.5, {target.data(), 200, 7}, {target.data(), 200, 7});
  scaled_cosine_loss_backward<T>(context, rows, 1.5, {target.data(), 200, 7},
                                 {target.data(), 200, 7}, 1, {grad.data(), 200, 7},
                                 Accumulate::kOverwrite);

  EXPECT_NEAR(loss, 0, 1e-20);
  EXPECT_TRUE(near(grad, std::vector<double>(grad.size(), 0.0), {1e-6, 1e-6}));
}

TYPED_TEST(Loss, MeanSquareMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const Problem<T> problem(rows, cols);

    const std::vector<double> loss = on_any_threads<Backend>([&](Backend& context) {
      return std::vector<double>{
          mse_loss<T>(context, problem.listed, problem.target_view(), problem.output_view())};
    });

    EXPECT_NEAR(
        loss[0],
        reference::mse_loss(problem.listed, problem.wide_target(), problem.wide_output(), cols),
        kReferenceSum);
  }
}

TYPED_TEST(Loss, BackwardsAddWhenAsked) {
  using T = TypeParam;
  const Problem<T> problem(9, 33);
  Backend context(1);
  std::vector<T> grad = random_values<T>(9 * 33, 4);
  std::vector<double> expected(grad.begin(), grad.end());
  const std::vector<double> cosine = reference::scaled_cosine_loss_vjp(
      problem.listed, 2, problem.wide_target(), problem.wide_output(), 33, -2);
  const std::vector<double> square =
      reference::mse_loss_vjp(problem.listed, problem.wide_target(), problem.wide_output(), 33, 3);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += cosine[i] + square[i];

  scaled_cosine_loss_backward<T>(context, problem.listed, 2, problem.target_view(),
                                 problem.output_view(), -2, {grad.data(), 9, 33}, Accumulate::kAdd);
  mse_loss_backward<T>(context, problem.listed, problem.target_view(), problem.output_view(), 3,
                       {grad.data(), 9, 33}, Accumulate::kAdd);

  EXPECT_TRUE(near(grad, expected, test::relative_error(kRounding<T>), 33));
}

TYPED_TEST(Loss, MeanSquareBackwardMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const Problem<T> problem(rows, cols);

    const std::vector<T> grad = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(problem.output.size(), T(77));
      mse_loss_backward<T>(context, problem.listed, problem.target_view(), problem.output_view(),
                           0.5, {result.data(), rows, cols}, Accumulate::kOverwrite);
      return result;
    });

    EXPECT_TRUE(near(grad,
                     reference::mse_loss_vjp(problem.listed, problem.wide_target(),
                                             problem.wide_output(), cols, 0.5),
                     test::relative_error(kRounding<T>), cols));
  }
}

}  // namespace
}  // namespace m2st::kernels
