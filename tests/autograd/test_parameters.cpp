// Parameters: layout of the flat block, start values, and the optimiser's step over all of it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "autograd/parameters.h"
#include "tests/reference/adam.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"

namespace m2st::autograd {
namespace {

constexpr std::uint64_t kSeed = 3;
// Sums of some thousand independent draws: five deviations.
constexpr double kDeviations = 5;

ParameterLayout layout_of_three() {
  ParameterLayout layout;
  layout.add("weight", 60, 70, xavier_normal(70, 60, std::sqrt(2.0)));
  layout.add("slope", 1, 1, {Distribution::kConstant, 0.25});
  layout.add("map", 50, 40, xavier_uniform(40, 50, 1.0));
  return layout;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
  double largest = 0;
};

Moments moments_of(MatrixView<double> x) {
  Moments moments;
  for (const double value : x.span()) {
    moments.mean += value / static_cast<double>(x.size());
    moments.deviation += value * value / static_cast<double>(x.size());
    moments.largest = std::max(moments.largest, std::abs(value));
  }
  moments.deviation = std::sqrt(moments.deviation - moments.mean * moments.mean);
  return moments;
}

TEST(Parameters, StartOnCacheLinesWithZerosBetween) {
  Context context = cpu_context(1);
  ParameterBlock<float> block(context, layout_of_three(), kSeed);

  EXPECT_EQ(block.layout().parameter_count(), 60 * 70 + 1 + 50 * 40);
  std::vector<bool> covered(block.values().size(), false);
  for (int index = 0; index < block.layout().count(); ++index) {
    const MatrixView<float> value = block.value(index);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(value.data) % 64, 0u);
    for (std::int64_t i = 0; i < value.size(); ++i)
      covered[value.data - block.values().data() + i] = true;
  }
  for (std::size_t i = 0; i < covered.size(); ++i) {
    if (!covered[i]) {
      EXPECT_EQ(block.values()[i], 0.0f) << i;
    }
  }
}

TEST(Parameters, StartValuesHaveXaviersMoments) {
  Context context = cpu_context(1);
  ParameterBlock<double> block(context, layout_of_three(), kSeed);

  const Moments normal = moments_of(block.value(0));
  const double deviation = std::sqrt(2.0) * std::sqrt(2.0 / (70 + 60));
  const double noise = kDeviations / std::sqrt(60.0 * 70.0);
  EXPECT_NEAR(normal.mean, 0, noise * deviation);
  EXPECT_NEAR(normal.deviation, deviation, noise * deviation);
  EXPECT_EQ(block.value(1).data[0], 0.25);
  const Moments uniform = moments_of(block.value(2));
  const double bound = std::sqrt(6.0 / (40 + 50));
  EXPECT_LE(uniform.largest, bound);
  EXPECT_NEAR(uniform.deviation, bound / std::sqrt(3.0),
              kDeviations / std::sqrt(50.0 * 40.0) * bound);
}

TEST(Parameters, StartValuesDependOnSeedAndPlaceAlone) {
  Context one = cpu_context(1);
  Context three = cpu_context(3);
  ParameterBlock<double> block(one, layout_of_three(), kSeed);
  ParameterBlock<double> same(three, layout_of_three(), kSeed);
  ParameterBlock<double> other(one, layout_of_three(), kSeed + 1);
  ParameterBlock<float> narrow(one, layout_of_three(), kSeed);

  for (std::size_t i = 0; i < block.values().size(); ++i) {
    ASSERT_EQ(block.values()[i], same.values()[i]);
    ASSERT_EQ(static_cast<float>(block.values()[i]), narrow.values()[i]);
  }
  EXPECT_NE(block.value(0).data[0], other.value(0).data[0]);
  EXPECT_NE(block.value(0).data[0], block.value(2).data[0]);
}

TEST(Parameters, NamesAreFoundAndDistinct) {
  ParameterLayout layout = layout_of_three();

  EXPECT_EQ(layout.find("map"), 2);
  EXPECT_EQ(layout.find("nothing"), -1);
  test::expect_error(ExitCode::kInternal, {"slope"}, [&] { layout.add("slope", 1, 1, {}); });
}

TEST(Parameters, UnwrittenGradientsBecomeZero) {
  Context context = cpu_context(1);
  ParameterBlock<double> block(context, layout_of_three(), kSeed);
  for (double& value : block.gradients()) value = 9;
  block.variable(0).gradient_target(context.pool());

  block.clear_unwritten_gradients(context);

  EXPECT_EQ(block.gradient(0).data[5], 9.0);
  EXPECT_EQ(block.gradient(1).data[0], 0.0);
  EXPECT_EQ(block.gradient(2).data[7], 0.0);
}

TEST(Parameters, StepsAreAdamsOverTheWholeBlock) {
  // Ten steps of a dozen double operations each.
  constexpr test::Tolerance kTolerance{1e-13, 1e-13};
  for (const bool decoupled : {false, true}) {
    Context context = cpu_context(2);
    ParameterBlock<double> block(context, layout_of_three(), kSeed);
    kernels::AdamOptions options;
    options.decoupled = decoupled;
    const std::size_t size = block.values().size();
    reference::AdamState state{std::vector<double>(size),
                               std::vector<double>(size),
                               {block.values().begin(), block.values().end()}};
    for (int step = 1; step <= 10; ++step) {
      for (std::size_t i = 0; i < size; ++i) block.gradients()[i] = std::sin(step + 0.1 * i);

      block.adam_step(context, options, step);

      reference::adam_step({options.learning_rate, options.beta1, options.beta2, options.epsilon,
                            options.weight_decay, decoupled},
                           step, {block.gradients().begin(), block.gradients().end()}, state);
    }
    EXPECT_TRUE(test::near(block.values(), state.parameters, kTolerance)) << decoupled;
  }
}

}  // namespace
}  // namespace m2st::autograd
