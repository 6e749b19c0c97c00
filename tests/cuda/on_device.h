// A fixture on a CUDA device. These tests run without one too, beside those that say what is then
// said: the others are skipped with the reason.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/cuda_context.h"

namespace m2st::test {

// Backend: what kernels are called with. Base: one of GoogleTest's.
template <class Backend, class Base = testing::Test>
class OnDevice : public Base {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
      GTEST_SKIP() << "no CUDA device: " << reason;
    }
    cuda_ = std::make_unique<Backend>();
  }

  std::unique_ptr<Backend> cuda_;
};

}  // namespace m2st::test
