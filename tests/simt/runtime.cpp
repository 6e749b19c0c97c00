#include "tests/simt/runtime.h"

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <utility>

#include "engine/check.h"
#include "tests/simt/library.h"
#include "tests/simt/report.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

thread_local int last = cudaSuccess;

// Runs on the stream; looks at the ground around all blocks, which AddressSanitizer does better.
void run_checked(const std::function<void()>& work, const std::function<std::string()>& name) {
  Runtime& here = runtime();
  const DeviceMemory::Open open(here.memory);
  work();
  if (__asan_poison_memory_region != nullptr) return;
  if (const auto bytes = here.memory.overrun()) {
    report(concat("device memory was written outside of a block of ", *bytes, " bytes [", name(),
                  "]"));
  }
}

void run_launch(const Launch& launch) {
  run_checked([&] { runtime().executor.run(launch); },
              [&] { return "kernel " + function_name(launch.kernel); });
}

}  // namespace

Runtime::Runtime(const Options& from)
    : options(from),
      memory(from.memory, from.blocks, from.guarded),
      executor(from),
      streams(from.order, from.seed, from.lazy) {}

Runtime& runtime() {
  // Never destroyed: objects that live as long as the program may still free device memory.
  static Runtime* const kRuntime = new Runtime(options_from_environment());
  return *kRuntime;
}

int remembered(int error) {
  if (error != cudaSuccess) last = error;
  return error;
}

int take_last_error() { return std::exchange(last, static_cast<int>(cudaSuccess)); }
int last_error() { return last; }

void check_pointer_argument(const void* kernel, int position, const void* pointer) {
  if (pointer == nullptr || runtime().memory.kind_of(pointer)) return;
  report(concat("argument ", position, " of kernel ", function_name(kernel),
                " is no device pointer: ", pointer));
}

int submit(Launch launch, CUstream_st* stream) {
  Runtime& here = runtime();
  const std::lock_guard lock(here.mutex);
  if (stream == nullptr) {
    report(concat("kernel ", function_name(launch.kernel), " is launched on the default stream"));
  }
  if (!here.streams.exists(stream)) return remembered(cudaErrorInvalidResourceHandle);
  if (here.options.fault == Fault::kNoKernels) {
    return remembered(cudaErrorNoKernelImageForDevice);
  }
  if (const int error = here.executor.refusal(launch); error != cudaSuccess) {
    return remembered(error);
  }
  here.streams.add(stream, [launch = std::move(launch)] { run_launch(launch); });
  return cudaSuccess;
}

bool submit_work(const char* name, std::function<void()> work, CUstream_st* stream) {
  Runtime& here = runtime();
  const std::lock_guard lock(here.mutex);
  if (stream == nullptr) report(concat(name, " is launched on the default stream"));
  if (!here.streams.exists(stream)) return false;
  here.streams.add(stream, [name = std::string(name), work = std::move(work)] {
    run_checked(work, [&] { return name; });
  });
  return true;
}

void require_device_memory(const char* what, const void* first, std::size_t bytes) {
  const DeviceMemory& memory = runtime().memory;
  if (memory.kind_of(first) != MemoryKind::kDevice) {
    report(concat(what, " is no device memory: ", first));
  }
  if (memory.leaves_block(first, bytes)) {
    report(concat(what, ": ", bytes, " bytes at ", first, " do not fit their block"));
  }
}

}  // namespace m2st::simt
