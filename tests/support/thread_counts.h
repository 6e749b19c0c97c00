// The promise that results do not depend on threads, as a test: same bytes for 1, 2 and 5.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/cpu_context.h"

namespace m2st::test {

// compute(context) gives a vector of a trivially copyable type. Gives the result on one thread. For
// backends without threads: that a result comes out again to the byte.
template <class Context = CpuContext, class Compute>
auto on_any_threads(Compute&& compute) {
  Context alone(1);
  const auto want = compute(alone);
  for (const int threads : {2, 5}) {
    Context context(threads);
    const auto got = compute(context);
    EXPECT_EQ(got.size(), want.size()) << "with " << threads << " threads";
    if (got.empty() || got.size() != want.size()) continue;
    EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof want[0]), 0)
        << "with " << threads << " threads";
  }
  return want;
}

// The same where the result is of no further interest, and may not be empty.
template <class Context = CpuContext, class Compute>
void expect_same_bytes_for_any_threads(Compute&& compute) {
  EXPECT_FALSE(on_any_threads<Context>(compute).empty());
}

}  // namespace m2st::test
