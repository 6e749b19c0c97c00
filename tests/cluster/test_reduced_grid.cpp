// The reduced form against the direct form over the published grid of options on a real embedding.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "cluster/reduced_solver.h"
#include "cluster/reference_solver.h"
#include "engine/random.h"
#include "tests/cluster/starmap.h"

namespace m2st::cluster {
namespace {

constexpr int kOptionSets = 50;
constexpr int kIterations = 20;
constexpr int kMostTies = 5;  // a comparison that mostly ends early compares nothing
// A cell whose two best clusters differ by less than this share may go either way.
constexpr double kTie = 1e-9;

double grid_value(std::uint32_t set, std::uint32_t option, int lowest, std::uint32_t values) {
  const RandomKey key{11, stream_of(Purpose::kTest, option), 0};
  return std::pow(10.0, lowest + static_cast<int>(random_index(key, values, set)));
}

ReferenceOptions random_options(std::uint32_t set) {
  ReferenceOptions options = test::starmap_options();
  options.lambda1 = grid_value(set, 1, -5, 8);
  options.lambda2 = grid_value(set, 2, -5, 5);
  options.lambda3 = grid_value(set, 3, -5, 8);
  const RandomKey key{11, stream_of(Purpose::kTest, 4), 0};
  options.specific_dim = 10 + 10 * static_cast<int>(random_index(key, 10, set));
  options.seed = set;
  options.iterations = kIterations;
  return options;
}

std::string describe(const ReferenceOptions& options) {
  return concat("lambda1 ", options.lambda1, ", lambda2 ", options.lambda2, ", lambda3 ",
                options.lambda3, ", specific dim ", options.specific_dim, ", seed ", options.seed);
}

// Σ α ‖x_i − v_c‖² of the iteration that `state` holds.
double cost(const ReferenceState& state, std::int64_t cell, std::int32_t cluster) {
  double sum = 0;
  const auto add = [&](double alpha, const Matrix<double>& x, const Matrix<double>& centres) {
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      const double difference = x(i, cell) - centres(i, cluster);
      sum += alpha * difference * difference;
    }
  };
  for (std::size_t m = 0; m < state.views.size(); ++m) {
    add(state.weights[m], state.views[m].specific, state.views[m].centres);
  }
  add(state.weights.back(), state.common, state.common_centres);
  return sum;
}

// The relative gap between the two clusters of the first cell that went another way; -1: none did.
double gap_of_first_difference(const std::vector<std::int32_t>& reduced,
                               const ReferenceState& direct) {
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i] == direct.labels[i]) continue;
    const double other = cost(direct, static_cast<std::int64_t>(i), reduced[i]);
    return (other - cost(direct, static_cast<std::int64_t>(i), direct.labels[i])) / other;
  }
  return -1;
}

// What follows a tie may differ in all else: a run that meets one is listed and left there.
void expect_same_runs(const std::string& embedding) {
  CpuContext context(2);
  const auto data = test::starmap_data(context, embedding);
  int ties = 0;
  for (std::uint32_t set = 0; set < kOptionSets; ++set) {
    const ReferenceOptions options = random_options(set);
    ReferenceState start = initial_state(context, data, options);
    ReferenceState other_start = initial_state(context, data, options);
    std::vector<std::vector<std::int32_t>> reduced;
    solve_reduced(context, data, options, other_start,
                  [&](const IterationState& now) { reduced.push_back(now.state.labels); });
    bool tied = false;
    solve_reference(context, data, options, start, [&](const IterationState& now) {
      const auto index = static_cast<std::size_t>(now.iteration) - 1;
      const double gap = tied ? -1 : gap_of_first_difference(reduced[index], now.state);
      if (gap < 0) return;
      tied = true;
      ++ties;
      std::cout << "near tie at iteration " << now.iteration << ", gap " << gap << ": "
                << describe(options) << "\n";
      EXPECT_LE(gap, kTie);
    });
  }
  EXPECT_LE(ties, kMostTies);
}

TEST(ReducedGrid, RunsAsTheDirectFormForRandomOptions) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  expect_same_runs("a");
}

TEST(ReducedGrid, RunsAsTheDirectFormOnAnotherEmbedding) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  expect_same_runs("b");
}

}  // namespace
}  // namespace m2st::cluster
