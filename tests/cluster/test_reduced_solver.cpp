// The reduced form against its oracle, the direct form: the same labels at every iteration.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "cluster/reduced_solver.h"
#include "cluster/reference_solver.h"
#include "cluster/stacked_gram.h"
#include "engine/random.h"
#include "tests/cluster/golden_clustering.h"
#include "tests/cluster/solver_history.h"
#include "tests/cluster/starmap.h"

namespace m2st::cluster {
namespace {

using test::copy_of;
using test::History;

// What a hundred iterations of both forms may drift apart.
constexpr double kDrift = 1e-7;

double largest_gap(const Matrix<double>& a, const Matrix<double>& b) {
  double gap = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    gap = std::max(gap, std::abs(a.data()[i] - b.data()[i]));
  }
  return gap;
}

void expect_same_run(CpuContext& context, const std::vector<Matrix<double>>& data,
                     const ReferenceOptions& options, ReferenceState start,
                     const std::string& what) {
  ReferenceState other_start = copy_of(context, start);
  History direct, reduced;

  solve_reference(context, data, options, start, direct.observer());
  solve_reduced(context, data, options, other_start, reduced.observer());

  ASSERT_EQ(reduced.labels.size(), direct.labels.size());
  for (std::size_t i = 0; i < direct.labels.size(); ++i) {
    ASSERT_EQ(reduced.labels[i], direct.labels[i]) << what << ", iteration " << i + 1;
    for (std::size_t m = 0; m < direct.weights[i].size(); ++m) {
      ASSERT_NEAR(reduced.weights[i][m], direct.weights[i][m], kDrift) << what << " " << i + 1;
    }
  }
  EXPECT_LE(largest_gap(start.common, other_start.common), kDrift) << what;
  for (std::size_t m = 0; m < data.size(); ++m) {
    EXPECT_LE(largest_gap(start.views[m].specific_map, other_start.views[m].specific_map), kDrift)
        << what;
  }
}

Matrix<double> blobs(CpuContext& context, std::int64_t cells, std::int64_t width) {
  Matrix<double> result(context.pool(), cells, width);
  const RandomKey key{9, stream_of(Purpose::kTest, static_cast<std::uint32_t>(width)), 0};
  for (std::int64_t i = 0; i < cells; ++i) {
    for (std::int64_t j = 0; j < width; ++j) {
      result(i, j) = 2 * ((i + j) % 3) + random_normal(key, static_cast<std::uint32_t>(i),
                                                       static_cast<std::uint32_t>(j));
    }
  }
  return result;
}

std::vector<Matrix<double>> blob_views(CpuContext& context, std::int64_t cells,
                                       const std::vector<std::int64_t>& widths) {
  std::vector<Matrix<double>> unscaled;
  std::vector<MatrixView<const double>> views;
  for (const std::int64_t width : widths) {
    unscaled.push_back(blobs(context, cells, width));
    views.push_back(unscaled.back().view());
  }
  return reference_data<double>(context, views, true);
}

ReferenceOptions blob_options(int clusters) {
  ReferenceOptions options;
  options.clusters = clusters;
  options.specific_dim = 6;
  options.lambda1 = 0.5;
  options.lambda2 = 0.01;
  options.iterations = 15;
  return options;
}

TEST(ReducedSolver, MatchesTheGoldenLabels) {
  M2ST_NEEDS_SHARED("golden/cluster");
  CpuContext context(2);
  const test::GoldenClustering golden = test::golden_clustering(context);
  ReferenceState state = test::golden_state(context, "init", golden.data.size());

  solve_reduced(context, golden.data, golden.options, state, [&](const IterationState& now) {
    for (const int kept : {1, 2, 5, 10, 20}) {
      if (now.iteration == kept) {
        EXPECT_EQ(now.state.labels, test::golden_labels(context, "iter" + std::to_string(kept)));
      }
    }
  });

  EXPECT_TRUE(state.views[0].specific.empty());
}

TEST(ReducedSolver, RunsAsTheDirectFormOnGoldenData) {
  M2ST_NEEDS_SHARED("golden/cluster");
  CpuContext context(2);
  const test::GoldenClustering golden = test::golden_clustering(context);
  expect_same_run(context, golden.data, golden.options,
                  test::golden_state(context, "init", golden.data.size()), "golden");
}

TEST(ReducedSolver, RunsAsTheDirectFormAtRaggedSizes) {
  CpuContext context(2);
  for (const std::int64_t cells : {12, 31, 127, 128, 129, 700}) {
    for (const std::vector<std::int64_t>& widths :
         {std::vector<std::int64_t>{10}, {9, 5}, {7, 3, 4}}) {
      const std::vector<Matrix<double>> data = blob_views(context, cells, widths);
      const ReferenceOptions options = blob_options(4);
      expect_same_run(context, data, options, initial_state(context, data, options),
                      std::to_string(cells) + " cells, " + std::to_string(widths.size()));
    }
  }
}

TEST(ReducedSolver, RunsAsTheDirectFormWithThePapersChoices) {
  CpuContext context(2);
  const std::vector<Matrix<double>> data = blob_views(context, 300, {9, 5});
  ReferenceOptions options = blob_options(4);
  options.normalise_rows = false;
  options.iterations = 5;
  expect_same_run(context, data, options, initial_state(context, data, options), "no rows");
  options.normalise_rows = true;
  options.weight_norm = WeightNorm::kFrobenius;
  expect_same_run(context, data, options, initial_state(context, data, options), "Frobenius");
}

TEST(ReducedSolver, RunsAsTheDirectFormOnStarmapEmbeddings) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  CpuContext context(2);
  for (const std::string embedding : {"a", "b"}) {
    const auto data = test::starmap_data(context, embedding);
    const ReferenceOptions options = test::starmap_options();
    expect_same_run(context, data, options, initial_state(context, data, options), embedding);
  }
}

// Eq. 12 summed up from the variables of the direct form.
TEST(ReducedSolver, ReportsTheObjectiveOfEquationTwelve) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = blob_views(context, 90, {9, 5});
  const ReferenceOptions options = blob_options(4);
  ReferenceState state = initial_state(context, data, options);
  ReferenceState direct = copy_of(context, state);

  const ObjectiveTerms terms =
      solve_reduced(context, data, data_gram(context, data).view(), options, state, {});

  solve_reference(context, data, options, direct, {});
  double reconstruction = 0, size = 0, scatter = 0, excess = 0, entropy = 0;
  const auto add = [&](double alpha, const Matrix<double>& x, const Matrix<double>& centres) {
    for (const double value : x.span()) size += options.lambda1 * value * value;
    entropy += alpha * std::log(alpha) / options.lambda2;
    for (std::int64_t i = 0; i < x.cols(); ++i) {
      for (std::int64_t row = 0; row < x.rows(); ++row) {
        const double gap = x(row, i) - centres(row, direct.labels[static_cast<std::size_t>(i)]);
        scatter += alpha * gap * gap;
      }
    }
    for (std::int64_t a = 0; a < centres.cols(); ++a) {
      for (std::int64_t b = 0; b < centres.cols(); ++b) {
        double dot = a == b ? -1 : 0;
        for (std::int64_t row = 0; row < centres.rows(); ++row) {
          dot += centres(row, a) * centres(row, b);
        }
        excess += 0.5 * options.lambda3 * dot * dot;
      }
    }
  };
  for (std::size_t m = 0; m < data.size(); ++m) {
    const ReferenceView& view = direct.views[m];
    for (std::int64_t i = 0; i < data[m].rows(); ++i) {
      for (std::int64_t j = 0; j < data[m].cols(); ++j) {
        double rest = data[m](i, j);
        for (std::int64_t row = 0; row < direct.common.rows(); ++row) {
          rest -= direct.common(row, i) * view.common_map(row, j);
        }
        for (std::int64_t row = 0; row < view.specific.rows(); ++row) {
          rest -= view.specific(row, i) * view.specific_map(row, j);
        }
        reconstruction += rest * rest;
      }
    }
    add(direct.weights[m], view.specific, view.centres);
  }
  add(direct.weights.back(), direct.common, direct.common_centres);
  EXPECT_NEAR(terms.reconstruction, reconstruction, kDrift * reconstruction);
  EXPECT_NEAR(terms.size, size, kDrift * size);
  EXPECT_NEAR(terms.scatter, scatter, kDrift * scatter);
  EXPECT_NEAR(terms.orthogonality, excess, kDrift * excess);
  EXPECT_NEAR(terms.entropy, entropy, kDrift * -entropy);
  EXPECT_EQ(terms.maps, 0);
}

TEST(ReducedSolver, GivesTheSameBytesForAnyNumberOfThreads) {
  CpuContext one(1), five(5);
  const Matrix<double> x = blobs(one, 2000, 12);
  Matrix<float> embedding(one.pool(), x.rows(), x.cols());
  std::copy(x.span().begin(), x.span().end(), embedding.span().begin());

  const ReferenceState a = reference_clustering(one, {embedding.view()}, blob_options(5));
  const ReferenceState b = reference_clustering(five, {embedding.view()}, blob_options(5));

  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(largest_gap(a.common, b.common), 0);
}

TEST(ReducedSolver, DegenerateInputStaysFinite) {
  CpuContext context(1);
  for (const std::int64_t cells : {1, 2, 9}) {
    for (const float value : {0.f, 1e30f}) {
      Matrix<float> same(context.pool(), cells, 4);
      std::fill(same.span().begin(), same.span().end(), value);
      for (const int clusters : {1, static_cast<int>(cells)}) {
        for (const bool scale : {true, false}) {
          ReferenceOptions options = blob_options(clusters);
          options.scale_input = scale;
          const ReferenceState state = reference_clustering(context, {same.view()}, options);
          for (const double weight : state.weights) EXPECT_TRUE(weight >= 0 && weight <= 1);
          for (const double entry : state.common.span()) EXPECT_TRUE(std::isfinite(entry));
          for (const std::int32_t label : state.labels) {
            EXPECT_TRUE(label >= 0 && label < clusters);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace m2st::cluster
