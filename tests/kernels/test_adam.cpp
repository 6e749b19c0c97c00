// Adam and AdamW against the papers' formulas over several steps.
#include <gtest/gtest.h>

#include "kernels/adam.h"
#include "test_backend.h"
#include "tests/reference/adam.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::near;
using test::on_any_threads;
using test::random_values;

// Ten steps of a few operations each in T.
template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 1e-6 : 1e-14;
constexpr int kSteps = 10;

template <class T>
class Adam : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Adam, Types);

TYPED_TEST(Adam, MatchesThePapersOverSeveralSteps) {
  using T = TypeParam;
  for (const bool decoupled : {false, true}) {
    for (const std::int64_t size : {0, 1, 31, 32, 33, 70001}) {
      const AdamOptions options{.weight_decay = 0.02, .decoupled = decoupled};
      const std::vector<T> start = random_values<T>(size, 1);

      const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
        std::vector<T> first(size, T(0)), second(size, T(0)), parameters = start;
        for (int step = 1; step <= kSteps; ++step) {
          const std::vector<T> gradient = random_values<T>(size, 10 + step);
          adam_step<T>(context, options, step, gradient, first, second, parameters);
        }
        return parameters;
      });

      reference::AdamState state{std::vector<double>(size, 0.0), std::vector<double>(size, 0.0),
                                 std::vector<double>(start.begin(), start.end())};
      for (int step = 1; step <= kSteps; ++step) {
        const std::vector<T> gradient = random_values<T>(size, 10 + step);
        reference::adam_step({options.learning_rate, options.beta1, options.beta2, options.epsilon,
                              options.weight_decay, decoupled},
                             step, {gradient.begin(), gradient.end()}, state);
      }
      EXPECT_TRUE(near(out, state.parameters, test::relative_error(kRounding<T>)));
    }
  }
}

}  // namespace
}  // namespace m2st::kernels
