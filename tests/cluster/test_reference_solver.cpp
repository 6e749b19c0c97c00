// The direct form of the reference clustering: golden values, optimality of a block, bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "cluster/reference_algebra.h"
#include "cluster/reference_solver.h"
#include "engine/check.h"
#include "engine/random.h"
#include "tests/cluster/golden_clustering.h"

namespace m2st::cluster {
namespace {

constexpr double kGoldenTolerance = 1e-8;  // two programs, five steps of solves in double
constexpr double kRounding = 1e-13;

Matrix<double> matrix(CpuContext& context, std::int64_t rows, std::int64_t cols,
                      const std::vector<double>& values) {
  Matrix<double> result(context.pool(), rows, cols);
  std::copy(values.begin(), values.end(), result.span().begin());
  return result;
}

Matrix<double> random_matrix(CpuContext& context, std::uint32_t stream, std::int64_t rows,
                             std::int64_t cols) {
  Matrix<double> result(context.pool(), rows, cols);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    result.data()[i] =
        random_normal({3, stream_of(Purpose::kTest, stream), 0}, static_cast<std::uint32_t>(i));
  }
  return result;
}

void expect_near(const Matrix<double>& got, const Matrix<double>& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(got.rows(), expected.rows()) << what;
  ASSERT_EQ(got.cols(), expected.cols()) << what;
  double worst = 0;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got.data()[i] - expected.data()[i]));
  }
  EXPECT_LE(worst, tolerance) << what;
}

void expect_near(const ReferenceState& got, const ReferenceState& expected) {
  for (std::size_t m = 0; m < got.views.size(); ++m) {
    const std::string view = std::to_string(m);
    expect_near(got.views[m].specific, expected.views[m].specific, kGoldenTolerance, "S" + view);
    expect_near(got.views[m].specific_map, expected.views[m].specific_map, kGoldenTolerance,
                "P" + view);
    expect_near(got.views[m].common_map, expected.views[m].common_map, kGoldenTolerance,
                "W" + view);
    expect_near(got.views[m].centres, expected.views[m].centres, kGoldenTolerance, "V" + view);
  }
  expect_near(got.common, expected.common, kGoldenTolerance, "H");
  expect_near(got.common_centres, expected.common_centres, kGoldenTolerance, "V of H");
}

bool all_finite(const Matrix<double>& x) {
  return std::all_of(x.span().begin(), x.span().end(), [](double v) { return std::isfinite(v); });
}

void expect_finite(const ReferenceState& state, int clusters) {
  for (const ReferenceView& view : state.views) {
    EXPECT_TRUE(all_finite(view.specific) && all_finite(view.specific_map) &&
                all_finite(view.common_map) && all_finite(view.centres));
  }
  EXPECT_TRUE(all_finite(state.common) && all_finite(state.common_centres));
  for (const double weight : state.weights) EXPECT_TRUE(weight >= 0 && weight <= 1) << weight;
  for (const std::int32_t label : state.labels) EXPECT_TRUE(label >= 0 && label < clusters);
}

// Runs from the engine's own starting values.
ReferenceState clustered(CpuContext& context, const std::vector<Matrix<double>>& data,
                         const ReferenceOptions& options) {
  ReferenceState state = initial_state(context, data, options);
  solve_reference(context, data, options, state, {});
  return state;
}

ReferenceOptions small_options(int clusters) {
  ReferenceOptions options;
  options.clusters = clusters;
  options.iterations = 8;
  options.specific_dim = 4;
  options.lambda1 = 0.1;
  return options;
}

std::vector<Matrix<double>> two_views(CpuContext& context, std::int64_t cells) {
  std::vector<Matrix<double>> data;
  data.push_back(random_matrix(context, 1, cells, 6));
  data.push_back(random_matrix(context, 2, cells, 3));
  return data;
}

TEST(ReferenceSolver, MatchesTheGoldenIterations) {
  M2ST_NEEDS_SHARED("golden/cluster");
  CpuContext context(2);
  const test::GoldenClustering golden = test::golden_clustering(context);
  ReferenceState state = test::golden_state(context, "init", golden.data.size());

  solve_reference(context, golden.data, golden.options, state, [&](const IterationState& now) {
    const std::string moment = "iter" + std::to_string(now.iteration);
    const auto& expected = golden.iterations[static_cast<std::size_t>(now.iteration - 1)];
    for (std::size_t m = 0; m < now.state.weights.size(); ++m) {
      EXPECT_NEAR(now.state.weights[m], expected["weights"][m].get<double>(), kGoldenTolerance)
          << moment;
    }
    if (std::set{1, 2, 5, 10, 20}.contains(now.iteration)) {
      EXPECT_EQ(now.state.labels, test::golden_labels(context, moment)) << moment;
    }
    if (now.iteration == 1 || now.iteration == 5) {
      expect_near(now.state, test::golden_state(context, moment, golden.data.size()));
    }
  });

  EXPECT_EQ(state.weights.size(), 3u);
}

TEST(ReferenceSolver, GivesTheSameBytesForAnyNumberOfThreads) {
  CpuContext one(1), three(3);
  const ReferenceState a = clustered(one, two_views(one, 600), small_options(5));
  const ReferenceState b = clustered(three, two_views(three, 600), small_options(5));

  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_TRUE(std::equal(a.common.span().begin(), a.common.span().end(), b.common.span().begin()));
}

// What eq. 12 says of H alone, everything else fixed.
double objective_of_common(const std::vector<Matrix<double>>& data, const ReferenceOptions& options,
                           const ReferenceState& state, const Matrix<double>& common,
                           const Matrix<double>& centres, const std::vector<std::int32_t>& labels) {
  double sum = 0;
  for (std::size_t m = 0; m < data.size(); ++m) {
    const ReferenceView& view = state.views[m];
    for (std::int64_t i = 0; i < data[m].rows(); ++i) {
      for (std::int64_t j = 0; j < data[m].cols(); ++j) {
        double rest = data[m](i, j);
        for (std::int64_t r = 0; r < common.rows(); ++r)
          rest -= common(r, i) * view.common_map(r, j);
        for (std::int64_t r = 0; r < view.specific.rows(); ++r) {
          rest -= view.specific(r, i) * view.specific_map(r, j);
        }
        sum += rest * rest;
      }
    }
  }
  for (std::int64_t r = 0; r < common.rows(); ++r) {
    for (std::int64_t i = 0; i < common.cols(); ++i) {
      const double gap = common(r, i) - centres(r, labels[static_cast<std::size_t>(i)]);
      sum += options.lambda1 * common(r, i) * common(r, i) + state.weights.back() * gap * gap;
    }
  }
  return sum;
}

TEST(ReferenceSolver, UnnormalisedCommonRepresentationMinimisesItsBlock) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = two_views(context, 33);
  ReferenceOptions options = small_options(3);
  options.normalise_rows = false;
  options.iterations = 1;
  ReferenceState state = initial_state(context, data, options);
  const std::vector<std::int32_t> labels = state.labels;
  const Matrix<double> centres = matrix(
      context, 3, 3, {state.common_centres.span().begin(), state.common_centres.span().end()});

  solve_reference(context, data, options, state, {});

  const double reached = objective_of_common(data, options, state, state.common, centres, labels);
  for (std::uint32_t direction = 0; direction < 5; ++direction) {
    for (const double step : {1e-3, -1e-3}) {
      Matrix<double> moved = random_matrix(context, 20 + direction, 3, 33);
      for (std::int64_t i = 0; i < moved.size(); ++i) {
        moved.data()[i] = state.common.data()[i] + step * moved.data()[i];
      }
      EXPECT_GT(objective_of_common(data, options, state, moved, centres, labels), reached);
    }
  }
}

TEST(ReferenceSolver, SeedsDifferAndRepeat) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = two_views(context, 64);
  ReferenceOptions options = small_options(4);

  const ReferenceState first = initial_state(context, data, options);
  const ReferenceState again = initial_state(context, data, options);
  options.seed = 1;
  const ReferenceState other = initial_state(context, data, options);

  EXPECT_EQ(first.labels, again.labels);
  EXPECT_NE(first.labels, other.labels);
  EXPECT_NE(first.common(0, 0), other.common(0, 0));
  EXPECT_NE(first.common(0, 0), first.common_centres(0, 0));
}

TEST(ReferenceSolver, StartsFromOrthonormalRowsCappedByTheViewsWidth) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = two_views(context, 50);

  const ReferenceState state = initial_state(context, data, small_options(4));

  ASSERT_EQ(state.views[0].specific.rows(), 4);
  ASSERT_EQ(state.views[1].specific.rows(), 3);
  const Matrix<double> gram = ridged_gram(context, state.views[0].specific.view(), 0);
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 4; ++j) EXPECT_NEAR(gram(i, j), i == j, kRounding);
  }
}

TEST(ReferenceSolver, OneClusterAndAsManyAsCellsWork) {
  CpuContext context(1);
  for (const std::int64_t cells : {1, 2, 12}) {
    for (const int clusters : {1, static_cast<int>(cells)}) {
      const ReferenceState state =
          clustered(context, two_views(context, cells), small_options(clusters));
      expect_finite(state, clusters);
    }
  }
}

TEST(ReferenceSolver, ConstantAndRepeatedDataStayFinite) {
  CpuContext context(1);
  for (const bool normalise : {true, false}) {
    for (const double value : {0.0, 3.0}) {
      Matrix<double> same(context.pool(), 20, 5);
      std::fill(same.span().begin(), same.span().end(), value);
      ReferenceOptions options = small_options(3);
      options.normalise_rows = normalise;
      options.lambda1 = 0;
      const std::vector<MatrixView<const double>> views = {same.view(), same.view()};
      for (const bool scale : {true, false}) {
        const auto data = reference_data<double>(context, views, scale);
        expect_finite(clustered(context, data, options), 3);
      }
    }
  }
}

TEST(ReferenceSolver, HugeValuesStayFinite) {
  CpuContext context(1);
  for (const double scale : {1e150, 1e200, 1e300}) {
    std::vector<Matrix<double>> data = two_views(context, 25);
    for (Matrix<double>& view : data) {
      for (double& value : view.span()) value *= scale;
    }
    for (const bool normalise : {true, false}) {
      ReferenceOptions options = small_options(3);
      options.normalise_rows = normalise;
      expect_finite(clustered(context, data, options), 3);
    }
  }
}

TEST(ReferenceSolver, UnderflowingWeightsAreEqual) {
  CpuContext context(1);
  ReferenceOptions options = small_options(3);
  options.lambda2 = 1e12;

  const ReferenceState state = clustered(context, two_views(context, 40), options);

  EXPECT_EQ(state.weights, std::vector<double>(3, 1.0 / 3));
  EXPECT_EQ(view_weights(context, 1.0, {1e4, 2e4}), std::vector<double>(2, 0.5));
}

TEST(ReferenceSolver, RefusesImpossibleOptions) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = two_views(context, 10);
  const auto code = [&](const ReferenceOptions& options) {
    try {
      initial_state(context, data, options);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  };
  ReferenceOptions negative = small_options(3);
  negative.lambda3 = -1;
  ReferenceOptions not_a_number = small_options(3);
  not_a_number.lambda1 = NAN;

  EXPECT_EQ(code(small_options(0)), ExitCode::kParameterImpossible);
  EXPECT_EQ(code(small_options(11)), ExitCode::kParameterImpossible);
  EXPECT_EQ(code(negative), ExitCode::kParameterImpossible);
  EXPECT_EQ(code(not_a_number), ExitCode::kParameterImpossible);
  EXPECT_EQ(code(small_options(10)), ExitCode::kOk);
}

TEST(ReferenceSolver, RefusesAStateOfAnotherShape) {
  CpuContext context(1);
  const std::vector<Matrix<double>> data = two_views(context, 10);
  const ReferenceOptions options = small_options(3);
  ReferenceState state = initial_state(context, data, options);
  state.labels[4] = 3;
  EXPECT_THROW(solve_reference(context, data, options, state, {}), Error);
  state.labels[4] = 2;
  state.views.pop_back();
  EXPECT_THROW(solve_reference(context, data, options, state, {}), Error);
}

TEST(ReferenceAlgebra, SingularSystemsAreSolvedByLeastSquares) {
  CpuContext context(1);
  const Matrix<double> singular = matrix(context, 2, 2, {1, 1, 1, 1});
  const Matrix<double> indefinite = matrix(context, 2, 2, {0, 1, 1, 0});
  const Matrix<double> zero = matrix(context, 2, 2, {0, 0, 0, 0});
  const Matrix<double> right = matrix(context, 2, 1, {2, 4});

  expect_near(solved(context, singular.view(), right.view()), matrix(context, 2, 1, {1.5, 1.5}),
              kRounding, "singular");
  expect_near(solved(context, indefinite.view(), right.view()), matrix(context, 2, 1, {4, 2}),
              kRounding, "indefinite");
  expect_near(solved(context, zero.view(), right.view()), matrix(context, 2, 1, {0, 0}), kRounding,
              "zero");
}

TEST(ReferenceAlgebra, CentreStepOfOneDimension) {
  CpuContext context(1);
  const std::vector<std::int64_t> counts = {4};

  // α X Uᵀ / (α n + λ₃ v² − λ₃) = 0.5 · 3 / (2 + 8 − 2).
  expect_near(next_centres(context, 0.5, 2, matrix(context, 1, 1, {3}).view(), counts,
                           matrix(context, 1, 1, {2}).view()),
              matrix(context, 1, 1, {1.5 / 8}), kRounding, "regular");
  // α n = λ₃ and v = 0: the pseudo-inverse of 0 is 0.
  expect_near(next_centres(context, 0.5, 2, matrix(context, 1, 1, {3}).view(), counts,
                           matrix(context, 1, 1, {0}).view()),
              matrix(context, 1, 1, {0}), kRounding, "singular");
}

TEST(ReferenceAlgebra, NormsOfADiagonalGram) {
  CpuContext context(1);
  const Matrix<double> gram = matrix(context, 2, 2, {4, 0, 0, 1});

  EXPECT_NEAR(squared_norm(context, gram.view(), WeightNorm::kSpectral), 4, kRounding);
  EXPECT_NEAR(squared_norm(context, gram.view(), WeightNorm::kFrobenius), 5, kRounding);
}

TEST(ReferenceAlgebra, CleanReplacesWhatIsNotFinite) {
  std::vector<double> values = {1, NAN, INFINITY, -INFINITY};
  CpuContext context(1);
  clean<CpuContext>(context, values);
  EXPECT_EQ(values, (std::vector<double>{1, 0, 1e5, -1e5}));
}

}  // namespace
}  // namespace m2st::cluster
