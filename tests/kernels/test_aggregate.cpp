// Sums over edges and their gradients against the naive reference.
#include <gtest/gtest.h>

#include "kernels/aggregate.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

template <class T>
struct AggregateData {
  explicit AggregateData(const AttentionCase& c)
      : weights(random_values<T>(c.graph.edges() * c.heads.count, 1)),
        features(random_values<T>(c.graph.nodes() * c.heads.row(), 2)),
        grad_out(random_values<T>(c.graph.nodes() * c.heads.row(), 3)) {}

  std::vector<T> weights, features, grad_out;
};

template <class T>
class Aggregate : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Aggregate, Scalars);

TYPED_TEST(Aggregate, MatchesReferenceOnRaggedRows) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const AggregateData<T> x(c);
    auto out = garbage<T>(x.features.size());

    kernels::aggregate<T>(this->context_, c.graph.view().in, matrix(x.weights, c.heads.count),
                          matrix(x.features, c.heads.row()), matrix(out, c.heads.row()));

    const auto want = reference::aggregate(c.graph.view().in, c.heads, as_double(x.weights),
                                           as_double(x.features));
    EXPECT_TRUE(near(out, want, sum_tolerance<T>(), c.heads.row())) << c.name;
  }
}

TYPED_TEST(Aggregate, BackwardOfFeaturesMatchesReferenceAndAdds) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const AggregateData<T> x(c);
    const auto want = reference::aggregate_vjp(c.graph.view().in, c.heads, as_double(x.weights),
                                               as_double(x.features), as_double(x.grad_out))
                          .features;
    const auto start = random_values<T>(x.features.size(), 4);

    auto overwritten = garbage<T>(x.features.size()), added = start;
    kernels::aggregate_backward_features<T>(
        this->context_, c.graph.view(), matrix(x.weights, c.heads.count),
        matrix(x.grad_out, c.heads.row()), matrix(overwritten, c.heads.row()),
        Accumulate::kOverwrite);
    kernels::aggregate_backward_features<T>(
        this->context_, c.graph.view(), matrix(x.weights, c.heads.count),
        matrix(x.grad_out, c.heads.row()), matrix(added, c.heads.row()), Accumulate::kAdd);

    EXPECT_TRUE(near(overwritten, want, sum_tolerance<T>(), c.heads.row())) << c.name;
    EXPECT_TRUE(near(added, sum_of(start, want), sum_tolerance<T>(), c.heads.row())) << c.name;
  }
}

TYPED_TEST(Aggregate, BackwardOfWeightsMatchesReferenceAndAdds) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const AggregateData<T> x(c);
    const auto want = reference::aggregate_vjp(c.graph.view().in, c.heads, as_double(x.weights),
                                               as_double(x.features), as_double(x.grad_out))
                          .weights;
    const auto start = random_values<T>(x.weights.size(), 4);

    auto overwritten = garbage<T>(x.weights.size()), added = start;
    kernels::aggregate_backward_weights<T>(
        this->context_, c.graph.view().in, matrix(x.features, c.heads.row()),
        matrix(x.grad_out, c.heads.row()), matrix(overwritten, c.heads.count),
        Accumulate::kOverwrite);
    kernels::aggregate_backward_weights<T>(
        this->context_, c.graph.view().in, matrix(x.features, c.heads.row()),
        matrix(x.grad_out, c.heads.row()), matrix(added, c.heads.count), Accumulate::kAdd);

    EXPECT_TRUE(near(overwritten, want, sum_tolerance<T>(), c.heads.count)) << c.name;
    EXPECT_TRUE(near(added, sum_of(start, want), sum_tolerance<T>(), c.heads.count)) << c.name;
  }
}

TYPED_TEST(Aggregate, NeighbourMeanMatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const AggregateData<T> x(c);
    auto out = garbage<T>(x.features.size());

    kernels::neighbour_mean<T>(this->context_, c.graph.view().in, matrix(x.features, c.heads.row()),
                               matrix(out, c.heads.row()));

    const auto want =
        reference::neighbour_mean(c.graph.view().in, c.heads.row(), as_double(x.features));
    EXPECT_TRUE(near(out, want, sum_tolerance<T>(), c.heads.row())) << c.name;
  }
}

TYPED_TEST(Aggregate, GivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  const AggregateData<T> x(c);
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    auto out = garbage<T>(x.features.size()), grad_features = out;
    auto grad_weights = garbage<T>(x.weights.size());
    kernels::aggregate<T>(context, c.graph.view().in, matrix(x.weights, c.heads.count),
                          matrix(x.features, c.heads.row()), matrix(out, c.heads.row()));
    kernels::aggregate_backward_features<T>(
        context, c.graph.view(), matrix(x.weights, c.heads.count),
        matrix(x.grad_out, c.heads.row()), matrix(grad_features, c.heads.row()),
        Accumulate::kOverwrite);
    kernels::aggregate_backward_weights<T>(
        context, c.graph.view().in, matrix(x.features, c.heads.row()),
        matrix(x.grad_out, c.heads.row()), matrix(grad_weights, c.heads.count),
        Accumulate::kOverwrite);
    out.insert(out.end(), grad_features.begin(), grad_features.end());
    out.insert(out.end(), grad_weights.begin(), grad_weights.end());
    return out;
  });
}

}  // namespace
}  // namespace m2st::test
