// The memory pool: reuse, limit, peak, and what happens when the source has no more.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <map>

#include "engine/array.h"
#include "engine/memory_pool.h"
#include "tests/support/expect_error.h"

namespace m2st {
namespace {

using test::expect_error;

// A source that counts its blocks and has only so many bytes.
struct CountedSource {
  std::size_t room = 1 << 20;
  std::map<void*, std::size_t> sizes = {};
  int allocations = 0;

  MemorySource source() {
    return {"counted",
            [this](std::size_t bytes) -> void* {
              if (bytes > room) return nullptr;
              void* block = std::aligned_alloc(64, bytes);
              room -= bytes;
              ++allocations;
              sizes[block] = bytes;
              return block;
            },
            [this](void* block) {
              room += sizes.at(block);
              sizes.erase(block);
              std::free(block);
            }};
  }
};

TEST(MemoryPool, HandsAFreedBlockOutAgain) {
  CountedSource counted;
  MemoryPool pool(counted.source());
  void* first = pool.allocate(1000);
  pool.release(first, 1000);

  void* second = pool.allocate(990);  // of the same size class

  EXPECT_EQ(second, first);
  EXPECT_EQ(counted.allocations, 1);
  pool.release(second, 990);
}

TEST(MemoryPool, WhilePassingBlocksOnHasWhatIsInUse) {
  CountedSource counted;
  MemoryPool pool(counted.source());
  constexpr std::size_t kBefore = 1000, kBytes = 64 * 1001;
  void* before = pool.allocate(kBefore);
  pool.release(pool.allocate(kBytes), kBytes);
  ASSERT_GT(pool.held(), pool.in_use());

  pool.pass_blocks_on(true);
  EXPECT_EQ(pool.held(), pool.in_use()) << "kept blocks went back";
  void* during = pool.allocate(kBytes);
  EXPECT_EQ(counted.sizes.at(during), kBytes) << "no size class";
  pool.release(pool.allocate(kBytes), kBytes);
  EXPECT_EQ(counted.sizes.size(), 2U);
  pool.release(before, kBefore);
  EXPECT_EQ(counted.sizes.size(), 1U) << "of a class, but not kept";
  pool.pass_blocks_on(false);

  pool.release(during, kBytes);  // is of no size class: another array could not use it
  EXPECT_EQ(counted.sizes.size(), 0U);
  EXPECT_EQ(pool.in_use(), 0U);
  pool.release(pool.allocate(kBytes), kBytes);
  EXPECT_GT(pool.held(), 0U);
}

TEST(MemoryPool, ForMemoryCheckersGivesEveryBlockOfItsExactSize) {
  ASSERT_EQ(setenv("M2ST_EXACT_MEMORY", "1", 1), 0);
  CountedSource counted;
  // Sizes that aligned_alloc takes, but that the pool would round up.
  constexpr std::size_t kBytes = 64 * 1001;
  MemoryPool pool(counted.source());
  ASSERT_EQ(unsetenv("M2ST_EXACT_MEMORY"), 0);

  void* block = pool.allocate(kBytes);
  EXPECT_EQ(counted.sizes.at(block), kBytes);
  pool.release(block, kBytes);

  EXPECT_TRUE(counted.sizes.empty());
}

TEST(MemoryPool, GivesAlignedBlocksOfAtLeastTheAskedSize) {
  MemoryPool pool(host_memory());
  for (const std::size_t bytes : {1, 63, 64, 65, 1000, 1025, 123457}) {
    auto* block = static_cast<unsigned char*>(pool.allocate(bytes));

    std::fill_n(block, bytes, 0xAB);  // the address sanitizer watches this

    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    EXPECT_GE(pool.in_use(), bytes);
    EXPECT_LE(pool.in_use(), bytes + std::max<std::size_t>(64, bytes / 8));
    pool.release(block, bytes);
    EXPECT_EQ(pool.in_use(), 0u);
  }
}

TEST(MemoryPool, ZeroBytesAreNull) {
  MemoryPool pool(host_memory());

  EXPECT_EQ(pool.allocate(0), nullptr);
  pool.release(nullptr, 0);

  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(MemoryPool, PeakIsTheMostEverInUse) {
  MemoryPool pool(host_memory());
  void* a = pool.allocate(1024);
  void* b = pool.allocate(2048);
  pool.release(a, 1024);
  EXPECT_EQ(pool.peak(), 3072u);
  EXPECT_EQ(pool.in_use(), 2048u);

  pool.reset_peak();

  EXPECT_EQ(pool.peak(), 2048u);
  pool.release(b, 2048);
}

TEST(MemoryPool, AboveItsLimitIsOutOfMemory) {
  MemoryPool pool(host_memory());
  pool.set_limit(4096);
  void* block = pool.allocate(4096);

  expect_error(ExitCode::kOutOfMemory, {"host", "limit is 4096"}, [&] { pool.allocate(64); });

  pool.release(block, 4096);
  EXPECT_NO_THROW(pool.release(pool.allocate(4096), 4096));
}

TEST(MemoryPool, AnEmptySourceIsOutOfMemory) {
  CountedSource counted{.room = 1024};
  MemoryPool pool(counted.source());

  expect_error(ExitCode::kOutOfMemory, {"counted", "0 in use"}, [&] { pool.allocate(2048); });
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(MemoryPool, GivesIdleBlocksBackBeforeItFails) {
  CountedSource counted{.room = 2048};
  MemoryPool pool(counted.source());
  pool.release(pool.allocate(1024), 1024);

  void* block = pool.allocate(2048);

  EXPECT_NE(block, nullptr);
  pool.release(block, 2048);
}

TEST(MemoryPool, TrimReturnsEverythingIdle) {
  CountedSource counted;
  MemoryPool pool(counted.source());
  void* used = pool.allocate(512);
  pool.release(pool.allocate(1024), 1024);

  pool.trim();

  EXPECT_EQ(counted.sizes.size(), 1u);
  pool.release(used, 512);
}

TEST(MemoryPool, AnAbsurdSizeIsOutOfMemory) {
  MemoryPool pool(host_memory());

  expect_error(ExitCode::kOutOfMemory, {"host"}, [&] { pool.allocate(~std::size_t{0}); });
  expect_error(ExitCode::kOutOfMemory, {"host"},
               [&] { Matrix<double> matrix(pool, std::int64_t{1} << 40, std::int64_t{1} << 40); });
}

}  // namespace
}  // namespace m2st
