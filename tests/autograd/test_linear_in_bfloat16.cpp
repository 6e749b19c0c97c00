// The projection that keeps its operands in BF16 against dropout and linear map in kMedium: the
// same bytes, forwards and backwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "engine/matmul_precision.h"
#include "tests/support/random_graph.h"

namespace m2st::autograd {
namespace {

constexpr RandomKey kKey{7, stream_of(Purpose::kTest, 5), 3};
constexpr std::int64_t kNodes = 601, kInputs = 40, kOutputs = 24;

std::vector<float> bytes_of(MatrixView<const float> x) {
  return {x.span().begin(), x.span().end()};
}

Variable<float> leaf(Context& context, std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<float> x(context.pool(), rows, cols);
  const std::vector<float> values = test::random_values<float>(rows * cols, seed);
  std::copy(values.begin(), values.end(), x.data());
  return Variable<float>(std::move(x), true);
}

// A path through dropout and linear map, once or twice from the same x: the second adds to x's
// gradient.
struct Problem {
  Problem(Context& where, double probability) : context(where), p(probability) {
    for (std::int32_t i = 0; i < kNodes; ++i) ids.push_back(3 * i + 1);
  }

  Variable<float> apart(Tape<float>& tape, const Variable<float>& x, const Variable<float>& w) {
    return linear(tape, dropout(tape, kKey, p, ids, x), w);
  }
  Variable<float> stored(Tape<float>& tape, const Variable<float>& x, const Variable<float>& w) {
    return linear_in_bfloat16(tape, kKey, p, ids, x, false, w);
  }

  // Outputs, then the gradients of x and of the weights.
  template <class Projection>
  std::vector<std::vector<float>> results(const Projection& project, int uses) {
    Tape<float> tape(context, Tape<float>::Mode::kRecord);
    const Variable<float> x = leaf(context, kNodes, kInputs, 1);
    std::vector<Variable<float>> weights;
    std::vector<Scalar> losses;
    std::vector<std::vector<float>> all;
    Matrix<float> target(context.pool(), kNodes, kOutputs);
    std::ranges::fill(target.span(), 0.0f);
    std::vector<std::int32_t> rows;
    for (std::int32_t i = 0; i < kNodes; ++i) rows.push_back(i);
    for (int use = 0; use < uses; ++use) {
      weights.push_back(leaf(context, kOutputs, kInputs, 2 + static_cast<std::uint64_t>(use)));
      const Variable<float> y = project(tape, x, weights.back());
      all.push_back(bytes_of(y.value()));
      losses.push_back(mse_loss<float>(tape, rows, std::as_const(target).view(), y, {}));
    }
    tape.backward(mean(tape, losses), 100.0);
    all.push_back(bytes_of(x.gradient()));
    for (const Variable<float>& weight : weights) all.push_back(bytes_of(weight.gradient()));
    return all;
  }

  Context& context;
  double p;
  std::vector<std::int32_t> ids;
};

TEST(LinearInBFloat16, GivesTheBytesOfMediumPrecision) {
  Context context = cpu_context(2);
  context.set_matmul_precision(MatmulPrecision::kMedium);
  for (const double probability : {0.0, 0.2}) {
    for (const int uses : {1, 2}) {
      Problem problem(context, probability);
      const auto want = problem.results(
          [&](auto& tape, const auto& x, const auto& w) { return problem.apart(tape, x, w); },
          uses);
      const auto got = problem.results(
          [&](auto& tape, const auto& x, const auto& w) { return problem.stored(tape, x, w); },
          uses);
      EXPECT_EQ(got, want) << "probability " << probability << ", " << uses << " uses";
    }
  }
}

TEST(LinearInBFloat16, RoundsWhateverTheContextsPrecision) {
  Context context = cpu_context(1);
  Problem problem(context, 0.0);
  const auto stored = [&](auto& tape, const auto& x, const auto& w) {
    return problem.stored(tape, x, w);
  };
  const auto exact = problem.results(stored, 1);
  context.set_matmul_precision(MatmulPrecision::kMedium);
  EXPECT_EQ(problem.results(stored, 1), exact);
}

TEST(LinearInBFloat16, LetsGoOfItsInputAfterTheLastUse) {
  Context context = cpu_context(1);
  Problem problem(context, 0.2);
  Tape<float> tape(context, Tape<float>::Mode::kRecord);
  const Variable<float> x = leaf(context, kNodes, kInputs, 1);
  const Variable<float> weight = leaf(context, kOutputs, kInputs, 2);
  linear_in_bfloat16(tape, kKey, 0.2, problem.ids, x, true, weight);
  EXPECT_THROW(x.value(), Error);
}

TEST(LinearInBFloat16, RefusesAWeightOfAnotherWidth) {
  Context context = cpu_context(1);
  Problem problem(context, 0.2);
  Tape<float> tape(context, Tape<float>::Mode::kRecord);
  const Variable<float> x = leaf(context, kNodes, kInputs, 1);
  EXPECT_THROW(
      linear_in_bfloat16(tape, kKey, 0.2, problem.ids, x, false, leaf(context, 8, kInputs + 8, 2)),
      Error);
}

}  // namespace
}  // namespace m2st::autograd
