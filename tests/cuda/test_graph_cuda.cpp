// Lanes and captured graphs: what is launched again is what was launched, in the order that lanes
// asked for, and memory that a graph would have to take is refused.
#include <gtest/gtest.h>

#include <vector>

#include "engine/array.h"
#include "engine/copy.h"
#include "engine/cuda_graph.h"
#include "kernels/fill.h"
#include "kernels/rows.h"
#include "tests/cuda/on_device.h"
#include "tests/support/expect_error.h"

namespace m2st {
namespace {

class GraphOnCuda : public test::OnDevice<CudaContext> {
 protected:
  std::vector<float> on_host(const Array<float>& array) {
    std::vector<float> values(static_cast<std::size_t>(array.size()));
    copy_out<float>(*cuda_, array.span(), values);
    return values;
  }
  // x := 2 x + y
  void double_and_add(const Array<float>& y, Array<float>& x) {
    kernels::axpby<float>(*cuda_, 1.0f, y.span(), 2.0f, x.span());
  }
};

TEST_F(GraphOnCuda, EveryRunDoesTheWorkOnce) {
  Array<float> x(cuda_->pool(), 100), one(cuda_->pool(), 100);
  kernels::fill<float>(*cuda_, 0, x.span());
  kernels::fill<float>(*cuda_, 1, one.span());
  int launched = 0;
  CudaGraph graph([&] {
    ++launched;
    Array<float> copy(cuda_->pool(), 100);
    kernels::axpby<float>(*cuda_, 1.0f, one.span(), 0.0f, copy.span());
    double_and_add(copy, x);
  });

  for (int k = 0; k < 4; ++k) graph.run(*cuda_);

  EXPECT_EQ(on_host(x), std::vector<float>(100, 15.0f));
  const bool keeps = cuda_->pool().keeps_blocks();
  EXPECT_EQ(graph.captured(), keeps);
  EXPECT_EQ(launched, keeps ? 2 : 4);
}

TEST_F(GraphOnCuda, LanesWorkInTheOrderAskedFor) {
  CudaLane lane(cuda_->device());
  Array<float> x(cuda_->pool(), 100), y(cuda_->pool(), 100);
  kernels::fill<float>(*cuda_, 1, x.span());
  kernels::fill<float>(*cuda_, 1, y.span());
  CudaGraph graph([&] {
    lane.follow(cuda_->lane());
    {
      const CudaLaneScope scope(*cuda_, lane);
      Array<float> three(cuda_->pool(), 100);
      kernels::fill<float>(*cuda_, 3, three.span());
      double_and_add(three, y);
    }
    kernels::fill<float>(*cuda_, 2, x.span());
    cuda_->lane().follow(lane);
    double_and_add(y, x);
  });

  for (int k = 0; k < 3; ++k) graph.run(*cuda_);

  EXPECT_EQ(on_host(y), std::vector<float>(100, 29.0f));  // 1, 5, 13, 29
  EXPECT_EQ(on_host(x), std::vector<float>(100, 33.0f));
}

TEST_F(GraphOnCuda, MoreMemoryThanTheTimeBeforeIsTakenOutsideOfAGraph) {
  if (!cuda_->pool().keeps_blocks()) GTEST_SKIP() << "M2ST_EXACT_MEMORY: nothing is captured";
  Array<float> x(cuda_->pool(), 100);
  kernels::fill<float>(*cuda_, 1, x.span());
  std::int64_t size = 100;
  CudaGraph graph([&] {
    Array<float> array(cuda_->pool(), size);
    kernels::fill<float>(*cuda_, 1, array.span());
    double_and_add(x, x);
  });
  graph.run(*cuda_);
  size = 5000;

  graph.run(*cuda_);
  EXPECT_FALSE(graph.captured());
  graph.run(*cuda_);
  EXPECT_TRUE(graph.captured());

  EXPECT_EQ(on_host(x), std::vector<float>(100, 27.0f));
}

TEST_F(GraphOnCuda, OtherErrorsOfTheWorkComeThrough) {
  if (!cuda_->pool().keeps_blocks()) GTEST_SKIP() << "M2ST_EXACT_MEMORY: nothing is captured";
  bool broken = false;
  CudaGraph graph([&] {
    if (broken) fail(ExitCode::kNotConverged, "broken");
  });
  graph.run(*cuda_);
  broken = true;

  test::expect_error(ExitCode::kNotConverged, {"broken"}, [&] { graph.run(*cuda_); });

  // The stream is not left capturing.
  Array<float> x(cuda_->pool(), 10);
  kernels::fill<float>(*cuda_, 4, x.span());
  EXPECT_EQ(on_host(x), std::vector<float>(10, 4.0f));
}

}  // namespace
}  // namespace m2st
