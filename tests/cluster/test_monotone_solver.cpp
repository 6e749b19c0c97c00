// The monotone solver: that its objective never rises, that it is what eq. 12 says, bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/centre_descent.h"
#include "cluster/monotone_solver.h"
#include "cluster/reference_algebra.h"
#include "cluster/stacked_gram.h"
#include "engine/check.h"
#include "engine/random.h"
#include "tests/cluster/blobs.h"
#include "tests/cluster/golden_clustering.h"
#include "tests/cluster/starmap.h"
#include "tests/support/expect_error.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

MonotoneResult solve_monotone(CpuContext& context, const std::vector<Matrix<double>>& data,
                              const MonotoneOptions& options) {
  return cluster::solve_monotone(context, data, data_gram(context, data).view(), options);
}

// The objective comes from Gram matrices: what is left of ‖D‖² after cancelling carries some
// hundred roundings of ‖D‖².
constexpr double kRounding = 1e-12;
constexpr double kTwoForms = 1e-9;  // direct and reduced, a few steps of solves in double

void expect_no_rise(const MonotoneResult& result, const std::string& what) {
  for (std::size_t i = 1; i < result.history.size(); ++i) {
    const double scale = result.data_square + std::abs(result.history[i - 1]);
    ASSERT_LE(result.history[i] - result.history[i - 1], kRounding * scale)
        << what << ", iteration " << i + 1;
  }
}

std::vector<Matrix<double>> blob_data(CpuContext& context, std::int64_t cells, int clouds,
                                      const std::vector<std::int64_t>& widths, std::uint64_t seed) {
  std::vector<reference::Dense<double>> unscaled;
  std::vector<MatrixView<const double>> views;
  for (const std::int64_t width : widths) {
    unscaled.push_back(m2st::test::blobs(cells, clouds, width, 8, seed++));
    const auto& dense = unscaled.back();
    views.push_back({dense.values.data(), dense.rows, dense.cols});
  }
  return reference_data<double>(context, views, true);
}

std::uint32_t drawn(std::uint32_t trial, std::uint32_t what, std::uint32_t bound) {
  return random_index({21, stream_of(Purpose::kTest, what), 0}, bound, trial);
}

double decade(std::uint32_t trial, std::uint32_t what, int lowest, std::uint32_t count) {
  return std::pow(10.0, lowest + static_cast<int>(drawn(trial, what, count)));
}

TEST(MonotoneSolver, NeverRisesOnGoldenData) {
  M2ST_NEEDS_SHARED("golden/cluster");
  CpuContext context(2);
  const test::GoldenClustering golden = test::golden_clustering(context);
  for (const double lambda1 : {0.01, 1.0, 100.0}) {
    MonotoneOptions options;
    options.clusters = golden.options.clusters;
    options.specific_dim = golden.options.specific_dim;
    options.lambda1 = lambda1;
    const MonotoneResult result = solve_monotone(context, golden.data, options);
    EXPECT_GT(result.iterations, 3);
    expect_no_rise(result, "golden");
  }
}

TEST(MonotoneSolver, NeverRisesOnStarmapEmbeddings) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  CpuContext context(2);
  for (const std::string embedding : {"a", "b"}) {
    const auto data = test::starmap_data(context, embedding);
    for (const double lambda3 : {0.0, 1e-4, 0.1}) {
      MonotoneOptions options;
      options.clusters = 7;
      options.lambda3 = lambda3;
      const MonotoneResult result = solve_monotone(context, data, options);
      EXPECT_TRUE(result.converged) << embedding;
      expect_no_rise(result, "starmap");
    }
  }
}

// Features stand for embeddings: heavier tails and more directions than either embedding has.
TEST(MonotoneSolver, NeverRisesOnFeaturesOfEverySet) {
  const std::pair<const char*, int> sets[] = {{"starmap_m2st", 7}, {"breast_m2st", 20},
                                              {"dlpfc_151507", 7}, {"dlpfc_151669", 5},
                                              {"dlpfc_151672", 5}, {"dlpfc_151673", 7}};
  CpuContext context(2);
  for (const auto& [set, clusters] : sets) {
    const std::string name = std::string("data/") + set;
    M2ST_NEEDS_SHARED(name);
    const auto features =
        data::read_npy<float>(context, m2st::test::shared_path(name + "/features.npy"));
    const auto data = reference_data<float>(context, {features.view()}, true);
    MonotoneOptions options;
    options.clusters = clusters;
    options.iterations = 15;
    const MonotoneResult result = solve_monotone(context, data, options);
    EXPECT_GT(result.history.size(), 3u) << set;
    expect_no_rise(result, set);
  }
}

TEST(MonotoneSolver, NeverRisesForRandomOptions) {
  CpuContext context(1);
  int reseeded = 0;
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    const auto cells = static_cast<std::int64_t>(5 + drawn(trial, 1, 120));
    std::vector<std::int64_t> widths;
    for (std::uint32_t m = 0; m <= drawn(trial, 2, 3); ++m)
      widths.push_back(3 + drawn(trial, 3 + m, 9));
    const auto data = blob_data(context, cells, 4, widths, trial);
    MonotoneOptions options;
    options.clusters = 1 + static_cast<int>(drawn(trial, 7, 5));
    options.specific_dim = 1 + static_cast<int>(drawn(trial, 8, 12));
    options.common_dim = static_cast<int>(drawn(trial, 9, 4));
    options.lambda1 = decade(trial, 10, -5, 8);
    options.lambda2 = trial % 2 == 0 ? 0 : decade(trial, 11, -5, 7);
    options.lambda3 = trial % 3 == 0 ? 0 : decade(trial, 12, -5, 8);
    options.map_penalty = trial % 4 == 0 ? 0 : trial % 4 == 1 ? decade(trial, 13, -5, 6) : -1;
    options.seed = trial;
    options.iterations = 40;

    const MonotoneResult result = solve_monotone(context, data, options);

    expect_no_rise(result, concat("trial ", trial));
    for (const double weight : result.weights) EXPECT_TRUE(weight >= 0 && weight <= 1);
    EXPECT_TRUE(std::isfinite(result.objective.total()));
    reseeded += result.reseeded;
  }
  EXPECT_GT(reseeded, 0);  // else the step was not tested
}

// The same iterations with every variable held, and the objective summed up from its definition.
class DirectForm {
 public:
  DirectForm(CpuContext& context, const std::vector<Matrix<double>>& data,
             const MonotoneOptions& options, ReferenceState& state)
      : context_(context), data_(data), options_(options), state_(state) {
    const auto cells = static_cast<double>(data.front().rows());
    lambda_ = options.lambda3 * cells / options.clusters;
  }

  void step(const std::vector<double>& weights) {
    state_.weights = weights;
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    for (std::size_t m = 0; m < data_.size(); ++m) {
      ReferenceView& view = state_.views[m];
      view.specific = represented(weights[m], view.specific_map, view.centres, rest(m, false));
      view.specific_map = fitted(view.specific, rest(m, false));
      view.common_map = fitted(state_.common, rest(m, true));
      descend(weights[m], view.specific, view.centres);
    }
    update_common(weights.back());
    for (std::size_t i = 0; i < state_.labels.size(); ++i) state_.labels[i] = nearest(i);
  }

  ObjectiveTerms terms(double delta) const {
    ObjectiveTerms terms;
    const auto add = [&](double alpha, const Matrix<double>& x, const Matrix<double>& centres) {
      terms.size += options_.lambda1 * square(x);
      terms.orthogonality += lambda_ * orthogonality(context_, centres.view());
      terms.entropy += delta * alpha * std::log(alpha);
      for (std::int64_t i = 0; i < x.cols(); ++i) {
        terms.scatter +=
            alpha * distance(x, i, centres, state_.labels[static_cast<std::size_t>(i)]);
      }
    };
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const ReferenceView& view = state_.views[m];
      Matrix<double> left = rest(m, true);
      add_product(context_, -1, Layout::kTransposed, state_.common.view(), Layout::kPlain,
                  view.common_map.view(), left.view());
      terms.reconstruction += square(left);
      terms.maps += options_.map_penalty * (square(view.specific_map) + square(view.common_map));
      add(state_.weights[m], view.specific, view.centres);
    }
    add(state_.weights.back(), state_.common, state_.common_centres);
    return terms;
  }

 private:
  static double square(const Matrix<double>& x) {
    double sum = 0;
    for (const double value : x.span()) sum += value * value;
    return sum;
  }

  static double distance(const Matrix<double>& x, std::int64_t cell, const Matrix<double>& centres,
                         std::int32_t c) {
    double sum = 0;
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      sum += (x(i, cell) - centres(i, c)) * (x(i, cell) - centres(i, c));
    }
    return sum;
  }

  // D − SᵀP (of the common representation) or D − HᵀW.
  Matrix<double> rest(std::size_t m, bool of_common) const {
    const ReferenceView& view = state_.views[m];
    Matrix<double> result(context_.pool(), data_[m].rows(), data_[m].cols());
    std::copy(data_[m].span().begin(), data_[m].span().end(), result.span().begin());
    add_product(context_, -1, Layout::kTransposed,
                of_common ? view.specific.view() : state_.common.view(), Layout::kPlain,
                of_common ? view.specific_map.view() : view.common_map.view(), result.view());
    return result;
  }

  void add_centres(double alpha, const Matrix<double>& centres, Matrix<double>& right) const {
    for (std::int64_t row = 0; row < right.rows(); ++row) {
      for (std::int64_t i = 0; i < right.cols(); ++i) {
        right(row, i) += alpha * centres(row, state_.labels[static_cast<std::size_t>(i)]);
      }
    }
  }

  Matrix<double> represented(double alpha, const Matrix<double>& map, const Matrix<double>& centres,
                             const Matrix<double>& left) const {
    Matrix<double> right =
        product(context_, Layout::kPlain, map.view(), Layout::kTransposed, left.view());
    add_centres(alpha, centres, right);
    return solved(context_, ridged_gram(context_, map.view(), options_.lambda1 + alpha).view(),
                  right.view());
  }

  Matrix<double> fitted(const Matrix<double>& x, const Matrix<double>& left) const {
    return solved(context_, ridged_gram(context_, x.view(), options_.map_penalty).view(),
                  product(context_, Layout::kPlain, x.view(), Layout::kPlain, left.view()).view());
  }

  void update_common(double alpha) {
    const std::int64_t rows = state_.common.rows(), cells = state_.common.cols();
    Matrix<double> left(context_.pool(), rows, rows), right(context_.pool(), rows, cells);
    std::fill(left.span().begin(), left.span().end(), 0.0);
    std::fill(right.span().begin(), right.span().end(), 0.0);
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const auto map = state_.views[m].common_map.view();
      add_product(context_, 1, Layout::kPlain, map, Layout::kTransposed, map, left.view());
      add_product(context_, 1, Layout::kPlain, map, Layout::kTransposed, rest(m, true).view(),
                  right.view());
    }
    for (std::int64_t i = 0; i < rows; ++i) left(i, i) += options_.lambda1 + alpha;
    add_centres(alpha, state_.common_centres, right);
    state_.common = solved(context_, left.view(), right.view());
    descend(alpha, state_.common, state_.common_centres);
  }

  void descend(double alpha, const Matrix<double>& x, Matrix<double>& centres) {
    Matrix<double> cross(context_.pool(), x.rows(), options_.clusters);
    std::fill(cross.span().begin(), cross.span().end(), 0.0);
    for (std::int64_t i = 0; i < x.cols(); ++i) {
      const std::int32_t label = state_.labels[static_cast<std::size_t>(i)];
      for (std::int64_t row = 0; row < x.rows(); ++row) cross(row, label) += x(row, i);
    }
    centres =
        descended_centres(context_, {cross.view(), counts_, alpha, lambda_}, centres.view(), 10);
  }

  std::int32_t nearest(std::size_t cell) const {
    const auto i = static_cast<std::int64_t>(cell);
    std::int32_t best = 0;
    double least = 0;
    for (std::int32_t c = 0; c < options_.clusters; ++c) {
      double sum = state_.weights.back() * distance(state_.common, i, state_.common_centres, c);
      for (std::size_t m = 0; m < data_.size(); ++m) {
        const ReferenceView& view = state_.views[m];
        sum += state_.weights[m] * distance(view.specific, i, view.centres, c);
      }
      if (c == 0 || sum < least) {
        best = c;
        least = sum;
      }
    }
    return best;
  }

  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const MonotoneOptions& options_;
  ReferenceState& state_;
  std::vector<std::int64_t> counts_;
  double lambda_ = 0;
};

TEST(MonotoneSolver, ObjectiveIsEquationTwelve) {
  CpuContext context(1);
  const auto data = blob_data(context, 90, 3, {9, 6}, 4);
  MonotoneOptions options;
  options.clusters = 3;
  options.specific_dim = 4;
  options.lambda1 = 0.2;
  options.lambda2 = 0.01;
  options.lambda3 = 0.01;
  options.map_penalty = 0.7;
  options.tolerance = 0;
  ReferenceOptions start;
  start.clusters = options.clusters;
  start.specific_dim = options.specific_dim;
  ReferenceState state = initial_state(context, data, start);
  DirectForm direct(context, data, options, state);
  for (int iterations = 1; iterations <= 4; ++iterations) {
    options.iterations = iterations;

    const MonotoneResult result = solve_monotone(context, data, options);

    direct.step(result.weights);
    ASSERT_EQ(result.labels, state.labels) << iterations;
    const ObjectiveTerms expected = direct.terms(100);
    const double scale = kTwoForms * result.data_square;
    EXPECT_NEAR(result.objective.reconstruction, expected.reconstruction, scale);
    EXPECT_NEAR(result.objective.size, expected.size, scale);
    EXPECT_NEAR(result.objective.maps, expected.maps, scale);
    EXPECT_NEAR(result.objective.scatter, expected.scatter, scale);
    EXPECT_NEAR(result.objective.orthogonality, expected.orthogonality, scale);
    EXPECT_NEAR(result.objective.entropy, expected.entropy, scale);
    EXPECT_EQ(result.history.back(), result.objective.total());
  }
}

TEST(MonotoneSolver, FindsSeparatedClouds) {
  CpuContext context(1);
  const auto data = blob_data(context, 300, 4, {12, 8}, 3);
  MonotoneOptions options;
  options.clusters = 4;
  options.lambda1 = 0.5;
  options.specific_dim = 4;
  options.restarts = 8;
  const MonotoneResult result = solve_monotone(context, data, options);
  EXPECT_TRUE(m2st::test::recovers_blobs(result.labels, 4));
  EXPECT_TRUE(result.converged);
}

TEST(MonotoneSolver, MoreRestartsAreNeverWorse) {
  CpuContext context(1);
  const auto data = blob_data(context, 100, 5, {7, 5}, 5);
  MonotoneOptions options;
  options.clusters = 5;
  options.lambda2 = 0.01;
  double least = 0;
  for (const int restarts : {1, 2, 4, 8}) {
    options.restarts = restarts;
    const MonotoneResult result = solve_monotone(context, data, options);
    if (restarts > 1) {
      EXPECT_LE(result.objective.total(), least);
    }
    EXPECT_LT(result.restart, restarts);
    least = result.objective.total();
  }
}

TEST(MonotoneSolver, GivesTheSameBytesForAnyNumberOfThreads) {
  CpuContext one(1), five(5);
  MonotoneOptions options;
  options.clusters = 4;
  const MonotoneResult a = solve_monotone(one, blob_data(one, 3000, 4, {9, 6}, 6), options);
  const MonotoneResult b = solve_monotone(five, blob_data(five, 3000, 4, {9, 6}, 6), options);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.history, b.history);
}

TEST(MonotoneSolver, DegenerateInputStaysFinite) {
  CpuContext context(1);
  for (const std::int64_t cells : {1, 2, 9}) {
    for (const float value : {0.f, 1e30f}) {
      Matrix<float> same(context.pool(), cells, 4);
      std::fill(same.span().begin(), same.span().end(), value);
      for (const int clusters : {1, static_cast<int>(cells)}) {
        MonotoneOptions options;
        options.clusters = clusters;
        for (const double lambda2 : {0.0, 1e300}) {
          options.lambda2 = lambda2;
          const MonotoneResult result = monotone_clustering(context, {same.view()}, options);
          EXPECT_TRUE(std::isfinite(result.objective.total()));
          for (const double weight : result.weights) EXPECT_TRUE(weight >= 0 && weight <= 1);
        }
      }
    }
  }
}

TEST(MonotoneSolver, RefusesImpossibleOptions) {
  CpuContext context(1);
  const auto data = blob_data(context, 10, 2, {3}, 1);
  const auto refused = [&](auto&& change) {
    MonotoneOptions options;
    options.clusters = 2;
    change(options);
    m2st::test::expect_error(ExitCode::kParameterImpossible, {"clustering"},
                             [&] { solve_monotone(context, data, options); });
  };
  refused([](MonotoneOptions& options) { options.clusters = 11; });
  refused([](MonotoneOptions& options) { options.restarts = 0; });
  refused([](MonotoneOptions& options) { options.lambda1 = -1; });
  refused([](MonotoneOptions& options) { options.lambda3 = std::nan(""); });
  refused([](MonotoneOptions& options) { options.map_penalty = std::nan(""); });
  refused([](MonotoneOptions& options) { options.tolerance = -1; });
}

}  // namespace
}  // namespace m2st::cluster
