// The attention of raw features against the naive reference, and against the attention of the same
// features written down once for every head.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "kernels/gat.h"
#include "kernels/gat_features.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/reference/features.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

// One layer's arrays in the kernel's scalar, every third row a token's, and what the reference
// makes of them.
template <class T>
struct FeatureLayer {
  FeatureLayer(const AttentionCase& test_case, double dropout, bool with_tokens)
      : graph(test_case.graph),
        heads(test_case.heads),
        features(random_values<T>(graph.nodes() * heads.width, 1)),
        source(random_values<T>(graph.nodes() * heads.count, 2)),
        destination(random_values<T>(graph.nodes() * heads.count, 3)),
        grad_out(random_values<T>(graph.nodes() * heads.row(), 4)),
        out(garbage<T>(std::ssize(grad_out))),
        log_sums(garbage<T>(std::ssize(source))),
        grad_source(log_sums),
        grad_destination(log_sums),
        grad_token(garbage<T>(with_tokens ? heads.width : 0)) {
    for (std::int32_t row = 0; with_tokens && row < graph.nodes(); row += 3) tokens.push_back(row);
    factors = random_values<T>(std::ssize(tokens) * heads.width, 6);
    options = attention_options(dropout);
    reference = {reference::repeated_for_heads(heads, as_double(features)),
                 as_double(source),
                 as_double(destination),
                 {},
                 dropout_factors(graph, heads, options),
                 double(T(kSlope))};
  }

  void forward(Backend& context) {
    kernels::gat_features<T>(
        context, graph.view(), options, matrix(std::as_const(features), heads.width),
        matrix(std::as_const(source), heads.count), matrix(std::as_const(destination), heads.count),
        matrix(log_sums, heads.count), matrix(out, heads.row()));
  }
  void backward(Backend& context, Accumulate accumulate) {
    kernels::gat_features_backward<T>(
        context, graph.view(), options, matrix(std::as_const(features), heads.width),
        matrix(std::as_const(source), heads.count), matrix(std::as_const(destination), heads.count),
        matrix(std::as_const(log_sums), heads.count), matrix(std::as_const(grad_out), heads.row()),
        kernels::TokenFactors<T>{tokens, matrix(std::as_const(factors), heads.width)},
        matrix(grad_source, heads.count), matrix(grad_destination, heads.count),
        Span<T>(grad_token), accumulate);
  }
  std::vector<double> token_gradient(const std::vector<double>& grad_projected) const {
    const auto rows = reference::summed_over_heads(heads, grad_projected);
    std::vector<double> gradient(grad_token.size(), 0.0);
    for (std::size_t k = 0; k < tokens.size(); ++k) {
      for (std::int64_t c = 0; c < heads.width; ++c) {
        gradient[c] += rows[tokens[k] * heads.width + c] * factors[k * heads.width + c];
      }
    }
    return gradient;
  }
  std::vector<T> results() const {
    std::vector<T> all = out;
    for (const auto* part : {&log_sums, &grad_source, &grad_destination, &grad_token}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }

  const TestGraph& graph;
  reference::Heads heads;
  kernels::AttentionOptions options;
  std::vector<T> features, source, destination, grad_out, factors;
  std::vector<T> out, log_sums, grad_source, grad_destination, grad_token;
  std::vector<std::int32_t> tokens;
  reference::AttentionInputs<double> reference;
};

template <class T>
class GatFeatures : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GatFeatures, Scalars);

TYPED_TEST(GatFeatures, ForwardMatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    for (const double dropout : {0.0, kDropout}) {
      FeatureLayer<T> layer(c, dropout, false);

      layer.forward(this->context_);

      const auto want = reference::gat_attention(c.graph.view().in, c.heads, layer.reference);
      EXPECT_TRUE(near(layer.out, want, sum_tolerance<T>(), c.heads.row()))
          << c.name << ", dropout " << dropout;
    }
  }
}

TYPED_TEST(GatFeatures, BackwardMatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    for (const double dropout : {0.0, kDropout}) {
      for (const bool with_tokens : {false, true}) {
        FeatureLayer<T> layer(c, dropout, with_tokens);
        layer.forward(this->context_);

        layer.backward(this->context_, Accumulate::kOverwrite);

        const auto want = reference::gat_attention_vjp(c.graph.view().in, c.heads, layer.reference,
                                                       as_double(layer.grad_out));
        const std::string name = c.name + ", dropout " + std::to_string(dropout);
        EXPECT_TRUE(near(layer.grad_source, want.source_scores, score_tolerance<T>())) << name;
        EXPECT_TRUE(near(layer.grad_destination, want.destination_scores, score_tolerance<T>()))
            << name;
        if (layer.tokens.empty()) continue;
        EXPECT_TRUE(
            near(layer.grad_token, layer.token_gradient(want.projected), score_tolerance<T>()))
            << name;
      }
    }
  }
}

TYPED_TEST(GatFeatures, TokensGradientIsAddedWhenAsked) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  FeatureLayer<T> layer(c, kDropout, true);
  layer.forward(this->context_);
  const std::vector<T> start = layer.grad_token = random_values<T>(c.heads.width, 8);

  layer.backward(this->context_, Accumulate::kAdd);

  const auto want = reference::gat_attention_vjp(c.graph.view().in, c.heads, layer.reference,
                                                 as_double(layer.grad_out));
  EXPECT_TRUE(near(layer.grad_token, sum_of(start, layer.token_gradient(want.projected)),
                   sum_tolerance<T>()));
}

TYPED_TEST(GatFeatures, EqualsAttentionOfFeaturesRepeatedForEveryHead) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    FeatureLayer<T> layer(c, kDropout, false);
    const auto repeated = reference::repeated_for_heads(c.heads, layer.features);
    std::vector<T> log_sums(layer.log_sums.size()), out(layer.out.size());

    kernels::gat_attention<T>(this->context_, c.graph.view(), layer.options,
                              matrix(repeated, c.heads.row()),
                              matrix(std::as_const(layer.source), c.heads.count),
                              matrix(std::as_const(layer.destination), c.heads.count), {},
                              matrix(log_sums, c.heads.count), matrix(out, c.heads.row()));
    layer.forward(this->context_);

    EXPECT_EQ(layer.log_sums, log_sums) << c.name;
    EXPECT_TRUE(near(layer.out, out, sum_tolerance<T>(), c.heads.row())) << c.name;
  }
}

// A shift of all logits into a node changes nothing, so its destination score has no gradient as
// long as all its edges lie on one side of the LeakyReLU.
TYPED_TEST(GatFeatures, DestinationsWithEdgesOnOneSideHaveExactlyNoGradient) {
  using T = TypeParam;
  const AttentionCase c{"ring", make_graph({{1, 2, 0}, {2, 0}, {0, 1}}), {2, 8}};
  for (const T side : {T(5), T(-5)}) {
    FeatureLayer<T> layer(c, kDropout, true);
    for (T& score : layer.source) score += side;

    layer.forward(this->context_);
    layer.backward(this->context_, Accumulate::kOverwrite);

    EXPECT_EQ(layer.grad_destination, std::vector<T>(6, T(0)));
  }
}

TYPED_TEST(GatFeatures, HugeScoresStayFinite) {
  using T = TypeParam;
  const AttentionCase c = attention_cases()[4];
  FeatureLayer<T> layer(c, 0, true);
  for (T& score : layer.source) score *= T(1e30);

  layer.forward(this->context_);
  layer.backward(this->context_, Accumulate::kOverwrite);

  for (const T value : layer.results()) ASSERT_TRUE(std::isfinite(value));
}

TYPED_TEST(GatFeatures, GivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    FeatureLayer<T> layer(c, kDropout, true);
    layer.forward(context);
    layer.backward(context, Accumulate::kOverwrite);
    return layer.results();
  });
}

}  // namespace
}  // namespace m2st::test
