// Agreement: literals, all pairs looked at, scikit-learn's values, the published figures.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/metrics/agreement.h"
#include "cluster/metrics/assignment.h"
#include "engine/check.h"
#include "engine/random.h"
#include "tests/reference/metrics.h"
#include "tests/support/shared_data.h"

namespace m2st::cluster {
namespace {

using Labels = std::vector<std::int32_t>;

constexpr double kRounding = 1e-14;  // a few additions of numbers below 1
// Sums of a few hundred terms; the two programs take logarithms of different quotients.
constexpr double kOtherProgram = 1e-12;
constexpr double kPublishedRounding = 1e-9;  // figures other than ARI went through MATLAB's log2

Labels random_labels(std::uint32_t stream, std::size_t count, std::uint32_t kinds) {
  Labels labels(count);
  for (std::size_t i = 0; i < count; ++i) {
    const RandomKey key{7, stream_of(Purpose::kTest, stream), 0};
    labels[i] = static_cast<std::int32_t>(random_index(key, kinds, static_cast<std::uint32_t>(i)));
  }
  return labels;
}

nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

Labels read_label_lines(const std::string& path) {
  std::ifstream file(path);
  std::map<std::string, std::int32_t> codes;
  Labels labels;
  for (std::string line; std::getline(file, line);) {
    labels.push_back(codes.emplace(line, static_cast<std::int32_t>(codes.size())).first->second);
  }
  return labels;
}

TEST(Agreement, OfATableOfTwoByTwo) {
  const Labels labels = {0, 0, 0, 1, 1, 1};
  const Labels truth = {0, 0, 1, 1, 1, 1};

  const Agreement result = agreement(labels, truth);

  // Table [2 1; 0 3]: pairs together 1 + 3 = 4, in rows 6, in columns 1 + 6 = 7, of 15.
  EXPECT_EQ(result.cells, 6);
  EXPECT_NEAR(result.ari, (4 - 6.0 * 7 / 15) / (6.5 - 6.0 * 7 / 15), kRounding);
  EXPECT_NEAR(result.accuracy, 5.0 / 6, kRounding);
  EXPECT_NEAR(result.purity, 5.0 / 6, kRounding);
  const double of_labels = std::log(2);
  const double of_truth = -std::log(1.0 / 3) / 3 - std::log(2.0 / 3) * 2 / 3;
  const double mutual = std::log(2) / 3 + std::log(0.5) / 6 + std::log(1.5) / 2;
  EXPECT_NEAR(result.nmi_max, mutual / of_labels, kRounding);
  EXPECT_NEAR(result.nmi_arithmetic, 2 * mutual / (of_labels + of_truth), kRounding);
  EXPECT_NEAR(result.nmi_geometric, mutual / std::sqrt(of_labels * of_truth), kRounding);
  EXPECT_NEAR(result.homogeneity, mutual / of_truth, kRounding);
  EXPECT_NEAR(result.completeness, mutual / of_labels, kRounding);
}

TEST(Agreement, IsOneForTheSamePartitionUnderOtherNames) {
  const Labels labels = random_labels(0, 300, 5);
  Labels renamed = labels;
  for (std::int32_t& label : renamed) label = 1000000 - 7 * label;

  const Agreement result = agreement(labels, renamed);

  EXPECT_EQ(result.ari, 1);
  EXPECT_EQ(result.accuracy, 1);
  EXPECT_EQ(result.purity, 1);
  EXPECT_NEAR(result.nmi_max, 1, kRounding);
  EXPECT_NEAR(result.homogeneity, 1, kRounding);
}

TEST(Agreement, OfTrivialPartitionsIsDefined) {
  const Labels one = {0, 0, 0, 0}, each = {0, 1, 2, 3}, single = {5};

  EXPECT_EQ(agreement(one, one).ari, 1);
  EXPECT_EQ(agreement(one, one).nmi_geometric, 1);
  EXPECT_EQ(agreement(each, each).ari, 1);
  EXPECT_EQ(agreement(one, each).ari, 0);
  EXPECT_EQ(agreement(one, each).nmi_geometric, 0);
  EXPECT_EQ(agreement(one, each).homogeneity, 0);
  EXPECT_EQ(agreement(one, each).completeness, 1);
  EXPECT_EQ(agreement(one, each).accuracy, 0.25);
  EXPECT_EQ(agreement(each, one).purity, 1);
  EXPECT_EQ(agreement(single, single).ari, 1);
}

TEST(Agreement, LeavesOutUnlabelledCellsOfEitherSide) {
  const Agreement result = agreement(Labels{0, 0, -1, 1, 1, 4}, Labels{2, 2, 2, 3, -5, 3});

  EXPECT_EQ(result.cells, 4);
  EXPECT_NEAR(result.accuracy, 0.75, kRounding);
  EXPECT_EQ(result.homogeneity, agreement(Labels{0, 0, 1, 4}, Labels{2, 2, 3, 3}).homogeneity);
}

TEST(Agreement, OfNothingIsNotANumber) {
  EXPECT_EQ(agreement({}, {}).cells, 0);
  EXPECT_TRUE(std::isnan(agreement({}, {}).ari));
  EXPECT_TRUE(std::isnan(agreement(Labels{-1, 2}, Labels{3, -1}).accuracy));
  EXPECT_THROW(agreement(Labels{1}, Labels{1, 2}), Error);
}

TEST(Agreement, MatchesAllPairsLookedAt) {
  for (const std::size_t count : {2u, 31u, 32u, 33u, 200u}) {
    const Labels labels = random_labels(1, count, 3), truth = random_labels(2, count, 7);
    EXPECT_NEAR(agreement(labels, truth).ari, reference::adjusted_rand(labels, truth), kRounding)
        << count;
  }
}

TEST(Agreement, MatchesScikitLearn) {
  const nlohmann::json golden =
      read_json(std::string(M2ST_TEST_FOLDER) + "/golden/metrics/metrics.json");

  const Agreement result = agreement(golden["labels"].get<Labels>(), golden["truth"].get<Labels>());

  EXPECT_NEAR(result.ari, golden["ari"].get<double>(), kOtherProgram);
  EXPECT_NEAR(result.nmi_max, golden["nmi_max"].get<double>(), kOtherProgram);
  EXPECT_NEAR(result.nmi_arithmetic, golden["nmi_arithmetic"].get<double>(), kOtherProgram);
  EXPECT_NEAR(result.nmi_geometric, golden["nmi_geometric"].get<double>(), kOtherProgram);
  EXPECT_NEAR(result.homogeneity, golden["homogeneity"].get<double>(), kOtherProgram);
  EXPECT_NEAR(result.completeness, golden["completeness"].get<double>(), kOtherProgram);
}

TEST(Agreement, ReproducesThePublishedFigures) {
  for (const std::string name : {"starmap_m2st", "breast_m2st", "dlpfc_151672"}) {
    M2ST_NEEDS_SHARED("data/" + name);
    const std::string folder = test::shared_path("data/" + name);
    const nlohmann::json published = read_json(folder + "/published.json");

    const Agreement result = agreement(read_label_lines(folder + "/published_labels.txt"),
                                       read_label_lines(folder + "/labels.txt"));

    EXPECT_NEAR(result.ari, published["ARI"].get<double>(), kOtherProgram) << name;
    EXPECT_NEAR(result.nmi_max, published["nmi"].get<double>(), kPublishedRounding) << name;
    EXPECT_NEAR(result.accuracy, published["acc"].get<double>(), kPublishedRounding) << name;
    EXPECT_NEAR(result.purity, published["purity"].get<double>(), kPublishedRounding) << name;
  }
}

TEST(Assignment, FindsTheBestOfAllMatchings) {
  for (std::uint32_t trial = 0; trial < 60; ++trial) {
    const std::int64_t columns = 1 + trial % 6, rows = 1 + trial / 6 % columns;
    std::vector<std::vector<std::int64_t>> value(static_cast<std::size_t>(rows));
    std::vector<std::int64_t> flat;
    for (auto& row : value) {
      for (const std::int32_t entry :
           random_labels(10 + trial * 10 + static_cast<std::uint32_t>(&row - value.data()),
                         static_cast<std::size_t>(columns), 12)) {
        row.push_back(entry - 4);
        flat.push_back(entry - 4);
      }
    }

    const std::vector<std::int32_t> match = maximum_assignment({flat.data(), rows, columns});

    std::vector<bool> used(static_cast<std::size_t>(columns), false);
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < match.size(); ++row) {
      EXPECT_FALSE(used[static_cast<std::size_t>(match[row])]) << "trial " << trial;
      used[static_cast<std::size_t>(match[row])] = true;
      sum += value[row][static_cast<std::size_t>(match[row])];
    }
    EXPECT_EQ(sum, reference::best_matching(value)) << "trial " << trial;
  }
}

TEST(Assignment, OfNothingIsEmptyAndOfTooManyRowsRefused) {
  const std::vector<std::int64_t> value = {1, 2};
  EXPECT_TRUE(maximum_assignment({value.data(), 0, 2}).empty());
  EXPECT_THROW(maximum_assignment({value.data(), 2, 1}), Error);
}

}  // namespace
}  // namespace m2st::cluster
