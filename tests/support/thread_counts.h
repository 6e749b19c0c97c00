// The promise that results do not depend on threads, as a test: same bytes for 1, 2 and 5.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/cpu_context.h"

namespace m2st::test {

// compute(context) gives a vector of a trivially copyable type.
template <class Compute>
void expect_same_bytes_for_any_threads(Compute&& compute) {
  CpuContext alone(1);
  const auto want = compute(alone);
  ASSERT_FALSE(want.empty());
  for (const int threads : {2, 5}) {
    CpuContext context(threads);

    const auto got = compute(context);

    ASSERT_EQ(got.size(), want.size());
    EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof want[0]), 0)
        << "with " << threads << " threads";
  }
}

}  // namespace m2st::test
