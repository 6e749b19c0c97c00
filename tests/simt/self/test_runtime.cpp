// The stand-in runtime: graphs, events, copies, memory and its errors, as CUDA documents them.
#include <gtest/gtest.h>

#include "tests/simt/planted/planted.h"
#include "tests/support/expect_error.h"

namespace m2st::simt::planted {
namespace {

__global__ void scale_and_add(int* values, int factor, int summand) {
  values[threadIdx.x] = values[threadIdx.x] * factor + summand;
}

void step(CudaContext& context, Array<int>& values, int factor, int summand) {
  launch(scale_and_add, dim3(1), dim3(4), 0, context, values.data(), factor, summand);
}

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreate(&event), "cudaEventCreate");
  return event;
}

// x -> 2 x + 1 on one branch, y -> 3 y on the other, then x -> x + y.
__global__ void add(int* x, const int* y) { x[threadIdx.x] += y[threadIdx.x]; }

TEST(Graph, ReplaysTwoBranchesInTheirOrder) {
  CudaContext context, other;
  auto x = on_device(context, std::vector<int>{0, 1, 2, 3});
  auto y = on_device(context, std::vector<int>{1, 1, 1, 2});
  context.synchronise();
  cudaEvent_t fork = new_event(), join = new_event();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;

  check_cuda(cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeThreadLocal), "begin");
  check_cuda(cudaEventRecord(fork, context.stream()), "record");
  check_cuda(cudaStreamWaitEvent(other.stream(), fork, 0), "wait");
  step(context, x, 2, 1);
  step(other, y, 3, 0);
  check_cuda(cudaEventRecord(join, other.stream()), "record");
  check_cuda(cudaStreamWaitEvent(context.stream(), join, 0), "wait");
  launch(add, dim3(1), dim3(4), 0, context, x.data(), y.data());
  check_cuda(cudaStreamEndCapture(context.stream(), &graph), "end");
  std::size_t nodes = 0;
  check_cuda(cudaGraphGetNodes(graph, nullptr, &nodes), "nodes");
  EXPECT_EQ(nodes, 3u);
  EXPECT_EQ(on_host(context, x), (std::vector<int>{0, 1, 2, 3})) << "captured, not run";
  check_cuda(cudaGraphInstantiate(&exec, graph, 0), "instantiate");
  check_cuda(cudaGraphLaunch(exec, context.stream()), "launch");
  check_cuda(cudaGraphLaunch(exec, context.stream()), "launch");

  EXPECT_EQ(on_host(context, x), (std::vector<int>{18, 22, 26, 45}));
  EXPECT_EQ(on_host(context, y), (std::vector<int>{9, 9, 9, 18}));
  check_cuda(cudaGraphExecDestroy(exec), "destroy");
  check_cuda(cudaGraphDestroy(graph), "destroy");
  check_cuda(cudaEventDestroy(fork), "destroy");
  check_cuda(cudaEventDestroy(join), "destroy");
}

TEST(Capture, SaysWhetherItGoesOn) {
  CudaContext context;
  cudaGraph_t graph = nullptr;
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;

  ASSERT_EQ(cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeGlobal), cudaSuccess);
  ASSERT_EQ(cudaStreamIsCapturing(context.stream(), &status), cudaSuccess);
  EXPECT_EQ(status, cudaStreamCaptureStatusActive);
  void* block = nullptr;
  EXPECT_EQ(cudaMalloc(&block, 100), cudaErrorStreamCaptureUnsupported);
  ASSERT_EQ(cudaStreamIsCapturing(context.stream(), &status), cudaSuccess);
  EXPECT_EQ(status, cudaStreamCaptureStatusInvalidated);
  EXPECT_EQ(cudaStreamEndCapture(context.stream(), &graph), cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(cudaStreamEndCapture(context.stream(), &graph), cudaErrorStreamCaptureUnmatched);
  EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureUnmatched);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(Events, MeasureTimeOnceReached) {
  CudaContext context;
  auto values = on_device(context, std::vector<int>{0, 1, 2, 3});
  cudaEvent_t start = new_event(), end = new_event();
  float milliseconds = -1;

  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  check_cuda(cudaEventRecord(start, context.stream()), "record");
  step(context, values, 1, 1);
  check_cuda(cudaEventRecord(end, context.stream()), "record");
  check_cuda(cudaEventSynchronize(end), "synchronise");

  EXPECT_EQ(cudaEventQuery(end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  check_cuda(cudaEventDestroy(start), "destroy");
  check_cuda(cudaEventDestroy(end), "destroy");
}

TEST(Copies, TakePageableBytesOverBeforeTheyReturn) {
  CudaContext context;
  std::vector<int> values{1, 2, 3, 4};
  Array<int> there(context.pool(), 4);

  copy_in<int>(context, values, there.span());
  values.assign(4, 0);

  EXPECT_EQ(on_host(context, there), (std::vector<int>{1, 2, 3, 4}));
}

TEST(Memory, EndsWhereTheDeviceDoes) {
  std::size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  CudaContext context;

  test::expect_error(ExitCode::kOutOfMemory, {"cuda:0 has no "}, [&] {
    Array<char> array(context.pool(), static_cast<std::int64_t>(total) + 1);
  });
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(Memory, IsCountedWhileItIsInUse) {
  CudaContext context;
  std::size_t before = 0, during = 0, after = 0, total = 0;
  check_cuda(cudaMemGetInfo(&before, &total), "info");
  void* block = nullptr;
  check_cuda(cudaMalloc(&block, 1000), "cudaMalloc");
  check_cuda(cudaMemGetInfo(&during, &total), "info");
  check_cuda(cudaFree(block), "cudaFree");
  check_cuda(cudaMemGetInfo(&after, &total), "info");

  EXPECT_EQ(before - during, 1000u);
  EXPECT_EQ(before, after);
}

TEST(Device, DescribesItselfAsOneKind) {
  cudaDeviceProp properties;
  ASSERT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  int count = 0;
  ASSERT_EQ(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, 0), cudaSuccess);

  EXPECT_EQ(properties.multiProcessorCount, count);
  EXPECT_EQ(properties.warpSize, 32);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
  EXPECT_STREQ(cudaGetErrorString(cudaGetLastError()), "invalid device ordinal");
}

}  // namespace
}  // namespace m2st::simt::planted
