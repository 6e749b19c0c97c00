// The default clustering's view of cells against a naive one: with as many components as columns,
// inner products of the scores must be those of the evened, averaged and centred rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cluster/spatial_components.h"
#include "tests/support/random_dense.h"
#include "tests/support/random_graph.h"

namespace m2st {
namespace {

using cluster::spatial_components;
using cluster::SpatialComponentOptions;
using reference::Dense;
using test::view_of;

// Float rows through double algebra: some hundred roundings of 1e-7.
constexpr double kTolerance = 2e-5;

// A ring with chords, without self loops; the last cell is isolated.
test::TestGraph ring(std::int32_t nodes) {
  std::vector<std::vector<std::int32_t>> sources(static_cast<std::size_t>(nodes));
  const auto join = [&](std::int32_t i, std::int32_t j) {
    sources[static_cast<std::size_t>(i)].push_back(j);
    sources[static_cast<std::size_t>(j)].push_back(i);
  };
  for (std::int32_t i = 0; i + 2 < nodes; ++i) join(i, i + 1);
  for (std::int32_t i = 0; i + 6 < nodes; i += 3) join(i, i + 5);
  return test::make_graph(sources);
}

Dense<double> averaged(Dense<double> x, const CsrView& graph, int steps) {
  for (int step = 0; step < steps; ++step) {
    Dense<double> next(x.rows, x.cols);
    for (std::int64_t i = 0; i < x.rows; ++i) {
      const auto degree = static_cast<double>(graph.offsets[i + 1] - graph.offsets[i]);
      for (std::int64_t c = 0; c < x.cols; ++c) {
        double sum = x(i, c);
        for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
          sum += x(graph.sources[e], c);
        }
        next(i, c) = sum / (degree + 1);
      }
    }
    x = next;
  }
  return x;
}

std::vector<double> row_norms(const Dense<double>& x) {
  std::vector<double> norms(static_cast<std::size_t>(x.rows), 0.0);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) norms[n] += x(n, c) * x(n, c);
    norms[n] = std::sqrt(norms[n]);
  }
  return norms;
}

Dense<double> naive_rows(const Dense<double>& features, const CsrView& graph, int steps,
                         double exponent) {
  Dense<double> x = reference::centred(features);
  const auto norms = row_norms(x);
  for (std::int64_t n = 0; n < x.rows; ++n) {
    for (std::int64_t c = 0; c < x.cols; ++c) x(n, c) /= std::pow(norms[n], exponent);
  }
  return reference::centred(averaged(x, graph, steps));
}

void expect_same_inner_products(const Matrix<double>& scores, const Dense<double>& rows) {
  double total = 0;
  for (const double value : rows.values) total += value * value;
  ASSERT_EQ(scores.rows(), rows.rows);
  double worst = 0;
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    for (std::int64_t j = 0; j < rows.rows; ++j) {
      double expected = 0, got = 0;
      for (std::int64_t c = 0; c < rows.cols; ++c) expected += rows(i, c) * rows(j, c);
      for (std::int64_t c = 0; c < scores.cols(); ++c) got += scores(i, c) * scores(j, c);
      worst = std::max(worst, std::abs(got - expected * static_cast<double>(rows.rows) / total));
    }
  }
  EXPECT_LE(worst, kTolerance);
}

TEST(SpatialComponents, MatchTheNaiveRowsForEveryExponent) {
  CpuContext context(2);
  const auto graph = ring(40);
  const auto features = test::random_dense<float>(40, 6, 1);
  for (const double exponent : {0.0, 0.5, 1.0}) {
    for (const int steps : {0, 1, 4}) {
      const SpatialComponentOptions options{
          .steps = steps, .components = 6, .length_exponent = exponent, .embedding_weight = 0};
      const auto scores =
          spatial_components(context, {}, view_of(features), graph.view().in, options);
      expect_same_inner_products(
          scores, naive_rows(test::converted<double>(features), graph.view().in, steps, exponent));
    }
  }
}

// Rows of like length, three of them of a hundred made `factor` times as long.
double exponent_with_long_rows(float factor) {
  CpuContext context(1);
  auto features = test::random_dense<float>(100, 50, 4);
  for (const std::int64_t n : {10, 40, 70}) {
    for (std::int64_t c = 0; c < 50; ++c) features(n, c) *= factor;
  }
  return cluster::length_exponent_of(context, view_of(features));
}

TEST(LengthExponent, IsOneWhereAFewRowsAreManyTimesAsLong) {
  EXPECT_EQ(exponent_with_long_rows(1), 0.5);
  EXPECT_EQ(exponent_with_long_rows(2), 0.5);
  EXPECT_EQ(exponent_with_long_rows(8), 1.0);
}

TEST(LengthExponent, ExistsForOneCellAndForCellsAllAlike) {
  CpuContext context(1);
  const auto one = test::random_dense<float>(1, 3, 1);
  EXPECT_EQ(cluster::length_exponent_of(context, view_of(one)), 0.5);
}

TEST(SpatialComponents, GiveEmbeddingsTheirShareOfTheVariance) {
  CpuContext context(1);
  const auto graph = ring(50);
  const auto features = test::random_dense<float>(50, 5, 1);
  const auto embedding = test::random_dense<float>(50, 4, 2);
  const SpatialComponentOptions options{
      .steps = 2,
      .components = 30,
      .embedding_weight = 0.25,
  };
  const auto joined = spatial_components(context, {view_of(embedding)}, view_of(features),
                                         graph.view().in, options);

  Dense<double> rows(50, 9);
  const auto a = naive_rows(test::converted<double>(features), graph.view().in, 2, 1);
  const auto b = naive_rows(test::converted<double>(embedding), graph.view().in, 2, 1);
  double square_a = 0, square_b = 0;
  for (const double value : a.values) square_a += value * value;
  for (const double value : b.values) square_b += value * value;
  for (std::int64_t n = 0; n < 50; ++n) {
    for (std::int64_t c = 0; c < 5; ++c) rows(n, c) = a(n, c) / std::sqrt(square_a);
    for (std::int64_t c = 0; c < 4; ++c) rows(n, 5 + c) = 0.5 * b(n, c) / std::sqrt(square_b);
  }
  expect_same_inner_products(joined, rows);
}

TEST(SpatialComponents, GiveTheSameBytesForAnyNumberOfThreads) {
  const auto graph = ring(3000);
  const auto features = test::random_dense<float>(3000, 20, 1);
  const auto embedding = test::random_dense<float>(3000, 8, 2);
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 5}) {
    CpuContext context(threads);
    const auto scores =
        spatial_components(context, {view_of(embedding)}, view_of(features), graph.view().in, {});
    results.emplace_back(scores.span().begin(), scores.span().end());
  }
  EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * 8), 0);
  EXPECT_EQ(std::memcmp(results[0].data(), results[2].data(), results[0].size() * 8), 0);
}

TEST(SpatialComponents, AreFiniteForOneCellAndForCellsAllAlike) {
  CpuContext context(1);
  Dense<float> same(5, 3);
  std::fill(same.values.begin(), same.values.end(), 2.0f);
  const auto graph = ring(5);
  for (const double value :
       spatial_components(context, {}, view_of(same), graph.view().in, {}).span()) {
    EXPECT_EQ(value, 0.0);
  }
  const auto one = test::random_dense<float>(1, 3, 1);
  for (const double value : spatial_components(context, {view_of(one)}, {}, {}, {}).span()) {
    EXPECT_EQ(value, 0.0);
  }
}

}  // namespace
}  // namespace m2st
