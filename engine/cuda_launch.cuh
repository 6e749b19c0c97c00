// The only way a kernel is launched. No file writes <<<>>>: so every launch takes its stream from
// the context and is checked, and a host executor for tests can stand behind this one function.
// Rules for kernels that keep that possible: docs/gpu.md.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <type_traits>

#include "engine/cuda_check.cuh"
#include "engine/cuda_context.h"

namespace m2st {

// Runs kernel(arguments...) on the context's stream. A grid or block of zero is the caller's
// mistake: kernels' hosts return before for empty input.
template <class... Parameters>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            CudaContext& context, std::type_identity_t<Parameters>... arguments) {
  context.activate();
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = context.stream();
  check_cuda(cudaLaunchKernelEx(&config, kernel, arguments...), "launch of a kernel");
  check_cuda(cudaGetLastError(), "launch of a kernel");
}

// Lets the kernel have more than 48 KiB of dynamic shared memory. To be called before its launch.
template <class... Parameters>
void allow_shared(void (*kernel)(Parameters...), std::size_t shared_bytes) {
  check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(shared_bytes)),
             "cudaFuncSetAttribute");
}

}  // namespace m2st
