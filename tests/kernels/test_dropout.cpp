// Dropout against its rule evaluated one element at a time, and the rule's statistics.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/check.h"
#include "kernels/cpu/philox_lanes.h"
#include "kernels/dropout.h"
#include "kernels/math/attention_dropout.h"
#include "kernels/math/dropout.h"
#include "test_backend.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::on_any_threads;
using test::random_graph;
using test::random_values;

constexpr RandomKey kKey = {0x123456789ABCDEFu, stream_of(Purpose::kTest, 3), 17};

std::vector<std::int32_t> shuffled_ids(std::int64_t rows) {
  std::vector<std::int32_t> ids;
  for (std::int64_t r = 0; r < rows; ++r) ids.push_back(static_cast<std::int32_t>(3 * (rows - r)));
  return ids;
}

template <class T>
class Dropout : public ::testing::Test {
 protected:
  Backend context_{1};
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Dropout, Types);

TEST(PhiloxLanes, GiveTheWordsOfSingleCalls) {
  std::uint32_t id[kCounters];
  std::uint32_t block[kCounters];
  for (std::uint32_t i = 0; i < kCounters; ++i) {
    id[i] = 0xFFFFFFFFu - 1000003u * i;
    block[i] = 77u * i;
  }
  const RandomKey key = {~std::uint64_t{5}, 0xDEADBEEFu, 0xFFFFFFFFu};

  PhiloxBlock blocks[kCounters];
  random_blocks(key, id, block, blocks);

  for (int i = 0; i < kCounters; ++i) {
    const PhiloxBlock expected = random_block(key, id[i], block[i]);
    for (int word = 0; word < 4; ++word) EXPECT_EQ(blocks[i].word[word], expected.word[word]);
  }
}

// Columns 8b .. 8b + 7 share block b, the low half of word 0 first: spelled out once by hand.
TEST(DropoutRule, DrawsSixteenBitsInOrder) {
  const PhiloxBlock block = random_block(kKey, 9, 2);
  const DropoutRule rule = {block.word[1] >> 16, 2.0};  // the fourth draw itself is just kept

  EXPECT_EQ(dropout_factor(kKey, rule, 9, 19), 2.0);
  EXPECT_EQ(dropout_factor(kKey, {rule.threshold + 1, 2.0}, 9, 19), 0.0);
  EXPECT_EQ(sixteen_bits(block, 0), block.word[0] & 0xFFFFu);
  EXPECT_EQ(sixteen_bits(block, 7), block.word[3] >> 16);
}

TYPED_TEST(Dropout, MatchesTheRuleElementByElement) {
  using T = TypeParam;
  constexpr std::int64_t kShapes[][2] = {{0, 8},  {1, 1},   {3, 7},    {5, 8},      {33, 31},
                                         {2, 32}, {31, 33}, {40, 300}, {3, 100000}, {9000, 9}};
  const DropoutRule rule = dropout_rule(0.2);
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<std::int32_t> ids = shuffled_ids(rows);
    const std::vector<T> x = random_values<T>(rows * cols, 1);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(x.size(), T(77));
      dropout<T>(context, kKey, 0.2, ids, {x.data(), rows, cols}, {result.data(), rows, cols},
                 Accumulate::kOverwrite);
      return result;
    });

    for (std::int64_t i = 0; i < rows * cols; ++i) {
      const T factor = static_cast<T>(dropout_factor(kKey, rule, ids[i / cols], i % cols));
      ASSERT_EQ(out[i], x[i] * factor) << rows << " x " << cols << ", element " << i;
    }
  }
}

TYPED_TEST(Dropout, InPlaceAndAddedAgreeWithOutOfPlace) {
  using T = TypeParam;
  const std::vector<std::int32_t> ids = shuffled_ids(50);
  std::vector<T> x(50 * 33, T(1));
  std::vector<T> out(x.size()), added(x.size(), T(10));
  const MatrixView<T> view{x.data(), 50, 33};
  dropout<T>(this->context_, kKey, 0.5, ids, view, {out.data(), 50, 33}, Accumulate::kOverwrite);

  dropout<T>(this->context_, kKey, 0.5, ids, view, {added.data(), 50, 33}, Accumulate::kAdd);
  dropout<T>(this->context_, kKey, 0.5, ids, view, view, Accumulate::kOverwrite);

  EXPECT_EQ(x, out);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(added[i], T(10) + out[i]);
}

TYPED_TEST(Dropout, ProbabilityZeroCopies) {
  using T = TypeParam;
  const std::vector<std::int32_t> ids = shuffled_ids(3);
  const std::vector<T> x = random_values<T>(15, 2);
  std::vector<T> out(15);

  dropout<T>(this->context_, kKey, 0, ids, {x.data(), 3, 5}, {out.data(), 3, 5},
             Accumulate::kOverwrite);

  EXPECT_EQ(out, x);
}

TYPED_TEST(Dropout, RefusesAProbabilityThatKeepsNothing) {
  using T = TypeParam;
  const std::vector<std::int32_t> ids = shuffled_ids(1);
  std::vector<T> x(4);
  const MatrixView<T> view{x.data(), 1, 4};
  for (const double probability : {1.0, 0.999999, -0.1, std::nan("")}) {
    EXPECT_THROW(
        dropout<T>(this->context_, kKey, probability, ids, view, view, Accumulate::kOverwrite),
        Error);
  }
}

// Kept shares of 10^6 draws: five standard deviations are 0.0025.
TYPED_TEST(Dropout, KeepsTheAskedShareAndTheMean) {
  using T = TypeParam;
  const std::int64_t rows = 1000;
  const std::vector<std::int32_t> ids = shuffled_ids(rows);
  for (const double probability : {0.1, 0.5, 0.9}) {
    std::vector<T> x(rows * 1000, T(1));
    const MatrixView<T> view{x.data(), rows, 1000};

    dropout<T>(this->context_, kKey, probability, ids, view, view, Accumulate::kOverwrite);

    double kept = 0, total = 0;
    for (const T value : x) {
      kept += value != T(0);
      total += value;
    }
    EXPECT_NEAR(kept / 1e6, 1 - probability, 0.0025);
    EXPECT_NEAR(total / 1e6, 1, 0.0025 / (1 - probability));
  }
}

TYPED_TEST(Dropout, MasksDifferByEpochAndStream) {
  using T = TypeParam;
  const std::vector<std::int32_t> ids = shuffled_ids(10);
  const std::vector<T> x(10 * 100, T(1));
  const auto mask = [&](RandomKey key) {
    std::vector<T> out(x.size());
    dropout<T>(this->context_, key, 0.5, ids, {x.data(), 10, 100}, {out.data(), 10, 100},
               Accumulate::kOverwrite);
    return out;
  };
  RandomKey other_epoch = kKey;
  RandomKey other_stream = kKey;
  other_epoch.epoch += 1;
  other_stream.stream += 1;

  EXPECT_NE(mask(kKey), mask(other_epoch));
  EXPECT_NE(mask(kKey), mask(other_stream));
  EXPECT_EQ(mask(kKey), mask(kKey));
}

TYPED_TEST(Dropout, OfEdgesMatchesTheRuleOfTheirEnds) {
  using T = TypeParam;
  for (const std::int32_t nodes : {0, 1, 33, 3000}) {
    const test::TestGraph graph = random_graph(nodes, 5, {.hub_degree = 100});
    for (const std::int64_t heads : {1, 4, 6}) {
      const std::vector<T> x = random_values<T>(graph.edges() * heads, 3);
      const MatrixView<const T> view{x.data(), graph.edges(), heads};

      const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
        std::vector<T> result(x.size(), T(0));
        edge_dropout<T>(context, graph.view(), kKey, 0.3, view,
                        {result.data(), graph.edges(), heads}, Accumulate::kAdd);
        return result;
      });

      const DropoutRule rule = dropout_rule(0.3);
      for (std::int64_t i = 0; i < graph.nodes(); ++i) {
        for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
          for (std::int64_t h = 0; h < heads; ++h) {
            const T factor = static_cast<T>(
                attention_factor(kKey, rule, graph.ids[i], graph.ids[graph.sources[e]], h));
            ASSERT_EQ(out[e * heads + h], x[e * heads + h] * factor)
                << "edge " << e << ", head " << h;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace m2st::kernels
