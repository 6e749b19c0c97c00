// Threads and the fixed-chunk loops on them: every chunk once, errors come back, shapes do not
// depend on the number of threads.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/parallel.h"
#include "tests/support/expect_error.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

TEST(ThreadPool, RunsEveryChunkOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::int64_t chunks : {0, 1, 2, 4, 5, 6, 1000}) {
      std::vector<std::atomic<int>> count(chunks);

      pool.run(chunks, [&](std::int64_t chunk) { ++count[chunk]; });

      for (const std::atomic<int>& times : count) ASSERT_EQ(times.load(), 1);
    }
  }
}

TEST(ThreadPool, ManyShortLoopsLoseNothing) {
  ThreadPool pool(3);
  std::atomic<std::int64_t> total = 0;

  for (int loop = 0; loop < 20000; ++loop) {
    pool.run(4, [&](std::int64_t chunk) { total += chunk + 1; });
  }

  EXPECT_EQ(total.load(), 200000);
}

TEST(ThreadPool, ThrowsAgainWhatAChunkThrew) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int attempt = 0; attempt < 50; ++attempt) {
      try {
        pool.run(100, [](std::int64_t chunk) {
          if (chunk == 40) throw std::runtime_error("chunk 40");
        });
        FAIL() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()), "chunk 40");
      }
    }
    // And works on.
    std::atomic<int> count = 0;
    pool.run(100, [&](std::int64_t) { ++count; });
    EXPECT_EQ(count.load(), 100);
  }
}

TEST(ThreadPool, ALoopInsideALoopRunsInPlace) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> count(8 * 8);

  pool.run(8, [&](std::int64_t outer) {
    pool.run(8, [&](std::int64_t inner) { ++count[outer * 8 + inner]; });
  });

  for (const std::atomic<int>& times : count) EXPECT_EQ(times.load(), 1);
}

TEST(ThreadPool, TwoCallersMayShareIt) {
  ThreadPool pool(2);
  std::atomic<std::int64_t> total = 0;
  const auto caller = [&] {
    for (int loop = 0; loop < 2000; ++loop) pool.run(3, [&](std::int64_t) { ++total; });
  };

  std::thread other(caller);
  caller();
  other.join();

  EXPECT_EQ(total.load(), 2 * 2000 * 3);
}

TEST(ParallelFor, CoversTheRangeInFixedChunks) {
  CpuContext context(2);
  for (const std::int64_t n : {0, 1, 31, 32, 33, 1000}) {
    std::vector<std::int64_t> begin_of(n, -1);

    parallel_for(context, n, 32, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) begin_of[i] = begin;
    });

    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(begin_of[i], i / 32 * 32);
  }
}

TEST(ParallelFor, RefusesAGrainOfZero) {
  CpuContext context(1);

  test::expect_error(ExitCode::kInternal, {"grain is 0"},
                     [&] { parallel_for(context, 5, 0, [](std::int64_t, std::int64_t) {}); });
}

// Numbers whose sum depends on the order: the order must not depend on the threads.
TEST(ParallelReduce, GivesTheSameBytesForAnyThreads) {
  const std::vector<float> total = test::on_any_threads([](CpuContext& context) {
    return std::vector<float>{parallel_reduce(
        context, 100000, 777, 0.0f,
        [](std::int64_t begin, std::int64_t end) {
          float sum = 0;
          for (std::int64_t i = begin; i < end; ++i) sum += 1.0f / static_cast<float>(i + 1);
          return sum;
        },
        [](float a, float b) { return a + b; })};
  });

  EXPECT_NEAR(total[0], 12.090146, 1e-4);
}

TEST(ParallelReduce, CombinesInChunkOrder) {
  CpuContext context(3);

  const std::string text = parallel_reduce(
      context, 10, 3, std::string(),
      [](std::int64_t begin, std::int64_t end) { return concat(begin, "-", end, " "); },
      [](const std::string& a, const std::string& b) { return a + b; });

  EXPECT_EQ(text, "0-3 3-6 6-9 9-10 ");
}

TEST(ParallelReduce, KeepsBoolsApart) {
  CpuContext context(5);
  for (int attempt = 0; attempt < 200; ++attempt) {
    const bool all = parallel_reduce(
        context, 64, 1, true, [](std::int64_t begin, std::int64_t) { return begin >= 0; },
        [](bool a, bool b) { return a && b; });
    ASSERT_TRUE(all);
  }
}

TEST(ParallelReduce, OfNothingIsTheStart) {
  CpuContext context(2);

  const int result = parallel_reduce(
      context, 0, 4, 7, [](std::int64_t, std::int64_t) { return 1; },
      [](int a, int b) { return a + b; });

  EXPECT_EQ(result, 7);
}

TEST(Context, DispatchesToItsBackend) {
  BasicContext<CpuContext> context(std::make_unique<CpuContext>(2));

  const int threads = context.dispatch([](auto& backend) { return backend.threads(); });

  EXPECT_EQ(threads, 2);
  EXPECT_EQ(&context.pool(), context.dispatch([](auto& backend) { return &backend.pool(); }));
}

TEST(Context, HasAtLeastOneProcessor) {
  EXPECT_GE(available_processors(), 1);
  EXPECT_EQ(CpuContext(0).threads(), available_processors());
}

}  // namespace
}  // namespace m2st
