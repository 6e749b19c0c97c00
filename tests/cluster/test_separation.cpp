// Separation and spatial coherence: literals, all pairs looked at, scikit-learn's values.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/metrics/separation.h"
#include "cluster/metrics/spatial.h"
#include "engine/check.h"
#include "engine/random.h"
#include "tests/reference/metrics.h"

namespace m2st::cluster {
namespace {

using Labels = std::vector<std::int32_t>;
using reference::Points;

constexpr double kRounding = 1e-12;  // sums of some hundred terms, compared relatively
// Distances from expanded squares lose digits where points are close: sqrt of an error of 1e-15.
constexpr double kExpandedSquares = 1e-10;
// scikit-learn expands squares in Davies-Bouldin: a lone cell is some 1e-8 from its own centre.
constexpr double kTheirExpandedSquares = 1e-8;

struct Cells {
  Points points;
  std::vector<float> flat;
  std::vector<double> exact;
  std::int64_t width = 0;

  MatrixView<const float> features() const {
    return {flat.data(), static_cast<std::int64_t>(points.size()), width};
  }
  MatrixView<const double> coordinates() const {
    return {exact.data(), static_cast<std::int64_t>(points.size()), width};
  }
};

Cells cells_from(Points points) {
  Cells cells;
  cells.width = points.empty() ? 2 : static_cast<std::int64_t>(points.front().size());
  for (const auto& point : points) {
    for (const double value : point) {
      cells.flat.push_back(static_cast<float>(value));
      cells.exact.push_back(value);
    }
  }
  cells.points = std::move(points);
  return cells;
}

// Values are multiples of 1/1024, so that float holds them exactly. `offset` moves all cells.
Cells random_cells(std::size_t count, std::size_t width, double offset = 0) {
  Points points(count, std::vector<double>(width));
  const RandomKey key{11, stream_of(Purpose::kTest, 0), 0};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < width; ++c) {
      points[i][c] = offset + random_index(key, 4096, static_cast<std::uint32_t>(i),
                                           static_cast<std::uint32_t>(c)) /
                                  1024.0;
    }
  }
  return cells_from(std::move(points));
}

Labels random_labels(std::size_t count, std::uint32_t kinds) {
  Labels labels(count);
  const RandomKey key{12, stream_of(Purpose::kTest, 1), 0};
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<std::int32_t>(random_index(key, kinds, static_cast<std::uint32_t>(i)));
  }
  return labels;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

nlohmann::json golden() {
  std::ifstream file(std::string(M2ST_TEST_FOLDER) + "/golden/metrics/metrics.json");
  return nlohmann::json::parse(file);
}

TEST(Separation, OfFourCellsOnALine) {
  const Cells cells = cells_from({{0}, {2}, {10}, {12}});
  const Labels labels = {0, 0, 1, 1};
  CpuContext context(1);

  // Inside 2 (squared 4); to the other cluster 11, 9, 9, 11 (squared 122, 82, 82, 122).
  EXPECT_NEAR(silhouette_exact(context, cells.features(), labels), (9.0 / 11 + 7.0 / 9) / 2,
              kExpandedSquares);
  EXPECT_NEAR(silhouette_squared(context, cells.features(), labels), (118.0 / 122 + 78.0 / 82) / 2,
              kRounding);
  EXPECT_NEAR(davies_bouldin(context, cells.features(), labels), 0.2, kRounding);
  // Between 2·25·2 = 100 with one degree, within 4 with two.
  EXPECT_NEAR(calinski_harabasz(context, cells.features(), labels), 50, kRounding);
}

TEST(Separation, MatchesScikitLearn) {
  const nlohmann::json expected = golden();
  const Cells cells = cells_from(expected["features"].get<Points>());
  const Labels labels = expected["labels"].get<Labels>();
  CpuContext context(2);

  EXPECT_NEAR(silhouette_exact(context, cells.features(), labels),
              expected["silhouette"].get<double>(), kExpandedSquares);
  EXPECT_NEAR(silhouette_squared(context, cells.features(), labels),
              expected["silhouette_squared"].get<double>(), kRounding);
  EXPECT_NEAR(davies_bouldin(context, cells.features(), labels),
              expected["davies_bouldin"].get<double>(), kTheirExpandedSquares);
  const double ratio = expected["calinski_harabasz"].get<double>();
  EXPECT_NEAR(calinski_harabasz(context, cells.features(), labels), ratio, ratio * kRounding);
}

TEST(Separation, SilhouettesMatchAllPairsAtRaggedSizes) {
  CpuContext context(2);
  for (const std::size_t count : {3u, 31u, 32u, 33u, 257u, 600u}) {
    const Cells cells = random_cells(count, 9);
    Labels labels = random_labels(count, 5);
    labels[0] = 0;
    labels[1] = 1;

    EXPECT_NEAR(silhouette_exact(context, cells.features(), labels),
                mean(reference::silhouettes(cells.points, labels, false)), kExpandedSquares)
        << count;
    EXPECT_NEAR(silhouette_squared(context, cells.features(), labels),
                mean(reference::silhouettes(cells.points, labels, true)), kRounding)
        << count;
  }
}

TEST(Separation, DaviesBouldinMatchesItsDefinition) {
  CpuContext context(2);
  for (const std::size_t width : {1u, 7u, 8u, 33u}) {
    const Cells cells = random_cells(300, width);
    const Labels labels = random_labels(300, 5);
    const double expected = reference::davies_bouldin(cells.points, labels);

    EXPECT_NEAR(davies_bouldin(context, cells.features(), labels), expected, expected * kRounding)
        << width;
  }
}

TEST(Separation, DoesNotSufferFromALargeCommonOffset) {
  CpuContext context(1);
  const Labels labels = random_labels(100, 3);
  const Cells near = random_cells(100, 6), far = random_cells(100, 6, 4096);

  EXPECT_NEAR(silhouette_exact(context, far.features(), labels),
              silhouette_exact(context, near.features(), labels), kExpandedSquares);
  EXPECT_NEAR(silhouette_squared(context, far.features(), labels),
              silhouette_squared(context, near.features(), labels), kRounding);
}

TEST(Separation, SampledSilhouetteOfAllCellsIsTheExactOne) {
  CpuContext context(2);
  const Cells cells = random_cells(300, 4);
  const Labels labels = random_labels(300, 4);

  const double exact = silhouette_exact(context, cells.features(), labels);

  EXPECT_EQ(silhouette_sampled(context, cells.features(), labels, 300, 5), exact);
  EXPECT_EQ(silhouette_sampled(context, cells.features(), labels, 1000, 5), exact);
}

TEST(Separation, SampledSilhouetteIsTheMeanOverTheDrawnCells) {
  CpuContext context(2);
  const Cells cells = random_cells(64, 4);
  const Labels labels = random_labels(64, 3);
  const std::vector<double> all = reference::silhouettes(cells.points, labels, false);

  const double drawn = silhouette_sampled(context, cells.features(), labels, 1, 5);
  bool is_one_of_them = false;
  for (const double score : all) {
    is_one_of_them = is_one_of_them || std::abs(score - drawn) < kExpandedSquares;
  }

  EXPECT_TRUE(is_one_of_them) << drawn;
  EXPECT_NE(silhouette_sampled(context, cells.features(), labels, 20, 5),
            silhouette_sampled(context, cells.features(), labels, 20, 6));
}

TEST(Separation, LeavesOutUnlabelledCells) {
  CpuContext context(1);
  Cells cells = random_cells(50, 3);
  Labels labels = random_labels(50, 3);
  Points kept;
  Labels kept_labels;
  for (std::size_t i = 0; i < 50; ++i) {
    if (i % 7 == 3) {
      labels[i] = -1;
    } else {
      kept.push_back(cells.points[i]);
      kept_labels.push_back(labels[i]);
    }
  }
  const Cells rest = cells_from(kept);

  EXPECT_EQ(silhouette_exact(context, cells.features(), labels),
            silhouette_exact(context, rest.features(), kept_labels));
  EXPECT_EQ(davies_bouldin(context, cells.features(), labels),
            davies_bouldin(context, rest.features(), kept_labels));
}

TEST(Separation, OfDegenerateClustersIsDefined) {
  CpuContext context(1);
  const Cells cells = cells_from({{1, 1}, {1, 1}, {2, 3}, {2, 3}});
  const Cells none = cells_from({});
  const Labels one = {0, 0, 0, 0}, each = {0, 1, 2, 3}, pairs = {0, 0, 1, 1}, mixed = {0, 1, 0, 1};

  EXPECT_TRUE(std::isnan(silhouette_exact(context, cells.features(), one)));
  EXPECT_TRUE(std::isnan(silhouette_squared(context, none.features(), {})));
  EXPECT_TRUE(std::isnan(davies_bouldin(context, cells.features(), one)));
  EXPECT_TRUE(std::isnan(calinski_harabasz(context, cells.features(), one)));
  EXPECT_EQ(silhouette_exact(context, cells.features(), each), 0);
  EXPECT_EQ(davies_bouldin(context, cells.features(), each), 0);
  EXPECT_EQ(calinski_harabasz(context, cells.features(), pairs), 1);
  EXPECT_EQ(silhouette_squared(context, cells.features(), pairs), 1);
  EXPECT_EQ(davies_bouldin(context, cells.features(), mixed), 0);  // equal centres
  EXPECT_THROW(silhouette_squared(context, cells.features(), Labels{0, 1}), Error);
}

// More cells than the silhouette takes at a time, so that it meets a last block.
TEST(Separation, TogetherGivesTheBytesOfEachAlone) {
  const Cells cells = random_cells(9001, 5);
  const Labels labels = random_labels(9001, 6);
  CpuContext one(1), five(5);
  const Separation together = separation(five, cells.features(), labels);

  EXPECT_EQ(together.silhouette_squared, silhouette_squared(one, cells.features(), labels));
  EXPECT_EQ(together.davies_bouldin, davies_bouldin(one, cells.features(), labels));
  EXPECT_EQ(together.calinski_harabasz, calinski_harabasz(one, cells.features(), labels));
  EXPECT_TRUE(std::isnan(separation(one, cells.features(), Labels(9001, 0)).silhouette_squared));
}

TEST(Separation, IsTheSameForAnyNumberOfThreads) {
  const Cells cells = random_cells(700, 17), spots = random_cells(700, 2);
  const Labels labels = random_labels(700, 6);
  CpuContext one(1), five(5);

  EXPECT_EQ(silhouette_exact(one, cells.features(), labels),
            silhouette_exact(five, cells.features(), labels));
  EXPECT_EQ(silhouette_squared(one, cells.features(), labels),
            silhouette_squared(five, cells.features(), labels));
  EXPECT_EQ(davies_bouldin(one, cells.features(), labels),
            davies_bouldin(five, cells.features(), labels));
  EXPECT_EQ(chaos(one, spots.coordinates(), labels), chaos(five, spots.coordinates(), labels));
}

TEST(Spatial, ChaosOfASquareLattice) {
  CpuContext context(1);
  const Cells square = cells_from({{0, 0}, {0, 1}, {1, 0}, {1, 1}});

  // Deviation 1/2 on both axes: neighbours are at distance 2 after scaling.
  EXPECT_NEAR(chaos(context, square.coordinates(), Labels{3, 3, 3, 3}), 2, kRounding);
  EXPECT_NEAR(chaos(context, square.coordinates(), Labels{3, 3, 3, 0}), 2 * 3 / 4.0, kRounding);
  EXPECT_EQ(chaos(context, square.coordinates(), Labels{0, 0, 1, 1}), 0);  // domains too small
}

TEST(Spatial, MatchesScikitLearn) {
  const nlohmann::json expected = golden();
  const Cells cells = cells_from(expected["coordinates"].get<Points>());
  const Labels labels = expected["labels"].get<Labels>();
  CpuContext context(2);

  EXPECT_NEAR(chaos(context, cells.coordinates(), labels), expected["chaos"].get<double>(),
              kRounding);
  EXPECT_NEAR(pas(context, cells.coordinates(), labels), expected["pas"].get<double>(), kRounding);
}

TEST(Spatial, MatchesAllPairsAtRaggedSizes) {
  CpuContext context(2);
  for (const std::size_t count : {2u, 10u, 11u, 12u, 31u, 33u, 700u}) {
    for (const std::size_t axes : {2u, 3u}) {
      const Cells cells = random_cells(count, axes);
      const Labels labels = random_labels(count, 3);

      EXPECT_NEAR(chaos(context, cells.coordinates(), labels),
                  reference::chaos(cells.points, labels), kRounding)
          << count;
      EXPECT_EQ(pas(context, cells.coordinates(), labels), reference::pas(cells.points, labels))
          << count;
    }
  }
}

TEST(Spatial, BreaksTiesOfALatticeByIndex) {
  Points lattice;
  for (int row = 0; row < 20; ++row) {
    for (int column = 0; column < 20; ++column) {
      lattice.push_back({static_cast<double>(row), static_cast<double>(column)});
    }
  }
  const Cells cells = cells_from(lattice);
  const Labels labels = random_labels(400, 2);
  CpuContext context(2);

  EXPECT_EQ(pas(context, cells.coordinates(), labels), reference::pas(cells.points, labels));
}

TEST(Spatial, OfDegenerateInputIsDefined) {
  CpuContext context(1);
  const Cells none = cells_from({}), same = cells_from({{1, 2}, {1, 2}, {1, 2}, {1, 2}});
  const Cells line = cells_from({{0, 5}, {1, 5}, {2, 5}, {3, 5}});
  const Labels labels = {0, 0, 0, 0};

  EXPECT_TRUE(std::isnan(chaos(context, none.coordinates(), {})));
  EXPECT_TRUE(std::isnan(pas(context, same.coordinates(), Labels{-1, -1, -1, -1})));
  EXPECT_EQ(chaos(context, same.coordinates(), labels), 0);
  EXPECT_EQ(pas(context, same.coordinates(), labels), 0);
  EXPECT_NEAR(chaos(context, line.coordinates(), labels), 1 / std::sqrt(1.25), kRounding);
  EXPECT_EQ(pas(context, line.coordinates(), Labels{0, 1, 2, 3}), 0);  // only three others each
}

}  // namespace
}  // namespace m2st::cluster
