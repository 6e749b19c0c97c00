// The reference of graph attention against numbers worked out by hand, and its derivatives against
// the complex step Im f(x + i·h·direction) / h, which has no cancellation (Squire and Trapp, 1998).
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "tests/reference/attention.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st::test {
namespace {

namespace ref = m2st::reference;
using Complex = std::complex<double>;
using Real = std::vector<double>;
using ComplexValues = std::vector<Complex>;

constexpr double kStep = 1e-50;
constexpr double kDerivativeTolerance = 1e-11;  // a few thousand roundings of order 1
constexpr double kHandTolerance = 1e-15;        // literals are exact up to a rounding or two

ComplexValues moved(const Real& x, const Real& direction) {
  ComplexValues result(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) result[k] = Complex(x[k], kStep * direction[k]);
  return result;
}

// d/dt Σ grad_out · f(x + t·direction).
double complex_step(const ComplexValues& out, const Real& grad_out) {
  double sum = 0;
  for (std::size_t k = 0; k < out.size(); ++k) sum += grad_out[k] * out[k].imag() / kStep;
  return sum;
}

double product(const Real& x, const Real& y) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += x[k] * y[k];
  return sum;
}

constexpr ref::Heads kHeads{3, 5};

TEST(AttentionReference, NodeScoresAreDotProducts) {
  const Real scores =
      ref::node_scores<double>({2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 10, 100, 1000});

  EXPECT_EQ(scores, (Real{21, 4300, 65, 8700}));
}

TEST(AttentionReference, EdgeScoresTakeTheSlopeBelowZero) {
  const TestGraph graph = make_graph({{0, 1}, {0}});

  const Real scores = ref::edge_scores<double>(graph.view().in, 1, {1, -3}, {2, -1}, 0.2);

  EXPECT_TRUE(near(scores, Real{3, -0.2, 0}, relative_error(kHandTolerance)));
}

TEST(AttentionReference, SoftmaxOfLogarithmsGivesTheirShares) {
  const TestGraph graph = make_graph({{0, 1, 2}, {}, {1}});

  const Real weights = ref::edge_softmax<double>(
      graph.view().in, 1, {std::log(1.0), std::log(2.0), std::log(5.0), 7.0});

  EXPECT_TRUE(near(weights, Real{0.125, 0.25, 0.625, 1}, relative_error(kHandTolerance)));
}

TEST(AttentionReference, AggregateSumsWeightedSources) {
  const TestGraph graph = make_graph({{1, 0}, {}, {1}});
  const Real features{1, 2, 3, 4, 5, 6};

  EXPECT_EQ(ref::aggregate<double>(graph.view().in, {1, 2}, {10, 1, 2}, features),
            (Real{31, 42, 0, 0, 6, 8}));
  EXPECT_EQ(ref::neighbour_mean<double>(graph.view().in, 2, features), (Real{2, 3, 0, 0, 3, 4}));
}

TEST(AttentionReference, IsolatedNodesGetTheBiasAlone) {
  const TestGraph graph = make_graph({{1}, {}});

  const Real out = ref::gat_attention<double>(
      graph.view().in, {1, 2}, {{1, 2, 3, 4}, {0, 0}, {0, 0}, {0.5, -0.5}, {2.0}, 0.2});

  EXPECT_EQ(out, (Real{6.5, 7.5, 0.5, -0.5}));
}

TEST(AttentionReference, NodeScoresDerivativeIsTheComplexStep) {
  const Real projected = random_values<double>(7 * kHeads.row(), 1);
  const Real attention = random_values<double>(kHeads.row(), 2);
  const Real grad_out = random_values<double>(7 * kHeads.count, 3);
  const Real to_projected = random_values<double>(projected.size(), 4);
  const Real to_attention = random_values<double>(attention.size(), 5);

  const auto grad = ref::node_scores_vjp(kHeads, projected, attention, grad_out);

  const double want = complex_step(
      ref::node_scores(kHeads, moved(projected, to_projected), moved(attention, to_attention)),
      grad_out);
  EXPECT_NEAR(product(grad.projected, to_projected) + product(grad.attention, to_attention), want,
              kDerivativeTolerance);
}

TEST(AttentionReference, EdgeScoresDerivativeIsTheComplexStep) {
  const TestGraph graph = random_graph(23, 1);
  const CsrView in = graph.view().in;
  const Real source = random_values<double>(23 * 3, 1), destination = random_values<double>(69, 2);
  const Real grad_out = random_values<double>(in.edges() * 3, 3);
  const Real to_source = random_values<double>(69, 4),
             to_destination = random_values<double>(69, 5);

  const auto grad = ref::edge_scores_vjp(in, 3, source, destination, 0.2, grad_out);

  const double want = complex_step(
      ref::edge_scores(in, 3, moved(source, to_source), moved(destination, to_destination), 0.2),
      grad_out);
  EXPECT_NEAR(product(grad.source, to_source) + product(grad.destination, to_destination), want,
              kDerivativeTolerance);
}

TEST(AttentionReference, SoftmaxDerivativeIsTheComplexStep) {
  const TestGraph graph = random_graph(23, 2);
  const CsrView in = graph.view().in;
  const Real scores = random_values<double>(in.edges() * 3, 1);
  const Real grad_out = random_values<double>(in.edges() * 3, 2);
  const Real direction = random_values<double>(in.edges() * 3, 3);

  const Real grad = ref::edge_softmax_vjp(in, 3, ref::edge_softmax(in, 3, scores), grad_out);

  const double want = complex_step(ref::edge_softmax(in, 3, moved(scores, direction)), grad_out);
  EXPECT_NEAR(product(grad, direction), want, kDerivativeTolerance);
}

TEST(AttentionReference, AggregateDerivativeIsTheComplexStep) {
  const TestGraph graph = random_graph(23, 3);
  const CsrView in = graph.view().in;
  const Real weights = random_values<double>(in.edges() * 3, 1);
  const Real features = random_values<double>(23 * kHeads.row(), 2);
  const Real grad_out = random_values<double>(23 * kHeads.row(), 3);
  const Real to_weights = random_values<double>(weights.size(), 4);
  const Real to_features = random_values<double>(features.size(), 5);

  const auto grad = ref::aggregate_vjp(in, kHeads, weights, features, grad_out);

  const double want = complex_step(
      ref::aggregate(in, kHeads, moved(weights, to_weights), moved(features, to_features)),
      grad_out);
  EXPECT_NEAR(product(grad.weights, to_weights) + product(grad.features, to_features), want,
              kDerivativeTolerance);
}

TEST(AttentionReference, WholeLayerDerivativeIsTheComplexStep) {
  const TestGraph graph = random_graph(29, 4);
  const CsrView in = graph.view().in;
  ref::AttentionInputs<double> x{random_values<double>(29 * kHeads.row(), 1),
                                 random_values<double>(29 * 3, 2),
                                 random_values<double>(29 * 3, 3),
                                 random_values<double>(kHeads.row(), 4),
                                 random_values<double>(in.edges() * 3, 5),
                                 0.2};
  for (double& factor : x.factors) factor = factor > 0.5 ? 0.0 : 4.0 / 3;
  const Real to_projected = random_values<double>(x.projected.size(), 6);
  const Real to_source = random_values<double>(29 * 3, 7);
  const Real to_destination = random_values<double>(29 * 3, 8);
  const Real to_bias = random_values<double>(kHeads.row(), 9);
  const Real grad_out = random_values<double>(29 * kHeads.row(), 10);

  const auto grad = ref::gat_attention_vjp(in, kHeads, x, grad_out);

  const ref::AttentionInputs<Complex> step{moved(x.projected, to_projected),
                                           moved(x.source_scores, to_source),
                                           moved(x.destination_scores, to_destination),
                                           moved(x.bias, to_bias),
                                           x.factors,
                                           x.leaky_slope};
  const double want = complex_step(ref::gat_attention(in, kHeads, step), grad_out);
  EXPECT_NEAR(product(grad.projected, to_projected) + product(grad.source_scores, to_source) +
                  product(grad.destination_scores, to_destination) + product(grad.bias, to_bias),
              want, kDerivativeTolerance);
}

}  // namespace
}  // namespace m2st::test
