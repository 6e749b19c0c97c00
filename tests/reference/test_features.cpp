// The reference of features that are projected after attention, against numbers worked out by hand
// and the complex step.
#include <gtest/gtest.h>

#include "tests/reference/complex_step.h"
#include "tests/reference/features.h"
#include "tests/support/random_graph.h"

namespace m2st::reference {
namespace {

using test::random_values;
using Real = std::vector<double>;

TEST(FeaturesReference, HeadsRepeatAndAddUp) {
  EXPECT_EQ(repeated_for_heads<double>({2, 3}, {1, 2, 3, 4, 5, 6}),
            (Real{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(summed_over_heads<double>({2, 3}, {1, 2, 3, 10, 20, 30}), (Real{11, 22, 33}));
}

// Two heads that see (1, 2) and (3, 4), with one output each.
TEST(FeaturesReference, EveryHeadHasItsOwnWeight) {
  EXPECT_EQ(project_heads<double>({2, 2}, {1, 2, 3, 4}, {10, 1, 100, 1}), (Real{12, 304}));
}

TEST(FeaturesReference, ProjectHeadsDerivativeIsTheComplexStep) {
  const Heads heads{3, 4};
  const Real x = random_values<double>(5 * heads.row(), 1);
  const Real weight = random_values<double>(3 * 2 * 4, 2);
  const Real grad_out = random_values<double>(5 * 3 * 2, 3);
  Real point = x;
  point.insert(point.end(), weight.begin(), weight.end());

  const auto vjp = project_heads_vjp(heads, x, weight, grad_out);

  Real both = vjp.x;
  both.insert(both.end(), vjp.weight.begin(), vjp.weight.end());
  expect_derivative(both, complex_step(
                              [&](const std::vector<Complex>& p) {
                                const auto middle = p.begin() + std::ssize(x);
                                return weighted_sum(
                                    grad_out, project_heads<Complex>(heads, {p.begin(), middle},
                                                                     {middle, p.end()}));
                              },
                              point));
}

}  // namespace
}  // namespace m2st::reference
