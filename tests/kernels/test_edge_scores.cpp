// edge_scores and its backward against the naive reference.
#include <gtest/gtest.h>

#include "kernels/edge_scores.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

constexpr double kSlope = 0.2;

template <class T>
class EdgeScores : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(EdgeScores, Scalars);

TYPED_TEST(EdgeScores, MatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const std::int64_t heads = c.heads.count;
    const auto source = random_values<T>(c.graph.nodes() * heads, 1);
    const auto destination = random_values<T>(c.graph.nodes() * heads, 2);
    std::vector<T> scores = garbage<T>(c.graph.edges() * heads);

    kernels::edge_scores<T>(this->context_, c.graph.view().in, matrix(source, heads),
                            matrix(destination, heads), T(kSlope), matrix(scores, heads));

    const auto want = reference::edge_scores(c.graph.view().in, heads, as_double(source),
                                             as_double(destination), double(T(kSlope)));
    EXPECT_TRUE(near(scores, want, sum_tolerance<T>(), heads)) << c.name;
  }
}

TYPED_TEST(EdgeScores, BackwardMatchesReferenceAndAdds) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const std::int64_t heads = c.heads.count;
    const std::int64_t size = c.graph.nodes() * heads;
    const auto source = random_values<T>(size, 1), destination = random_values<T>(size, 2);
    const auto grad_scores = random_values<T>(c.graph.edges() * heads, 3);
    const auto want = reference::edge_scores_vjp(c.graph.view().in, heads, as_double(source),
                                                 as_double(destination), double(T(kSlope)),
                                                 as_double(grad_scores));
    const auto start = random_values<T>(size, 4);
    const auto backward = [&](std::vector<T>& grad_source, std::vector<T>& grad_destination,
                              Accumulate accumulate) {
      kernels::edge_scores_backward<T>(this->context_, c.graph.view(), matrix(source, heads),
                                       matrix(destination, heads), T(kSlope),
                                       matrix(grad_scores, heads), matrix(grad_source, heads),
                                       matrix(grad_destination, heads), accumulate);
    };

    auto grad_source = garbage<T>(size), grad_destination = garbage<T>(size);
    backward(grad_source, grad_destination, Accumulate::kOverwrite);
    auto added_source = start, added_destination = start;
    backward(added_source, added_destination, Accumulate::kAdd);

    EXPECT_TRUE(near(grad_source, want.source, sum_tolerance<T>(), heads)) << c.name;
    EXPECT_TRUE(near(grad_destination, want.destination, sum_tolerance<T>(), heads)) << c.name;
    EXPECT_TRUE(near(added_source, sum_of(start, want.source), sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(near(added_destination, sum_of(start, want.destination), sum_tolerance<T>()))
        << c.name;
  }
}

TYPED_TEST(EdgeScores, TheKinkTakesTheSlopesSide) {
  using T = TypeParam;
  const TestGraph graph = make_graph({{0}});
  const std::vector<T> zero{0}, one{1};
  std::vector<T> grad_source{0}, grad_destination{0};

  kernels::edge_scores_backward<T>(this->context_, graph.view(), matrix(zero, 1), matrix(zero, 1),
                                   T(kSlope), matrix(one, 1), matrix(grad_source, 1),
                                   matrix(grad_destination, 1), Accumulate::kOverwrite);

  EXPECT_EQ(grad_source[0], T(kSlope));
  EXPECT_EQ(grad_destination[0], T(kSlope));
}

TYPED_TEST(EdgeScores, BackwardGivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  const std::int64_t size = c.graph.nodes() * c.heads.count;
  const auto source = random_values<T>(size, 1), destination = random_values<T>(size, 2);
  const auto grad_scores = random_values<T>(c.graph.edges() * c.heads.count, 3);
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    auto grad_source = garbage<T>(size), grad_destination = garbage<T>(size);
    kernels::edge_scores_backward<T>(
        context, c.graph.view(), matrix(source, c.heads.count), matrix(destination, c.heads.count),
        T(kSlope), matrix(grad_scores, c.heads.count), matrix(grad_source, c.heads.count),
        matrix(grad_destination, c.heads.count), Accumulate::kOverwrite);
    grad_source.insert(grad_source.end(), grad_destination.begin(), grad_destination.end());
    return grad_source;
  });
}

}  // namespace
}  // namespace m2st::test
