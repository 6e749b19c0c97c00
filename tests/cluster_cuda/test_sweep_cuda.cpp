// A sweep on a CUDA device: the CPU's rows, and the CPU itself when it is told so.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cluster/sweep.h"
#include "engine/context.h"
#include "engine/random.h"

namespace m2st::cluster {
namespace {

constexpr double kDrift = 1e-8;      // of the value of eq. 12, after some iterations
constexpr double kRounding = 1e-12;  // of scores: sums of some hundred terms in another order

using Rows = std::vector<std::pair<SweepRow, SweepSolution>>;

class SweepOnCuda : public testing::Test {
 protected:
  SweepOnCuda() {
    for (const std::int64_t width : {9, 5}) embeddings_.push_back(blobs(80, width));
    for (const Matrix<float>& view : embeddings_) input_.embeddings.push_back(view.view());
    options_.clusters = 3;
    options_.iterations = 4;
  }

  CpuContext& host() { return device_.host(); }

  // Three clusters that touch.
  Matrix<float> blobs(std::int64_t cells, std::int64_t width) {
    const RandomKey key{static_cast<std::uint64_t>(width), stream_of(Purpose::kTest, 3), 0};
    Matrix<float> view(host().pool(), cells, width);
    for (std::int64_t i = 0; i < cells; ++i) {
      for (std::int64_t c = 0; c < width; ++c) {
        const double noise =
            random_normal(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(c));
        view(i, c) = static_cast<float>((c % 3 == i % 3 ? 3.0 : 0.0) + noise);
      }
    }
    return view;
  }
  static void expect_scores(const SweepRow& got, const SweepRow& want) {
    EXPECT_NEAR(got.silhouette, want.silhouette, kRounding);
    EXPECT_NEAR(got.davies_bouldin, want.davies_bouldin, kRounding * want.davies_bouldin);
    EXPECT_NEAR(got.calinski_harabasz, want.calinski_harabasz, kRounding * want.calinski_harabasz);
  }
  Rows rows_of(const Sweep& sweep) const {
    Rows rows(sets_.size());
    sweep.run(sets_,
              [&](std::size_t i, const SweepRow& row, const SweepSolution& solution) {
                rows[i] = {row, solution};
              },
              {});
    return rows;
  }

  Context device_ = cuda_context(0, 1);
  std::vector<Matrix<float>> embeddings_;
  SweepInput input_;
  SweepOptions options_;
  std::vector<OptionSet> sets_ = cluster::option_sets({{0.5, 10}, {1e-3}, {0.1, 1e-3}, {3, 5}});
};

TEST_F(SweepOnCuda, GivesTheRowsOfTheCpu) {
  const Rows got = rows_of(Sweep(device_, input_, options_, {}));

  const Rows want = rows_of(Sweep(host(), input_, options_, {}));
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    EXPECT_EQ(got[i].second.labels, want[i].second.labels) << i;
    EXPECT_NEAR(got[i].first.objective, want[i].first.objective,
                kDrift * std::abs(want[i].first.objective));
    expect_scores(got[i].first, want[i].first);
  }
}

TEST_F(SweepOnCuda, GoesOnOnTheHost) {
  Sweep sweep(device_, input_, options_, {});
  const std::size_t cells = device_.pool().in_use();
  const Rows want = rows_of(Sweep(host(), input_, options_, {}));

  sweep.use_host();
  const Rows got = rows_of(sweep);

  EXPECT_GT(cells, 0u);
  EXPECT_EQ(device_.pool().in_use(), 0u);
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    EXPECT_EQ(got[i].second.labels, want[i].second.labels) << i;
    EXPECT_EQ(got[i].first.objective, want[i].first.objective) << i;
  }
}

}  // namespace
}  // namespace m2st::cluster
