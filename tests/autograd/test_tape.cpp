// The tape's promises: what it keeps, what it frees, and which mistakes it catches.
#include <gtest/gtest.h>

#include "autograd/ops.h"
#include "tests/support/expect_error.h"

namespace m2st::autograd {
namespace {

using Mode = Tape<double>::Mode;

class TapeTest : public testing::Test {
 protected:
  Variable<double> variable(std::int64_t rows, std::int64_t cols, double value) {
    Matrix<double> matrix(context_.pool(), rows, cols);
    for (std::int64_t i = 0; i < matrix.size(); ++i) matrix.data()[i] = value;
    return {std::move(matrix), true};
  }

  Context context_ = cpu_context(1);
};

TEST_F(TapeTest, FreesValuesAndGradientsAsItGoesBack) {
  constexpr std::int64_t kNodes = 256;
  constexpr std::int64_t kWidth = 64;
  constexpr int kLayers = 16;
  constexpr std::size_t kBytes = kNodes * kWidth * sizeof(double);
  const Variable<double> weight = variable(kWidth, kWidth, 0.01);
  const std::vector<std::int32_t> rows{0};
  const Matrix<double> target(context_.pool(), kNodes, kWidth);
  const std::size_t before = context_.pool().in_use();
  Tape<double> tape(context_, Mode::kRecord);
  Variable<double> x = variable(kNodes, kWidth, 1.0);
  for (int layer = 0; layer < kLayers; ++layer) x = linear(tape, x, weight);
  const Scalar loss = mse_loss<double>(tape, rows, target.view(), x);
  x = Variable<double>();
  const std::size_t forward = context_.pool().in_use() - before;
  context_.pool().reset_peak();

  tape.backward(loss, 1.0);

  EXPECT_GE(forward, kLayers * kBytes);
  // The two gradients in flight, the weight's own and the products' packing, not one a layer.
  EXPECT_LE(context_.pool().peak() - before, forward + kLayers / 2 * kBytes);
  EXPECT_LE(context_.pool().in_use() - before, weight.value().size() * sizeof(double));
}

TEST_F(TapeTest, ForwardOnlyKeepsNothing) {
  Tape<double> tape(context_, Mode::kForwardOnly);
  const Variable<double> weight = variable(4, 4, 1.0);
  const Variable<double> x = variable(3, 4, 1.0);

  const Variable<double> out = linear(tape, linear(tape, x, weight), weight);

  EXPECT_FALSE(out.needs_gradient());
  EXPECT_EQ(out.value()(2, 3), 16.0);
  const std::size_t values = (3 * 4 + 4 * 4 + 3 * 4) * sizeof(double);
  EXPECT_LE(context_.pool().in_use(), values + 3 * 64) << "the inner result is still there";
}

TEST_F(TapeTest, ConstantsGetNoGradient) {
  Tape<double> tape(context_, Mode::kRecord);
  const Variable<double> weight = variable(2, 2, 1.0);
  const Variable<double> x = Variable<double>::constant(weight.value());
  const std::vector<std::int32_t> rows{0, 1};
  const Matrix<double> target(context_.pool(), 2, 2);

  tape.backward(mse_loss<double>(tape, rows, target.view(), linear(tape, x, weight)), 1.0);

  EXPECT_FALSE(x.has_gradient());
  EXPECT_TRUE(weight.has_gradient());
}

TEST_F(TapeTest, ReadingAConsumedValueFails) {
  Tape<double> tape(context_, Mode::kRecord);
  const Variable<double> x = variable(2, 2, 1.0);
  const Variable<double> bias = variable(1, 2, 1.0);
  add_row_in_place(tape, x, bias);

  test::expect_error(ExitCode::kInternal, {"consumed"}, [&] { x.value(); });
  test::expect_error(ExitCode::kInternal, {"in-place"}, [&] { add_row_in_place(tape, x, bias); });
}

TEST_F(TapeTest, ConsumingMemoryOfSomebodyElseFails) {
  Tape<double> tape(context_, Mode::kRecord);
  const Variable<double> owner = variable(2, 2, 1.0);
  const Variable<double> x = Variable<double>::constant(owner.value());

  test::expect_error(ExitCode::kInternal, {"owns"},
                     [&] { add_row_in_place(tape, x, variable(1, 2, 1.0)); });
}

TEST_F(TapeTest, WrongShapesAreNamed) {
  Tape<double> tape(context_, Mode::kRecord);

  test::expect_error(ExitCode::kInternal, {"linear", "3", "4"},
                     [&] { linear(tape, variable(2, 3, 1.0), variable(5, 4, 1.0)); });
  test::expect_error(ExitCode::kInternal, {"sum_heads", "3", "2"},
                     [&] { sum_heads(tape, variable(2, 3, 1.0), 2); });
}

}  // namespace
}  // namespace m2st::autograd
