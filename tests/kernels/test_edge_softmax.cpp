// edge_softmax and its backward against the naive reference, and its behaviour at the ends of the
// number range.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/edge_softmax.h"
#include "kernels/math/exponential.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

template <class T>
class EdgeSoftmax : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(EdgeSoftmax, Scalars);

TYPED_TEST(EdgeSoftmax, MatchesReferenceOnRaggedRows) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const auto scores = random_values<T>(c.graph.edges() * c.heads.count, 1);
    auto weights = garbage<T>(scores.size());

    kernels::edge_softmax<T>(this->context_, c.graph.view().in, matrix(scores, c.heads.count),
                             matrix(weights, c.heads.count));

    const auto want = reference::edge_softmax(c.graph.view().in, c.heads.count, as_double(scores));
    EXPECT_TRUE(near(weights, want, sum_tolerance<T>(), c.heads.count)) << c.name;
  }
}

TYPED_TEST(EdgeSoftmax, BackwardMatchesReferenceAndAdds) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const std::int64_t heads = c.heads.count;
    const std::int64_t size = c.graph.edges() * heads;
    std::vector<T> weights;
    for (const double w :
         reference::edge_softmax(c.graph.view().in, heads, random_values<double>(size, 1))) {
      weights.push_back(static_cast<T>(w));
    }
    const auto grad_weights = random_values<T>(size, 2), start = random_values<T>(size, 3);
    const auto want = reference::edge_softmax_vjp(c.graph.view().in, heads, as_double(weights),
                                                  as_double(grad_weights));

    auto overwritten = garbage<T>(size), added = start;
    kernels::edge_softmax_backward<T>(this->context_, c.graph.view().in, matrix(weights, heads),
                                      matrix(grad_weights, heads), matrix(overwritten, heads),
                                      Accumulate::kOverwrite);
    kernels::edge_softmax_backward<T>(this->context_, c.graph.view().in, matrix(weights, heads),
                                      matrix(grad_weights, heads), matrix(added, heads),
                                      Accumulate::kAdd);

    EXPECT_TRUE(near(overwritten, want, sum_tolerance<T>(), heads)) << c.name;
    EXPECT_TRUE(near(added, sum_of(start, want), sum_tolerance<T>(), heads)) << c.name;
  }
}

TYPED_TEST(EdgeSoftmax, LargeScoresNeitherOverflowNorVanish) {
  using T = TypeParam;
  const TestGraph graph = make_graph({{0, 0, 0}, {0, 1}});
  const std::vector<T> scores{T(1e30), T(1e30), T(-1e30), T(-1e4), T(-1e4) - 2};
  auto weights = garbage<T>(5);

  kernels::edge_softmax<T>(this->context_, graph.view().in, matrix(scores, 1), matrix(weights, 1));

  const double small = 1 / (1 + std::exp(2.0));
  EXPECT_TRUE(
      near(weights, std::vector<double>{0.5, 0.5, 0, 1 - small, small}, sum_tolerance<T>()));
}

TYPED_TEST(EdgeSoftmax, NanStaysVisible) {
  using T = TypeParam;
  const TestGraph graph = make_graph({{0, 0}});
  const std::vector<T> scores{std::numeric_limits<T>::quiet_NaN(), T(0)};
  std::vector<T> weights(2);

  kernels::edge_softmax<T>(this->context_, graph.view().in, matrix(scores, 1), matrix(weights, 1));

  EXPECT_TRUE(std::isnan(weights[0]) && std::isnan(weights[1]));
}

TYPED_TEST(EdgeSoftmax, GivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  const auto scores = random_values<T>(c.graph.edges() * c.heads.count, 1);
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    auto weights = garbage<T>(scores.size()), grad = weights;
    kernels::edge_softmax<T>(context, c.graph.view().in, matrix(scores, c.heads.count),
                             matrix(weights, c.heads.count));
    kernels::edge_softmax_backward<T>(context, c.graph.view().in, matrix(weights, c.heads.count),
                                      matrix(scores, c.heads.count), matrix(grad, c.heads.count),
                                      Accumulate::kOverwrite);
    weights.insert(weights.end(), grad.begin(), grad.end());
    return weights;
  });
}

TYPED_TEST(EdgeSoftmax, ExponentialIsWithinTwoUnits) {
  using T = TypeParam;
  const double lowest = std::is_same_v<T, double> ? -707 : -86.9;
  for (int k = 0; k <= 100000; ++k) {
    const T x = static_cast<T>(lowest * k / 100000);
    const long double want = std::exp(static_cast<long double>(x));
    ASSERT_LE(std::abs(kernels::exponential(x) - want),
              2 * want * std::numeric_limits<T>::epsilon())
        << "at " << x;
  }
  EXPECT_EQ(kernels::exponential(-std::numeric_limits<T>::infinity()), T(0));
  EXPECT_EQ(kernels::exponential(T(0)), T(1));
}

}  // namespace
}  // namespace m2st::test
