// Spreads of clusters and silhouettes of several labelings against the naive reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/check.h"
#include "engine/cpu_context.h"
#include "kernels/separation.h"
#include "test_backend.h"
#include "tests/reference/separation.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

using reference::Dense;
using test::Backend;
using test::converted;
using test::near;
using test::random_dense;
using test::relative_error;
using test::view_of;
using Labels = std::vector<std::int32_t>;

constexpr double kRounding = 1e-13;  // sums of some thousand doubles in another order
// Means of numbers near 4096 are off by 5e-13, cells are about 1 from them.
constexpr double kRoundingFarOut = 1e-11;

struct Sizes {
  std::int64_t cells, width, clusters, sets;
};

// Labelings with cells left out, and of four clusters or more the third empty and the last with one
// cell at most.
Labels labels_of(const Sizes& sizes) {
  Labels labels;
  const RandomKey key{3, stream_of(Purpose::kTest, 1), 0};
  for (std::int64_t s = 0; s < sizes.sets; ++s) {
    bool lone = false;
    for (std::int64_t n = 0; n < sizes.cells; ++n) {
      const auto kinds = static_cast<std::uint32_t>(sizes.clusters) + 1;
      auto label = static_cast<std::int32_t>(random_index(key, kinds, static_cast<std::uint32_t>(n),
                                                          static_cast<std::uint32_t>(s))) -
                   1;
      if (sizes.clusters >= 4 && label == 2) label = 1;
      if (sizes.clusters >= 4 && label == sizes.clusters - 1) {
        if (lone) label = 0;
        lone = true;
      }
      labels.push_back(label);
    }
  }
  return labels;
}

struct Scores {
  explicit Scores(const Sizes& sizes)
      : centres(sizes.sets, sizes.width),
        means(sizes.sets * sizes.clusters, sizes.width),
        squares(sizes.sets, sizes.clusters),
        distances(sizes.sets, sizes.clusters),
        counts(static_cast<std::size_t>(sizes.sets * sizes.clusters)),
        silhouettes(static_cast<std::size_t>(sizes.sets)) {}
  kernels::ClusterSpreads view() {
    return {{counts.data(), squares.rows, squares.cols},
            view_of(centres),
            view_of(means),
            view_of(squares),
            view_of(distances)};
  }
  // Of one labeling.
  std::vector<double> numbers(std::int64_t set) const {
    std::vector<double> all = {silhouettes[static_cast<std::size_t>(set)]};
    const std::int64_t clusters = squares.cols;
    for (std::int64_t c = 0; c < centres.cols; ++c) all.push_back(centres(set, c));
    for (std::int64_t k = 0; k < clusters; ++k) {
      all.push_back(static_cast<double>(counts[static_cast<std::size_t>(set * clusters + k)]));
      all.push_back(squares(set, k));
      all.push_back(distances(set, k));
      for (std::int64_t c = 0; c < means.cols; ++c) all.push_back(means(set * clusters + k, c));
    }
    return all;
  }

  Dense<double> centres, means, squares, distances;
  std::vector<std::int64_t> counts;
  std::vector<double> silhouettes;
};

Scores scores_of(Backend& context, const Dense<float>& x, const Labels& labels,
                 std::int64_t clusters) {
  const std::int64_t sets = x.rows == 0 ? 1 : std::ssize(labels) / x.rows;
  Scores scores({x.rows, x.cols, clusters, sets});
  const MatrixView<const std::int32_t> rows{labels.data(), sets, x.rows};
  kernels::cluster_spreads(context, view_of(x), rows, scores.view());
  kernels::silhouette_sums(context, view_of(x), rows, scores.view(), scores.silhouettes);
  return scores;
}

// Of labelings with at least two clusters that hold cells, or with their silhouettes left out.
void expect_reference(const Dense<float>& x, const Labels& labels, std::int64_t clusters,
                      const Scores& got, std::int64_t set) {
  const Labels own(labels.begin() + set * x.rows, labels.begin() + (set + 1) * x.rows);
  const Dense<double> cells = converted<double>(x);
  const reference::ClusterSpreads want = reference::cluster_spreads(cells, own, clusters);
  const auto row = [&](const auto& all, std::int64_t size) {
    return std::vector(all.begin() + set * size, all.begin() + (set + 1) * size);
  };

  EXPECT_EQ(row(got.counts, clusters), want.counts);
  EXPECT_TRUE(near(row(got.centres.values, x.cols), want.centre, relative_error(kRounding, 1)));
  EXPECT_TRUE(near(row(got.means.values, clusters * x.cols), want.means.values,
                   relative_error(kRounding, 1)));
  EXPECT_TRUE(near(row(got.squares.values, clusters), want.squares, relative_error(kRounding)));
  EXPECT_TRUE(near(row(got.distances.values, clusters), want.distances, relative_error(kRounding)));
  if (std::count_if(want.counts.begin(), want.counts.end(), [](auto n) { return n > 0; }) < 2) {
    return;
  }
  EXPECT_NEAR(got.silhouettes[static_cast<std::size_t>(set)],
              reference::silhouette_sum(cells, own, clusters),
              kRounding * static_cast<double>(x.rows));
}

TEST(ClusterSpreads, OfFourCellsOnALine) {
  Dense<float> x(4, 1);
  x.values = {0, 2, 10, 12};
  Backend context(1);

  const Scores got = scores_of(context, x, {0, 0, 1, 1, 2, -1, -1, 0}, 3);

  EXPECT_EQ(got.counts, (std::vector<std::int64_t>{2, 2, 0, 1, 0, 1}));
  EXPECT_EQ(got.centres.values, (std::vector<double>{6, 6}));
  EXPECT_EQ(got.means.values, (std::vector<double>{1, 11, 0, 12, 0, 0}));
  EXPECT_EQ(got.squares.values, (std::vector<double>{2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(got.distances.values, (std::vector<double>{2, 2, 0, 0, 0, 0}));
  // Inside 4; to the other cluster 122, 82, 82, 122.
  EXPECT_NEAR(got.silhouettes[0], 2 * (118.0 / 122 + 78.0 / 82), kRounding);
  EXPECT_EQ(got.silhouettes[1], 0);
}

TEST(ClusterSpreads, MatchesReferenceAtRaggedSizes) {
  for (const Sizes& sizes : {Sizes{0, 3, 2, 1},
                             {1, 1, 1, 1},
                             {31, 4, 2, 3},
                             {32, 33, 20, 2},
                             {33, 0, 4, 2},
                             {65, 5, 7, 64},
                             {70, 70, 1, 2},
                             {700, 9, 20, 3},
                             {2300, 3, 70, 5}}) {
    const auto x = random_dense<float>(sizes.cells, sizes.width, 1);
    const Labels labels = labels_of(sizes);
    Backend context(2);

    const Scores got = scores_of(context, x, labels, sizes.clusters);

    for (std::int64_t s = 0; s < sizes.sets; ++s) {
      SCOPED_TRACE(testing::Message() << sizes.cells << " cells, labeling " << s);
      expect_reference(x, labels, sizes.clusters, got, s);
    }
  }
}

TEST(ClusterSpreads, DoesNotSufferFromALargeCommonOffset) {
  const Sizes sizes{300, 6, 5, 2};
  Dense<float> near_by = random_dense<float>(sizes.cells, sizes.width, 2);
  for (float& value : near_by.values) value = std::round(value * 1024) / 1024;
  Dense<float> far_out = near_by;
  for (float& value : far_out.values) value += 4096;
  const Labels labels = labels_of(sizes);
  Backend context(1);

  const Scores got = scores_of(context, far_out, labels, sizes.clusters);

  const Scores want = scores_of(context, near_by, labels, sizes.clusters);
  EXPECT_TRUE(near(got.squares.values, want.squares.values, relative_error(kRoundingFarOut)));
  EXPECT_TRUE(near(got.distances.values, want.distances.values, relative_error(kRoundingFarOut)));
  EXPECT_TRUE(near(got.silhouettes, want.silhouettes, relative_error(kRoundingFarOut)));
}

TEST(ClusterSpreads, ALabelingsBytesDoNotDependOnTheOthers) {
  const Sizes sizes{1100, 7, 6, 7};
  const auto x = random_dense<float>(sizes.cells, sizes.width, 4);
  const Labels labels = labels_of(sizes);
  Backend context(2);
  const Scores together = scores_of(context, x, labels, sizes.clusters);

  for (const std::int64_t s : {0, 3, 6}) {
    const Labels own(labels.begin() + s * sizes.cells, labels.begin() + (s + 1) * sizes.cells);
    const Scores alone = scores_of(context, x, own, sizes.clusters);

    EXPECT_EQ(together.numbers(s), alone.numbers(0)) << s;
  }
}

TEST(ClusterSpreads, NumberOfThreadsChangesNothing) {
  const Sizes sizes{1100, 7, 6, 1};
  const auto x = random_dense<float>(sizes.cells, sizes.width, 5);

  test::expect_same_bytes_for_any_threads<Backend>([&](Backend& context) {
    return scores_of(context, x, labels_of(sizes), sizes.clusters).numbers(0);
  });
}

TEST(ClusterSpreads, WithoutLabelingsNothingIsDone) {
  const auto x = random_dense<float>(3, 2, 6);
  Scores none({3, 2, 2, 0});
  Backend context(1);

  kernels::cluster_spreads(context, view_of(x), {nullptr, 0, 3}, none.view());
  kernels::silhouette_sums(context, view_of(x), {nullptr, 0, 3}, none.view(), none.silhouettes);

  EXPECT_TRUE(none.silhouettes.empty());
}

TEST(ClusterSpreads, RefusesShapesThatDoNotFit) {
  const auto x = random_dense<float>(3, 2, 7);
  const Labels labels = {0, 1, 0};
  Scores scores({3, 2, 2, 1}), wide({3, 3, 2, 1});
  std::vector<double> two(2);
  Backend context(1);

  EXPECT_THROW(kernels::cluster_spreads(context, view_of(x), {labels.data(), 1, 2}, scores.view()),
               Error);
  EXPECT_THROW(kernels::cluster_spreads(context, view_of(x), {labels.data(), 1, 3}, wide.view()),
               Error);
  EXPECT_THROW(
      kernels::silhouette_sums(context, view_of(x), {labels.data(), 1, 3}, scores.view(), two),
      Error);
}

}  // namespace
}  // namespace m2st
