// Every call of the CUDA runtime goes through check_cuda: exit code 7, or 6 for want of memory.
#pragma once

#include <cuda_runtime_api.h>

#include "engine/check.h"

namespace m2st {

inline void check_cuda(cudaError_t result, const char* call) {
  if (result == cudaSuccess) return;
  const bool memory = result == cudaErrorMemoryAllocation;
  fail(memory ? ExitCode::kOutOfMemory : ExitCode::kDevice, "cuda: ", call, ": ",
       cudaGetErrorString(result));
}

}  // namespace m2st
