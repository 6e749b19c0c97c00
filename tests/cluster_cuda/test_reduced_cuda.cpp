// The reference clustering on a CUDA device against the same on the CPU: the same labels after
// every iteration. Start values are the host's for both.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cluster/reduced_iteration.h"
#include "cluster/reduced_solver.h"
#include "cluster/solver_memory.h"
#include "cluster/stacked_gram.h"
#include "engine/context.h"
#include "engine/placement.h"
#include "engine/random.h"
#include "tests/cluster/golden_clustering.h"
#include "tests/cluster/solver_history.h"
#include "tests/cluster/starmap.h"

namespace m2st::cluster {
namespace {

using test::copy_of;
using test::History;

constexpr double kDrift = 1e-8;  // of what an iteration leaves, after some twenty of them

void expect_near(const Matrix<double>& got, const Matrix<double>& want, const std::string& what) {
  ASSERT_EQ(got.rows(), want.rows());
  ASSERT_EQ(got.cols(), want.cols());
  double gap = 0, size = 1;
  for (std::int64_t i = 0; i < got.size(); ++i) {
    gap = std::max(gap, std::abs(got.data()[i] - want.data()[i]));
    size = std::max(size, std::abs(want.data()[i]));
  }
  EXPECT_LE(gap, kDrift * size) << what;
}

void expect_near(const ObjectiveTerms& got, const ObjectiveTerms& want, const std::string& what) {
  EXPECT_NEAR(got.total(), want.total(), kDrift * std::abs(want.total())) << what;
  EXPECT_NEAR(got.reconstruction, want.reconstruction, kDrift * want.reconstruction) << what;
  EXPECT_NEAR(got.scatter, want.scatter, kDrift * want.scatter) << what;
}

class ReducedOnCuda : public testing::Test {
 protected:
  CpuContext& host() { return device_.host(); }

  void expect_same_run(const std::vector<Matrix<double>>& data, const ReferenceOptions& options,
                       ReferenceState start, const std::string& what) {
    ReferenceState other = copy_of(host(), start);
    const Matrix<double> gram = data_gram(host(), data);
    History on_cpu, on_cuda;

    const ObjectiveTerms want =
        solve_reduced(host(), data, gram.view(), options, start, on_cpu.observer());
    const ObjectiveTerms got =
        solve_reduced(device_, data, gram.view(), options, other, on_cuda.observer());

    ASSERT_EQ(on_cuda.labels.size(), on_cpu.labels.size());
    for (std::size_t i = 0; i < on_cpu.labels.size(); ++i) {
      ASSERT_EQ(on_cuda.labels[i], on_cpu.labels[i]) << what << ", iteration " << i + 1;
      for (std::size_t m = 0; m < on_cpu.weights[i].size(); ++m) {
        ASSERT_NEAR(on_cuda.weights[i][m], on_cpu.weights[i][m], kDrift) << what << " " << i + 1;
      }
    }
    expect_near(other.common, start.common, what + ", H");
    expect_near(other.common_centres, start.common_centres, what + ", V of H");
    for (std::size_t m = 0; m < data.size(); ++m) {
      expect_near(other.views[m].specific_map, start.views[m].specific_map, what + ", P");
      expect_near(other.views[m].common_map, start.views[m].common_map, what + ", W");
      expect_near(other.views[m].centres, start.views[m].centres, what + ", V");
    }
    expect_near(got, want, what);
  }

  std::vector<Matrix<double>> blobs(std::int64_t cells, const std::vector<std::int64_t>& widths) {
    std::vector<Matrix<double>> unscaled;
    std::vector<MatrixView<const double>> views;
    for (const std::int64_t width : widths) {
      Matrix<double> view(host().pool(), cells, width);
      const RandomKey key{9, stream_of(Purpose::kTest, static_cast<std::uint32_t>(width)), 0};
      for (std::int64_t i = 0; i < cells; ++i) {
        for (std::int64_t j = 0; j < width; ++j) {
          view(i, j) = 2 * ((i + j) % 3) + random_normal(key, static_cast<std::uint32_t>(i),
                                                         static_cast<std::uint32_t>(j));
        }
      }
      unscaled.push_back(std::move(view));
      views.push_back(unscaled.back().view());
    }
    return reference_data<double>(host(), views, true);
  }

  // Option sets of every size of λ, that start alike.
  static std::vector<ReferenceOptions> option_sets(int clusters, int iterations) {
    std::vector<ReferenceOptions> sets;
    for (const double lambda1 : {0.5, 100.0}) {
      for (const double lambda2 : {1e-5, 0.01}) {
        ReferenceOptions options;
        options.clusters = clusters;
        options.specific_dim = 6;
        options.lambda1 = lambda1;
        options.lambda2 = lambda2;
        options.lambda3 = lambda1 < 1 ? 0.1 : 1e-3;
        options.iterations = iterations;
        sets.push_back(options);
      }
    }
    return sets;
  }

  template <class T>
  std::vector<ReducedResult> together(const std::vector<Matrix<double>>& data,
                                      const std::vector<ReferenceOptions>& sets,
                                      const ReferenceState& start) {
    const std::vector<std::vector<T>> values = values_of<T>(data);
    Placement placement(device_);
    std::vector<MatrixView<const T>> views;
    for (const MatrixView<const T>& view : views_of(values, data)) {
      views.push_back(placement.place(view));
    }
    return solve_together<T>(device_, data, views, data_gram(host(), data).view(), sets, start);
  }
  template <class T>
  std::vector<ReducedResult> together(const std::vector<Matrix<double>>& data,
                                      const std::vector<ReferenceOptions>& sets) {
    return together<T>(data, sets, initial_state(host(), data, sets.front()));
  }

  // Float passes on the device leave the labels of float passes on the CPU and those of double
  // ones.
  void expect_float_labels(const std::vector<Matrix<double>>& data,
                           const std::vector<ReferenceOptions>& sets, const ReferenceState& start,
                           const std::string& what) {
    constexpr double kFloatDrift = 1e-4;
    const std::vector<std::vector<float>> values = values_of<float>(data);

    const std::vector<ReducedResult> got = together<float>(data, sets, start);

    const std::vector<ReducedResult> want = solve_together<float>(
        host(), data, views_of(values, data), data_gram(host(), data).view(), sets, start);
    const std::vector<ReducedResult> exact = together<double>(data, sets, start);
    for (std::size_t s = 0; s < sets.size(); ++s) {
      EXPECT_EQ(got[s].labels, want[s].labels) << what << ", " << s;
      EXPECT_EQ(got[s].labels, exact[s].labels) << what << ", " << s;
      for (std::size_t m = 0; m < want[s].weights.size(); ++m) {
        EXPECT_NEAR(got[s].weights[m], want[s].weights[m], kFloatDrift) << what;
        EXPECT_NEAR(got[s].weights[m], exact[s].weights[m], kFloatDrift) << what;
      }
      EXPECT_NEAR(got[s].objective.total(), exact[s].objective.total(),
                  kFloatDrift * std::abs(exact[s].objective.total()));
    }
  }

  template <class T>
  static std::vector<std::vector<T>> values_of(const std::vector<Matrix<double>>& data) {
    std::vector<std::vector<T>> values;
    for (const Matrix<double>& view : data) {
      values.emplace_back(view.span().begin(), view.span().end());
    }
    return values;
  }
  template <class T>
  static std::vector<MatrixView<const T>> views_of(const std::vector<std::vector<T>>& values,
                                                   const std::vector<Matrix<double>>& data) {
    std::vector<MatrixView<const T>> views;
    for (std::size_t m = 0; m < data.size(); ++m) {
      views.push_back({values[m].data(), data[m].rows(), data[m].cols()});
    }
    return views;
  }

  // Every sixth cell of the published embedding, all of its columns.
  std::vector<Matrix<double>> some_starmap_cells() {
    std::vector<Matrix<double>> part;
    for (const Matrix<double>& view : test::starmap_data(host(), "a")) {
      part.emplace_back(host().pool(), view.rows() / 6, view.cols());
      for (std::int64_t i = 0; i < part.back().rows(); ++i) {
        std::copy_n(view.view().row(6 * i).data(), view.cols(), part.back().view().row(i).data());
      }
    }
    return part;
  }

  Context device_ = cuda_context(0, 2);
};

TEST_F(ReducedOnCuda, MatchesTheGoldenLabels) {
  M2ST_NEEDS_SHARED("golden/cluster");
  const test::GoldenClustering golden = test::golden_clustering(host());
  ReferenceState state = test::golden_state(host(), "init", golden.data.size());

  solve_reduced(device_, golden.data, data_gram(host(), golden.data).view(), golden.options, state,
                [&](const IterationState& now) {
                  for (const int kept : {1, 2, 5, 10, 20}) {
                    if (now.iteration == kept) {
                      EXPECT_EQ(now.state.labels,
                                test::golden_labels(host(), "iter" + std::to_string(kept)));
                    }
                  }
                });
}

TEST_F(ReducedOnCuda, RunsAsOnTheCpuOnGoldenData) {
  M2ST_NEEDS_SHARED("golden/cluster");
  const test::GoldenClustering golden = test::golden_clustering(host());
  expect_same_run(golden.data, golden.options,
                  test::golden_state(host(), "init", golden.data.size()), "golden");
}

TEST_F(ReducedOnCuda, RunsAsOnTheCpuAtRaggedSizes) {
  for (const std::int64_t cells : {12, 33, 1030}) {
    for (const std::vector<std::int64_t>& widths :
         {std::vector<std::int64_t>{10}, {9, 5}, {7, 3, 4}}) {
      const std::vector<Matrix<double>> data = blobs(cells, widths);
      const ReferenceOptions options = option_sets(4, 6)[1];
      expect_same_run(data, options, initial_state(host(), data, options),
                      std::to_string(cells) + " cells, " + std::to_string(widths.size()));
    }
  }
}

TEST_F(ReducedOnCuda, RunsAsOnTheCpuWithThePapersChoices) {
  const std::vector<Matrix<double>> data = blobs(60, {9, 5});
  ReferenceOptions options = option_sets(4, 4)[1];
  options.normalise_rows = false;
  expect_same_run(data, options, initial_state(host(), data, options), "no rows");
  options.normalise_rows = true;
  options.weight_norm = WeightNorm::kFrobenius;
  expect_same_run(data, options, initial_state(host(), data, options), "Frobenius");
}

TEST_F(ReducedOnCuda, RunsAsOnTheCpuOnStarmapCells) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  const std::vector<Matrix<double>> part = some_starmap_cells();
  ReferenceOptions options = test::starmap_options();
  options.iterations = 5;
  expect_same_run(part, options, initial_state(host(), part, options), "STARmap");
}

TEST_F(ReducedOnCuda, ABatchGivesWhatItsSetsGiveAlone) {
  const std::vector<Matrix<double>> data = blobs(70, {9, 5});
  const std::vector<ReferenceOptions> sets = option_sets(4, 5);

  const std::vector<ReducedResult> all = together<double>(data, sets);

  ASSERT_EQ(all.size(), sets.size());
  for (std::size_t s = 0; s < sets.size(); ++s) {
    const std::vector<ReducedResult> alone = together<double>(data, {sets[s]});
    EXPECT_EQ(all[s].labels, alone[0].labels);
    EXPECT_EQ(all[s].weights, alone[0].weights);
    EXPECT_EQ(all[s].objective.total(), alone[0].objective.total());
  }
}

TEST_F(ReducedOnCuda, FloatPassesGiveTheSameLabels) {
  const std::vector<Matrix<double>> data = blobs(70, {9, 5});
  const std::vector<ReferenceOptions> sets = option_sets(4, 5);
  expect_float_labels(data, sets, initial_state(host(), data, sets.front()), "blobs");
}

TEST_F(ReducedOnCuda, FloatPassesGiveTheSameLabelsOnGoldenData) {
  M2ST_NEEDS_SHARED("golden/cluster");
  const test::GoldenClustering golden = test::golden_clustering(host());
  expect_float_labels(golden.data, {golden.options},
                      test::golden_state(host(), "init", golden.data.size()), "golden");
}

TEST_F(ReducedOnCuda, FloatPassesGiveTheSameLabelsOnStarmapCells) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  const std::vector<Matrix<double>> part = some_starmap_cells();
  ReferenceOptions options = test::starmap_options();
  options.iterations = 5;
  expect_float_labels(part, {options}, initial_state(host(), part, options), "STARmap");
}

// Cells of one place make every system singular, great ones let all weights underflow, and clusters
// stay empty.
TEST_F(ReducedOnCuda, DegenerateInputEndsAsOnTheCpu) {
  for (const std::int64_t cells : {1, 2, 9}) {
    for (const double value : {0.0, 1.0, 1e30}) {
      std::vector<Matrix<double>> data;
      data.emplace_back(host().pool(), cells, 4);
      std::fill(data[0].span().begin(), data[0].span().end(), value);
      for (const int clusters : {1, static_cast<int>(cells)}) {
        ReferenceOptions options = option_sets(clusters, 4)[3];
        ReferenceState start = initial_state(host(), data, options);
        ReferenceState other = copy_of(host(), start);
        const Matrix<double> gram = data_gram(host(), data);

        solve_reduced(host(), data, gram.view(), options, start, {});
        solve_reduced(device_, data, gram.view(), options, other, {});

        EXPECT_EQ(other.labels, start.labels) << cells << " cells of " << value << ", " << clusters;
        for (const double weight : other.weights) EXPECT_TRUE(weight >= 0 && weight <= 1);
        for (const double entry : other.common.span()) EXPECT_TRUE(std::isfinite(entry));
      }
    }
  }
}

// Eight places for twelve clusters, and more specific dimensions than directions in the data.
TEST_F(ReducedOnCuda, FewerPlacesThanClustersEndInLabels) {
  std::vector<Matrix<double>> data = blobs(96, {5, 4});
  for (Matrix<double>& view : data) {
    for (std::int64_t i = 8; i < view.rows(); ++i) {
      std::copy_n(view.view().row(i % 8).data(), view.cols(), view.view().row(i).data());
    }
  }
  const ReferenceOptions options = option_sets(12, 5)[0];
  ReferenceState state = initial_state(host(), data, options);

  solve_reduced(device_, data, data_gram(host(), data).view(), options, state, {});

  for (const std::int32_t label : state.labels) EXPECT_TRUE(label >= 0 && label < 12);
  for (const double entry : state.common.span()) EXPECT_TRUE(std::isfinite(entry));
}

TEST_F(ReducedOnCuda, MemoryStaysWithinItsPlan) {
  for (const std::int64_t cells : {30, 2100}) {
    for (const std::size_t count : {1, 4}) {
      const std::vector<Matrix<double>> data = blobs(cells, {20, 9});
      std::vector<ReferenceOptions> sets = option_sets(4, 1);
      sets.resize(count);
      const ReferenceState state = initial_state(host(), data, sets.front());
      const ReducedStart start(host(), data, data_gram(host(), data).view(), sets.front(), state);
      Placement placement(device_);
      std::vector<MatrixView<const double>> swept;
      for (const Matrix<double>& view : data) swept.push_back(placement.place(view.view()));
      CudaContext cuda;
      ReducedIteration<CudaContext, double> iteration(cuda, sets, start);

      kernels::sweep_cells<double>(cuda, swept, {iteration.before_sweep()});
      iteration.after_sweep();
      cuda.synchronise();

      const SolverShape shape{cells, {20, 9}, 6, 4, 4, sizeof(double)};
      EXPECT_LE(static_cast<std::int64_t>(cuda.pool().peak()),
                solver_bytes(shape, static_cast<std::int64_t>(count)));
    }
  }
}

TEST_F(ReducedOnCuda, NoIterationLeavesTheStart) {
  const std::vector<Matrix<double>> data = blobs(20, {5});
  ReferenceOptions options = option_sets(3, 0)[0];
  ReferenceState state = initial_state(host(), data, options);
  const ReferenceState start = copy_of(host(), state);

  const ObjectiveTerms terms =
      solve_reduced(device_, data, data_gram(host(), data).view(), options, state, {});

  EXPECT_EQ(state.labels, start.labels);
  expect_near(state.common, start.common, "H");
  EXPECT_EQ(terms.total(), 0);
}

}  // namespace
}  // namespace m2st::cluster
