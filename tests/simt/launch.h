// A launch as the executor sees it, and the check of its arguments.
#pragma once

#include <cstddef>
#include <functional>

#include "tests/simt/include/vector_types.h"

struct CUstream_st;

namespace m2st::simt {

struct Launch {
  const void* kernel = nullptr;  // for its name and attributes
  std::function<void()> thread;  // runs the kernel once, as the thread that threadIdx names
  dim3 grid;
  dim3 block;
  std::size_t dynamic_bytes = 0;
};

// A pointer argument must lie in device memory, or be null.
void check_pointer_argument(const void* kernel, int position, const void* pointer);

// Puts the launch on the stream; CUDA's error code.
int submit(Launch launch, CUstream_st* stream);

}  // namespace m2st::simt
