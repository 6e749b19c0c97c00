// Masks: how many, which, and that neither order nor neighbours in memory change the draw.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "model/masks.h"
#include "tests/model/tissue.h"

namespace m2st::model {
namespace {

constexpr std::uint64_t kSeed = 5;

std::vector<std::int32_t> plain_ids(std::int32_t nodes) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(nodes));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::set<std::int32_t> ids_of(const std::vector<std::int32_t>& rows,
                              const std::vector<std::int32_t>& ids) {
  std::set<std::int32_t> result;
  for (const std::int32_t row : rows) result.insert(ids[static_cast<std::size_t>(row)]);
  return result;
}

TEST(Masks, CountIsTheFloorOfTheRate) {
  for (const std::int32_t nodes : {1, 2, 3, 31, 32, 33, 1207}) {
    for (const double rate : {0.0, 0.3, 0.5, 0.75, 1.0}) {
      const MaskDraw mask = draw_mask(kSeed, 1, rate, 0, plain_ids(nodes));

      EXPECT_EQ(std::ssize(mask.masked), static_cast<std::int64_t>(rate * nodes))
          << nodes << " nodes, rate " << rate;
      EXPECT_TRUE(std::is_sorted(mask.masked.begin(), mask.masked.end()));
      EXPECT_EQ(std::set(mask.masked.begin(), mask.masked.end()).size(), mask.masked.size());
      EXPECT_EQ(mask.tokens, mask.masked);
      EXPECT_TRUE(mask.replaced.empty());
    }
  }
}

TEST(Masks, EpochsAndSeedsDiffer) {
  const std::vector<std::int32_t> ids = plain_ids(200);
  const MaskDraw mask = draw_mask(kSeed, 1, 0.5, 0, ids);

  EXPECT_EQ(draw_mask(kSeed, 1, 0.5, 0, ids).masked, mask.masked);
  EXPECT_NE(draw_mask(kSeed, 2, 0.5, 0, ids).masked, mask.masked);
  EXPECT_NE(draw_mask(kSeed + 1, 1, 0.5, 0, ids).masked, mask.masked);
}

TEST(Masks, EveryNodeIsMaskedAsOften) {
  constexpr int kEpochs = 2000;
  constexpr double kRate = 0.5;
  // Five deviations of a binomial count.
  const double slack = 5 * std::sqrt(kEpochs * kRate * (1 - kRate));
  const std::vector<std::int32_t> ids = plain_ids(40);
  std::vector<int> counts(ids.size(), 0);

  for (std::uint32_t epoch = 1; epoch <= kEpochs; ++epoch) {
    for (const std::int32_t row : draw_mask(kSeed, epoch, kRate, 0, ids).masked) ++counts[row];
  }

  for (const int count : counts) EXPECT_NEAR(count, kEpochs * kRate, slack);
}

TEST(Masks, FollowTheNodeAndNotItsPlace) {
  const std::vector<std::int32_t> plain = plain_ids(301);
  const std::vector<std::int32_t> order = test::scrambled_order(301);
  const MaskDraw mask = draw_mask(kSeed, 4, 0.5, 0.2, plain);
  const MaskDraw scrambled = draw_mask(kSeed, 4, 0.5, 0.2, order);

  EXPECT_EQ(ids_of(scrambled.masked, order), ids_of(mask.masked, plain));
  EXPECT_EQ(ids_of(scrambled.tokens, order), ids_of(mask.tokens, plain));
  std::set<std::pair<std::int32_t, std::int32_t>> donors;
  std::set<std::pair<std::int32_t, std::int32_t>> scrambled_donors;
  for (std::size_t i = 0; i < mask.donors.size(); ++i) {
    donors.emplace(mask.replaced[i], mask.donors[i]);
    scrambled_donors.emplace(order[scrambled.replaced[i]], order[scrambled.donors[i]]);
  }
  EXPECT_EQ(scrambled_donors, donors);
}

TEST(Masks, ReplacedNodesGetAnotherNode) {
  const MaskDraw mask = draw_mask(kSeed, 1, 0.5, 0.25, plain_ids(400));

  EXPECT_EQ(mask.masked.size(), 200u);
  EXPECT_EQ(mask.replaced.size(), 50u);
  EXPECT_EQ(mask.donors.size(), 50u);
  for (std::size_t i = 0; i < mask.donors.size(); ++i) EXPECT_NE(mask.donors[i], mask.replaced[i]);
  std::vector<std::int32_t> together;
  std::merge(mask.tokens.begin(), mask.tokens.end(), mask.replaced.begin(), mask.replaced.end(),
             std::back_inserter(together));
  EXPECT_EQ(together, mask.masked);
}

TEST(Masks, ALoneNodeCannotBeReplaced) {
  const MaskDraw mask = draw_mask(kSeed, 1, 1.0, 1.0, plain_ids(1));

  EXPECT_EQ(mask.masked.size(), 1u);
  EXPECT_TRUE(mask.replaced.empty());
  EXPECT_EQ(mask.tokens.size(), 1u);
}

}  // namespace
}  // namespace m2st::model
