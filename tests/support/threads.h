// The promise that results do not depend on the number of threads, as a test helper: runs a
// computation on 1, 2 and 5 threads and asks for the same bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/cpu_context.h"

namespace m2st::test {

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// compute: CpuContext& → std::vector<T>. Gives the result on one thread.
template <class Compute>
auto on_any_threads(const Compute& compute) {
  CpuContext alone(1);
  const auto expected = compute(alone);
  for (const int threads : {2, 5}) {
    CpuContext context(threads);
    EXPECT_TRUE(same_bytes(compute(context), expected)) << "on " << threads << " threads";
  }
  return expected;
}

}  // namespace m2st::test
