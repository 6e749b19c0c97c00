// Work on streams that nobody waited for, and captures that cannot become graphs.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

constexpr int kSize = 64;

__global__ void increment(int* values) { values[global_thread()] += 1; }

void increment_on(CudaContext& context, Array<int>& values) {
  launch(increment, dim3(2), dim3(32), 0, context, values.data());
}

// Pinned memory is written when the stream comes to it, not when the call returns.
template <bool kPlanted>
bool read_before_the_stream_is_done(CudaContext& context) {
  auto values = on_device(context, counting(kSize));
  void* pinned = nullptr;
  check_cuda(cudaMallocHost(&pinned, kSize * sizeof(int)), "cudaMallocHost");
  auto* there = static_cast<int*>(pinned);
  increment_on(context, values);
  check_cuda(cudaMemcpyAsync(there, values.data(), kSize * sizeof(int), cudaMemcpyDeviceToHost,
                             context.stream()),
             "cudaMemcpyAsync");
  if constexpr (!kPlanted) context.synchronise();
  const bool right = there[kSize - 1] == kSize;
  context.synchronise();
  check_cuda(cudaFreeHost(pinned), "cudaFreeHost");
  return right;
}

// Two streams, one after the other only if an event says so.
template <bool kPlanted>
bool other_stream_without_event(CudaContext& context) {
  CudaContext other;
  auto values = on_device(context, counting(kSize));
  auto copy = on_device(other, std::vector<int>(kSize, -7));
  other.synchronise();
  cudaEvent_t done = nullptr;
  check_cuda(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), "cudaEventCreate");
  increment_on(context, values);
  check_cuda(cudaEventRecord(done, context.stream()), "cudaEventRecord");
  if constexpr (!kPlanted) {
    check_cuda(cudaStreamWaitEvent(other.stream(), done, 0), "cudaStreamWaitEvent");
  }
  check_cuda(cudaMemcpyAsync(copy.data(), values.data(), kSize * sizeof(int),
                             cudaMemcpyDeviceToDevice, other.stream()),
             "cudaMemcpyAsync");
  const bool right = on_host(other, copy)[kSize - 1] == kSize;
  context.synchronise();
  check_cuda(cudaEventDestroy(done), "cudaEventDestroy");
  return right;
}

// A graph of two branches: increments on both, on their own values.
template <class Body>
bool replays(CudaContext& context, Body&& body) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  check_cuda(cudaStreamBeginCapture(context.stream(), cudaStreamCaptureModeGlobal), "begin");
  body();
  check_cuda(cudaStreamEndCapture(context.stream(), &graph), "cudaStreamEndCapture");
  check_cuda(cudaGraphInstantiate(&exec, graph, 0), "cudaGraphInstantiate");
  check_cuda(cudaGraphDestroy(graph), "cudaGraphDestroy");
  for (int round = 0; round < 3; ++round) {
    check_cuda(cudaGraphLaunch(exec, context.stream()), "cudaGraphLaunch");
  }
  context.synchronise();
  check_cuda(cudaGraphExecDestroy(exec), "cudaGraphExecDestroy");
  return true;
}

template <bool kPlanted>
bool branch_never_joined(CudaContext& context) {
  CudaContext other;
  auto values = on_device(context, counting(kSize));
  auto others = on_device(other, counting(kSize));
  other.synchronise();
  cudaEvent_t fork = nullptr, join = nullptr;
  check_cuda(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), "cudaEventCreate");
  check_cuda(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), "cudaEventCreate");
  replays(context, [&] {
    check_cuda(cudaEventRecord(fork, context.stream()), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(other.stream(), fork, 0), "cudaStreamWaitEvent");
    increment_on(context, values);
    increment_on(other, others);
    check_cuda(cudaEventRecord(join, other.stream()), "cudaEventRecord");
    if constexpr (!kPlanted) {
      check_cuda(cudaStreamWaitEvent(context.stream(), join, 0), "cudaStreamWaitEvent");
    }
  });
  check_cuda(cudaEventDestroy(fork), "cudaEventDestroy");
  check_cuda(cudaEventDestroy(join), "cudaEventDestroy");
  return on_host(context, values)[0] == 3 && on_host(other, others)[kSize - 1] == kSize + 2;
}

template <bool kPlanted>
bool wait_inside_a_capture(CudaContext& context) {
  auto values = on_device(context, counting(kSize));
  replays(context, [&] {
    increment_on(context, values);
    if constexpr (kPlanted) context.synchronise();
  });
  return on_host(context, values)[0] == 3;
}

// Past the context's pool, which refuses it too.
template <bool kPlanted>
bool allocation_inside_a_capture(CudaContext& context) {
  auto values = on_device(context, counting(kSize));
  void* more = nullptr;
  const auto allocate = [&] {
    check_cuda(cudaMallocAsync(&more, 5000, context.stream()), "cudaMallocAsync");
  };
  if constexpr (!kPlanted) allocate();
  replays(context, [&] {
    increment_on(context, values);
    if constexpr (kPlanted) allocate();
  });
  check_cuda(cudaFreeAsync(more, context.stream()), "cudaFreeAsync");
  return on_host(context, values)[0] == 3;
}

}  // namespace

std::vector<Planted> stream_bugs() {
  return {{"read_before_the_stream_is_done", read_before_the_stream_is_done<true>,
           read_before_the_stream_is_done<false>},
          {"other_stream_without_event", other_stream_without_event<true>,
           other_stream_without_event<false>},
          {"branch_never_joined", branch_never_joined<true>, branch_never_joined<false>},
          {"wait_inside_a_capture", wait_inside_a_capture<true>, wait_inside_a_capture<false>},
          {"allocation_inside_a_capture", allocation_inside_a_capture<true>,
           allocation_inside_a_capture<false>}};
}

}  // namespace m2st::simt::planted
