// node_scores and its backward against the naive reference.
#include <gtest/gtest.h>

#include "kernels/node_scores.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

template <class T>
struct NodeScoresData {
  explicit NodeScoresData(const AttentionCase& c)
      : width(c.heads.width),
        projected(random_values<T>(c.graph.nodes() * c.heads.row(), 1)),
        source(random_values<T>(c.heads.row(), 2)),
        destination(random_values<T>(c.heads.row(), 3)),
        grad_source(random_values<T>(c.graph.nodes() * c.heads.count, 4)),
        grad_destination(random_values<T>(c.graph.nodes() * c.heads.count, 5)) {}

  // Writes into or adds to the three gradients.
  void backward(Backend& context, reference::Heads heads, std::vector<T>& grad_projected,
                std::vector<T>& grad_attention_source, std::vector<T>& grad_attention_destination,
                Accumulate accumulate) const {
    kernels::node_scores_backward<T>(
        context, matrix(projected, heads.row()), matrix(source, width), matrix(destination, width),
        matrix(grad_source, heads.count), matrix(grad_destination, heads.count),
        matrix(grad_projected, heads.row()), accumulate, matrix(grad_attention_source, width),
        matrix(grad_attention_destination, width), accumulate);
  }

  std::int64_t width;
  std::vector<T> projected, source, destination, grad_source, grad_destination;
};

template <class T>
class NodeScores : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(NodeScores, Scalars);

TYPED_TEST(NodeScores, MatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const NodeScoresData<T> x(c);
    std::vector<T> source_scores = garbage<T>(c.graph.nodes() * c.heads.count);
    std::vector<T> destination_scores = source_scores;

    kernels::node_scores<T>(this->context_, matrix(x.projected, c.heads.row()),
                            matrix(x.source, x.width), matrix(x.destination, x.width),
                            matrix(source_scores, c.heads.count),
                            matrix(destination_scores, c.heads.count));

    const auto want = [&](const std::vector<T>& attention) {
      return reference::node_scores(c.heads, as_double(x.projected), as_double(attention));
    };
    EXPECT_TRUE(near(source_scores, want(x.source), sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(near(destination_scores, want(x.destination), sum_tolerance<T>())) << c.name;
  }
}

TYPED_TEST(NodeScores, BackwardMatchesReferenceAndAdds) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const NodeScoresData<T> x(c);
    const auto source = reference::node_scores_vjp(c.heads, as_double(x.projected),
                                                   as_double(x.source), as_double(x.grad_source));
    const auto destination = reference::node_scores_vjp(
        c.heads, as_double(x.projected), as_double(x.destination), as_double(x.grad_destination));
    const std::vector<double> want = sum_of(source.projected, destination.projected);

    std::vector<T> projected = garbage<T>(x.projected.size());
    std::vector<T> attention_source = garbage<T>(c.heads.row()),
                   attention_destination = attention_source;
    x.backward(this->context_, c.heads, projected, attention_source, attention_destination,
               Accumulate::kOverwrite);
    EXPECT_TRUE(near(projected, want, sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(near(attention_source, source.attention, sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(near(attention_destination, destination.attention, sum_tolerance<T>())) << c.name;

    const std::vector<T> start = random_values<T>(x.projected.size(), 6);
    const std::vector<T> attention_start = random_values<T>(c.heads.row(), 7);
    projected = start;
    attention_source = attention_destination = attention_start;
    x.backward(this->context_, c.heads, projected, attention_source, attention_destination,
               Accumulate::kAdd);
    EXPECT_TRUE(near(projected, sum_of(start, want), sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(
        near(attention_source, sum_of(attention_start, source.attention), sum_tolerance<T>()))
        << c.name;
    EXPECT_TRUE(near(attention_destination, sum_of(attention_start, destination.attention),
                     sum_tolerance<T>()))
        << c.name;
  }
}

TYPED_TEST(NodeScores, BackwardGivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  const NodeScoresData<T> x(c);
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    std::vector<T> projected = garbage<T>(x.projected.size());
    std::vector<T> source = garbage<T>(c.heads.row()), destination = source;
    x.backward(context, c.heads, projected, source, destination, Accumulate::kOverwrite);
    projected.insert(projected.end(), source.begin(), source.end());
    projected.insert(projected.end(), destination.begin(), destination.end());
    return projected;
  });
}

}  // namespace
}  // namespace m2st::test
