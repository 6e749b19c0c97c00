// The fused attention against the naive reference and against the composition of plain kernels.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "kernels/aggregate.h"
#include "kernels/dropout.h"
#include "kernels/edge_scores.h"
#include "kernels/edge_softmax.h"
#include "kernels/gat.h"
#include "kernels/math/attention_dropout.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

// One layer's arrays in the kernel's scalar, and what the reference makes of them.
template <class T>
struct Layer {
  Layer(const AttentionCase& test_case, double dropout, bool with_bias)
      : graph(test_case.graph),
        heads(test_case.heads),
        projected(random_values<T>(graph.nodes() * heads.row(), 1)),
        source(random_values<T>(graph.nodes() * heads.count, 2)),
        destination(random_values<T>(graph.nodes() * heads.count, 3)),
        grad_out(random_values<T>(graph.nodes() * heads.row(), 4)),
        out(garbage<T>(projected.size())),
        log_sums(garbage<T>(source.size())),
        grad_projected(out),
        grad_source(log_sums),
        grad_destination(log_sums) {
    if (with_bias) bias = grad_bias = random_values<T>(heads.row(), 5);
    options = attention_options(dropout);
    reference = {as_double(projected),
                 as_double(source),
                 as_double(destination),
                 as_double(bias),
                 dropout_factors(graph, heads, options),
                 double(T(kSlope))};
  }

  void forward(Backend& context) {
    kernels::gat_attention<T>(context, graph.view(), options, matrix(projected, heads.row()),
                              matrix(source, heads.count), matrix(destination, heads.count),
                              std::as_const(bias), matrix(log_sums, heads.count),
                              matrix(out, heads.row()));
  }
  void backward(Backend& context, Accumulate accumulate) {
    kernels::gat_attention_backward<T>(
        context, graph.view(), options, matrix(projected, heads.row()), matrix(source, heads.count),
        matrix(destination, heads.count), std::as_const(bias), matrix(log_sums, heads.count),
        matrix(out, heads.row()), matrix(grad_out, heads.row()),
        matrix(grad_projected, heads.row()), matrix(grad_source, heads.count),
        matrix(grad_destination, heads.count), grad_bias, accumulate);
  }
  std::vector<T> results() const {
    std::vector<T> all = out;
    for (const auto* part :
         {&log_sums, &grad_projected, &grad_source, &grad_destination, &grad_bias}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    return all;
  }

  const TestGraph& graph;
  reference::Heads heads;
  kernels::AttentionOptions options;
  std::vector<T> projected, source, destination, bias, grad_out;
  std::vector<T> out, log_sums, grad_projected, grad_source, grad_destination, grad_bias;
  reference::AttentionInputs<double> reference;
};

template <class T>
class Gat : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Gat, Scalars);

TYPED_TEST(Gat, ForwardMatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    for (const double dropout : {0.0, kDropout}) {
      Layer<T> layer(c, dropout, true);

      layer.forward(this->context_);

      const auto want = reference::gat_attention(c.graph.view().in, c.heads, layer.reference);
      EXPECT_TRUE(near(layer.out, want, sum_tolerance<T>(), c.heads.row()))
          << c.name << ", dropout " << dropout;
    }
  }
}

TYPED_TEST(Gat, BackwardMatchesReference) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    for (const double dropout : {0.0, kDropout}) {
      Layer<T> layer(c, dropout, true);
      layer.forward(this->context_);

      layer.backward(this->context_, Accumulate::kOverwrite);

      const auto want = reference::gat_attention_vjp(c.graph.view().in, c.heads, layer.reference,
                                                     as_double(layer.grad_out));
      const std::string name = c.name + ", dropout " + std::to_string(dropout);
      EXPECT_TRUE(near(layer.grad_projected, want.projected, sum_tolerance<T>())) << name;
      EXPECT_TRUE(near(layer.grad_source, want.source_scores, score_tolerance<T>())) << name;
      EXPECT_TRUE(near(layer.grad_destination, want.destination_scores, score_tolerance<T>()))
          << name;
      EXPECT_TRUE(near(layer.grad_bias, want.bias, sum_tolerance<T>())) << name;
    }
  }
}

TYPED_TEST(Gat, WorksWithoutBias) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  Layer<T> layer(c, kDropout, false);

  layer.forward(this->context_);
  layer.backward(this->context_, Accumulate::kOverwrite);

  const auto out = reference::gat_attention(c.graph.view().in, c.heads, layer.reference);
  const auto want = reference::gat_attention_vjp(c.graph.view().in, c.heads, layer.reference,
                                                 as_double(layer.grad_out));
  EXPECT_TRUE(near(layer.out, out, sum_tolerance<T>(), c.heads.row()));
  EXPECT_TRUE(near(layer.grad_source, want.source_scores, sum_tolerance<T>()));
  EXPECT_TRUE(near(layer.grad_destination, want.destination_scores, sum_tolerance<T>()));
}

TYPED_TEST(Gat, BiasGradientIsAddedWhenAsked) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  Layer<T> layer(c, kDropout, true);
  layer.forward(this->context_);
  const std::vector<T> start = layer.grad_bias;

  layer.backward(this->context_, Accumulate::kAdd);

  const auto want = reference::gat_attention_vjp(c.graph.view().in, c.heads, layer.reference,
                                                 as_double(layer.grad_out));
  EXPECT_TRUE(near(layer.grad_bias, sum_of(start, want.bias), sum_tolerance<T>()));
}

TYPED_TEST(Gat, EqualsTheCompositionOfPlainKernels) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    Layer<T> layer(c, kDropout, false);
    const GraphView graph = c.graph.view();
    const std::int64_t heads = c.heads.count;
    std::vector<T> edges(graph.edges() * heads), out(layer.out.size());

    kernels::edge_scores<T>(this->context_, graph.in, matrix(layer.source, heads),
                            matrix(layer.destination, heads), T(kSlope), matrix(edges, heads));
    kernels::edge_softmax<T>(this->context_, graph.in, matrix(edges, heads), matrix(edges, heads));
    kernels::edge_dropout<T>(this->context_, graph, layer.options.key, kDropout,
                             matrix(edges, heads), matrix(edges, heads), Accumulate::kOverwrite);
    kernels::aggregate<T>(this->context_, graph.in, matrix(edges, heads),
                          matrix(layer.projected, c.heads.row()), matrix(out, c.heads.row()));
    layer.forward(this->context_);

    EXPECT_TRUE(near(layer.out, out, sum_tolerance<T>(), c.heads.row())) << c.name;
  }
}

TYPED_TEST(Gat, LogSumsAreThoseOfTheLogits) {
  using T = TypeParam;
  const TestGraph graph = make_graph({{0, 1}, {}});
  const AttentionCase c{"two nodes", graph, {1, 1}};
  Layer<T> layer(c, 0, false);
  layer.source = {T(1), T(-2)};
  layer.destination = {T(0.5), T(0)};

  layer.forward(this->context_);

  const double want = std::log(std::exp(1.5) + std::exp(-1.5 * kSlope));
  EXPECT_TRUE(near(layer.log_sums, std::vector<double>{want, 0}, sum_tolerance<T>()));
}

// A shift of all logits into a node changes nothing, so its destination score has no gradient as
// long as all its edges lie on one side of the LeakyReLU.
TYPED_TEST(Gat, DestinationsWithEdgesOnOneSideHaveExactlyNoGradient) {
  using T = TypeParam;
  const AttentionCase c{"ring", make_graph({{1, 2, 0}, {2, 0}, {0, 1}}), {2, 8}};
  for (const T side : {T(5), T(-5)}) {
    Layer<T> layer(c, kDropout, true);
    for (T& score : layer.source) score += side;

    layer.forward(this->context_);
    layer.backward(this->context_, Accumulate::kOverwrite);

    EXPECT_EQ(layer.grad_destination, std::vector<T>(6, T(0)));
  }
}

// Silent edges, as a count, against edges from nodes of their own with zeros for features and for
// their score, into nodes whose score is zero too.
template <class T>
struct Silence {
  explicit Silence(const AttentionCase& base) : written{"with nodes", {}, base.heads} {
    const TestGraph& graph = base.graph;
    std::vector<std::vector<std::int32_t>> sources_of;
    for (std::int64_t i = 0; i < graph.nodes(); ++i) {
      sources_of.emplace_back(graph.sources.begin() + graph.offsets[i],
                              graph.sources.begin() + graph.offsets[i + 1]);
      counts.push_back(static_cast<std::int32_t>(i % 3));
    }
    for (std::int64_t i = 0; i < graph.nodes(); ++i) {
      for (int k = 0; k < counts[i]; ++k) {
        sources_of[i].push_back(static_cast<std::int32_t>(sources_of.size()));
        sources_of.emplace_back();
        into.push_back(i);
      }
    }
    written.graph = make_graph(sources_of);
    std::copy(graph.ids.begin(), graph.ids.end(), written.graph.ids.begin());
  }
  // Makes of a layer on the graph with all edges what the counts say, and of one without them.
  void set(Layer<T>& with_counts, Layer<T>& with_nodes) const {
    with_counts.options.silent = counts;
    for (Layer<T>* layer : {&with_counts, &with_nodes}) {
      std::fill(layer->destination.begin(), layer->destination.end(), T(0));
    }
    const auto nodes = std::ssize(counts);
    std::fill(with_nodes.source.begin() + nodes * with_nodes.heads.count, with_nodes.source.end(),
              T(0));
    std::fill(with_nodes.projected.begin() + nodes * with_nodes.heads.row(),
              with_nodes.projected.end(), T(0));
    with_nodes.reference.source_scores = as_double(with_nodes.source);
    with_nodes.reference.destination_scores = as_double(with_nodes.destination);
    with_nodes.reference.projected = as_double(with_nodes.projected);
    // No loss sees what comes out at the nodes that stand for edges.
    std::fill(with_nodes.grad_out.begin() + nodes * with_nodes.heads.row(),
              with_nodes.grad_out.end(), T(0));
  }

  std::vector<std::int32_t> counts;
  AttentionCase written;
  std::vector<std::int64_t> into;  // where the one edge of each added node leads
};

std::vector<double> first_of(const std::vector<double>& values, std::size_t count) {
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)};
}

TYPED_TEST(Gat, SilentEdgesAreEdgesFromNodesWithoutFeatures) {
  using T = TypeParam;
  for (const AttentionCase& c : attention_cases()) {
    const Silence<T> silence(c);
    Layer<T> layer(c, kDropout, true), written(silence.written, kDropout, true);
    silence.set(layer, written);

    layer.forward(this->context_);
    layer.backward(this->context_, Accumulate::kOverwrite);

    const CsrView in = silence.written.graph.view().in;
    const auto out = reference::gat_attention(in, c.heads, written.reference);
    auto want =
        reference::gat_attention_vjp(in, c.heads, written.reference, as_double(written.grad_out));
    // A silent edge's logit does not follow the score of the node it leads into.
    for (std::size_t k = 0; k < silence.into.size() * c.heads.count; ++k) {
      const std::size_t node = static_cast<std::size_t>(c.graph.nodes()) + k / c.heads.count;
      const std::size_t head = k % c.heads.count;
      want.destination_scores[silence.into[k / c.heads.count] * c.heads.count + head] -=
          want.source_scores[node * c.heads.count + head];
    }
    EXPECT_TRUE(near(layer.out, first_of(out, layer.out.size()), sum_tolerance<T>())) << c.name;
    EXPECT_TRUE(near(layer.grad_projected, first_of(want.projected, layer.projected.size()),
                     sum_tolerance<T>()))
        << c.name;
    EXPECT_TRUE(near(layer.grad_source, first_of(want.source_scores, layer.source.size()),
                     score_tolerance<T>()))
        << c.name;
    EXPECT_TRUE(near(layer.grad_destination,
                     first_of(want.destination_scores, layer.destination.size()),
                     score_tolerance<T>()))
        << c.name;
  }
}

TYPED_TEST(Gat, HugeScoresStayFinite) {
  using T = TypeParam;
  const AttentionCase c = attention_cases()[4];
  Layer<T> layer(c, 0, true);
  for (T& score : layer.source) score *= T(1e30);

  layer.forward(this->context_);
  layer.backward(this->context_, Accumulate::kOverwrite);

  for (const T value : layer.results()) ASSERT_TRUE(std::isfinite(value));
}

TYPED_TEST(Gat, GivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const AttentionCase c = attention_cases().back();
  expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    Layer<T> layer(c, kDropout, true);
    layer.forward(context);
    layer.backward(context, Accumulate::kOverwrite);
    return layer.results();
  });
}

TEST(AttentionDropout, RateHeadsAndKeysAreIndependent) {
  const kernels::DropoutRule rule = kernels::dropout_rule(0.25);
  const RandomKey key{1, stream_of(Purpose::kTest, 0), 0};
  constexpr int kEdges = 40000;
  constexpr double kFiveSigma = 5 * 0.0022;  // of the mean of 40,000 draws
  double kept[8] = {}, both[8] = {};

  for (int e = 0; e < kEdges; ++e) {
    for (int h = 0; h < 8; ++h) {
      const bool keep = kernels::attention_factor(key, rule, e / 200, e % 200, h) != 0;
      kept[h] += keep;
      both[h] += keep && kernels::attention_factor(key, rule, e / 200, e % 200, (h + 4) % 8) != 0;
    }
  }

  for (int h = 0; h < 8; ++h) {
    EXPECT_NEAR(kept[h] / kEdges, 0.75, kFiveSigma);
    EXPECT_NEAR(both[h] / kEdges, 0.75 * 0.75, kFiveSigma * 1.2);
  }
  EXPECT_DOUBLE_EQ(rule.scale, 4.0 / 3);
}

}  // namespace
}  // namespace m2st::test
