// The state behind the stand-in runtime's functions. The one object of its kind in a program, as
// the device that it stands for; the CUDA runtime's functions leave no other place for it.
#pragma once

#include <mutex>

#include "tests/simt/device_memory.h"
#include "tests/simt/executor.h"
#include "tests/simt/options.h"
#include "tests/simt/streams.h"

namespace m2st::simt {

struct Runtime {
  explicit Runtime(const Options& from);

  Options options;
  DeviceMemory memory;
  Executor executor;
  Streams streams;
  std::recursive_mutex mutex;  // held by every function of the runtime
};

Runtime& runtime();

// Keeps the code for cudaGetLastError, and returns it.
int remembered(int error);
int take_last_error();
int last_error();

}  // namespace m2st::simt
