// Philox against the known answers published with Random123, and what is drawn from it.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "engine/random.h"

namespace m2st {
namespace {

std::array<std::uint32_t, 4> words(const PhiloxBlock& block) {
  return {block.word[0], block.word[1], block.word[2], block.word[3]};
}

// Random123, tests/kat_vectors: philox4x32 with 10 rounds.
TEST(Philox, GivesThePublishedKnownAnswers) {
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(words(philox(0, {{0, 0, 0, 0}})),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(words(philox(~std::uint64_t{0}, {{~0u, ~0u, ~0u, ~0u}})),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(words(philox(0x299f31d0'a4093822u, {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}})),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, EveryPartOfTheKeyChangesTheDraw) {
  const RandomKey key{1, stream_of(Purpose::kMask, 0), 0};
  std::set<std::array<std::uint32_t, 4>> draws;

  draws.insert(words(random_block(key, 0, 0)));
  draws.insert(words(random_block({2, key.stream, 0}, 0, 0)));
  draws.insert(words(random_block({1ull << 32 | 1, key.stream, 0}, 0, 0)));
  draws.insert(words(random_block({1, stream_of(Purpose::kMask, 1), 0}, 0, 0)));
  draws.insert(words(random_block({1, stream_of(Purpose::kFeatureDropout, 0), 0}, 0, 0)));
  draws.insert(words(random_block({1, key.stream, 1}, 0, 0)));
  draws.insert(words(random_block(key, 1, 0)));
  draws.insert(words(random_block(key, 0, 1)));

  EXPECT_EQ(draws.size(), 8u);
  EXPECT_EQ(words(random_block(key, 0, 0)), words(random_block(key, 0, 0)));
}

TEST(Random, StreamsKeepPurposeAndIndexApart) {
  EXPECT_EQ(stream_of(Purpose::kMask, 5), 0x02000005u);
  EXPECT_NE(stream_of(Purpose::kInitialise, 0xFFFFFF), stream_of(Purpose::kMask, 0));
}

// Means of 10^5 draws: five standard deviations are 0.0046 (uniform) and 0.016 (normal).
TEST(Random, UniformIsInTheUnitIntervalWithItsMoments) {
  const RandomKey key{3, stream_of(Purpose::kTest, 0), 0};
  double sum = 0, squares = 0;
  for (std::uint32_t id = 0; id < 100000; ++id) {
    const double value = random_uniform(key, id);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
    squares += value * value;
  }

  EXPECT_NEAR(sum / 1e5, 0.5, 0.0046);
  EXPECT_NEAR(squares / 1e5, 1.0 / 3, 0.005);
}

TEST(Random, NormalHasItsMomentsAndIsFinite) {
  const RandomKey key{4, stream_of(Purpose::kTest, 0), 0};
  double sum = 0, squares = 0, fourth = 0;
  for (std::uint32_t id = 0; id < 100000; ++id) {
    const double value = random_normal(key, id);
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    fourth += value * value * value * value;
  }

  EXPECT_NEAR(sum / 1e5, 0, 0.016);
  EXPECT_NEAR(squares / 1e5, 1, 0.023);
  EXPECT_NEAR(fourth / 1e5, 3, 0.16);
}

// 70000 draws in 7 bins: five standard deviations of a bin are 463.
TEST(Random, IndexIsUniformBelowItsBound) {
  const RandomKey key{5, stream_of(Purpose::kTest, 0), 0};
  std::vector<int> count(7);
  for (std::uint32_t id = 0; id < 70000; ++id) {
    const std::uint32_t index = random_index(key, 7, id);
    ASSERT_LT(index, 7u);
    ++count[index];
  }

  for (const int times : count) EXPECT_NEAR(times, 10000, 463);
}

}  // namespace
}  // namespace m2st
