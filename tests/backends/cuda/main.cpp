// Runs tests on the CUDA backend. Where no device can be used none of them runs: each is skipped by
// its name, with the reason.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>

#include "engine/cuda_context.h"

namespace m2st::test {
namespace {

class NeedsDevice : public ::testing::Environment {
 public:
  explicit NeedsDevice(std::string reason) : reason_(std::move(reason)) {}
  void SetUp() override {
    if (!reason_.empty()) GTEST_SKIP() << "no CUDA device: " << reason_;
  }

 private:
  std::string reason_;
};

// GoogleTest runs no test after a skip of the environment, and names none either.
void name_skipped(const std::string& reason) {
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const ::testing::TestInfo& test = *suite.GetTestInfo(t);
      if (!test.should_run()) continue;
      std::printf("[  SKIPPED ] %s.%s: no CUDA device: %s\n", suite.name(), test.name(),
                  reason.c_str());
    }
  }
}

}  // namespace
}  // namespace m2st::test

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const std::string reason = m2st::why_no_cuda_device();
  ::testing::AddGlobalTestEnvironment(new m2st::test::NeedsDevice(reason));
  const int result = RUN_ALL_TESTS();
  if (!reason.empty() && !GTEST_FLAG_GET(list_tests)) m2st::test::name_skipped(reason);
  return result;
}
