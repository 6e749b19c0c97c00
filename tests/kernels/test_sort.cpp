// Orders and offsets against the standard library's.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "engine/check.h"
#include "engine/random.h"
#include "kernels/sort.h"
#include "test_backend.h"

namespace m2st {
namespace {

using test::Backend;

// Around nothing, one and several chunks of the sort.
const std::vector<std::int64_t> kSizes{0, 1, 2, 31, 32, 33, 32768, 100001};

std::vector<std::uint64_t> random_keys(std::int64_t n, std::uint64_t mask) {
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto bits =
        random_block({1, stream_of(Purpose::kTest, 1), 0}, static_cast<std::uint32_t>(i), 0);
    keys[i] = (static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1]) & mask;
  }
  return keys;
}

TEST(Sort, ArgsortIsTheStableOrder) {
  for (std::int64_t n : kSizes) {
    // All bits; few distinct keys; two bytes far apart; one key only.
    for (std::uint64_t mask : {~0ull, 7ull, 0xFF000000000000FFull, 0ull}) {
      const auto keys = random_keys(n, mask);
      std::vector<std::int32_t> expected(keys.size());
      std::iota(expected.begin(), expected.end(), 0);
      std::stable_sort(expected.begin(), expected.end(), [&](std::int32_t a, std::int32_t b) {
        return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
      });

      for (int threads : {1, 2, 5}) {
        Backend context(threads);
        std::vector<std::int32_t> order(keys.size(), -1);
        kernels::argsort(context, keys, order);
        ASSERT_EQ(order, expected) << n << " keys, mask " << mask << ", " << threads << " threads";
      }
    }
  }
}

TEST(Sort, ScanGivesOffsetsAndTotal) {
  for (std::int64_t n : kSizes) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<std::int64_t>(i % 7);
    std::vector<std::int64_t> expected(counts.size() + 1, 0);
    std::partial_sum(counts.begin(), counts.end(), expected.begin() + 1);
    Backend context(2);
    std::vector<std::int64_t> offsets(counts.size() + 1, -1);

    kernels::exclusive_scan(context, counts, offsets);

    EXPECT_EQ(offsets, expected) << n;
  }
}

TEST(Sort, InverseUndoesAPermutation) {
  Backend context(2);
  std::vector<std::int32_t> order(50000), inverse(order.size());
  kernels::argsort(context, random_keys(50000, ~0ull), order);

  kernels::invert_permutation(context, order, inverse);

  for (std::size_t i = 0; i < order.size(); ++i) {
    ASSERT_EQ(inverse[static_cast<std::size_t>(order[i])], static_cast<std::int32_t>(i));
  }
}

TEST(Sort, WrongSizesAreNamed) {
  Backend context(1);
  std::vector<std::int64_t> counts(3), offsets(3);

  try {
    kernels::exclusive_scan(context, counts, offsets);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "exclusive_scan: size of offsets (got 3, need 4)");
  }
}

}  // namespace
}  // namespace m2st
