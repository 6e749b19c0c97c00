// Runs tests on the CUDA backend, or skips them all with the reason where no device can be used.
#include <gtest/gtest.h>

#include "engine/cuda_context.h"

namespace m2st::test {
namespace {

class NeedsDevice : public ::testing::Environment {
 public:
  void SetUp() override {
    if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
      GTEST_SKIP() << "no CUDA device: " << reason;
    }
  }
};

}  // namespace
}  // namespace m2st::test

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new m2st::test::NeedsDevice);
  return RUN_ALL_TESTS();
}
