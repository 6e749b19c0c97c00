// Kernel launches and the attributes of kernels, the templates of CUDA's runtime.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "tests/simt/include/cuda_runtime_api.h"
#include "tests/simt/launch.h"

namespace m2st::simt {

template <class Argument>
void check_argument(const void* kernel, int position, const Argument& argument) {
  if constexpr (std::is_pointer_v<Argument>) check_pointer_argument(kernel, position, argument);
}

}  // namespace m2st::simt

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  const void* const name = reinterpret_cast<const void*>(kernel);
  std::tuple<std::remove_cv_t<Parameters>...> values{std::forward<Arguments>(arguments)...};
  std::apply(
      [&](const auto&... value) {
        int position = 0;
        (m2st::simt::check_argument(name, ++position, value), ...);
      },
      values);
  m2st::simt::Launch launch;
  launch.kernel = name;
  launch.thread = [kernel, values] { std::apply(kernel, values); };
  launch.grid = config->gridDim;
  launch.block = config->blockDim;
  launch.dynamic_bytes = config->dynamicSmemBytes;
  return static_cast<cudaError_t>(m2st::simt::submit(std::move(launch), config->stream));
}

template <class... Parameters>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute attribute,
                                 int value) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), attribute, value);
}

template <class T>
cudaError_t cudaMalloc(T** block, std::size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(block), bytes);
}

template <class T>
cudaError_t cudaMallocAsync(T** block, std::size_t bytes, cudaStream_t stream) {
  return cudaMallocAsync(reinterpret_cast<void**>(block), bytes, stream);
}

template <class T>
cudaError_t cudaMallocHost(T** block, std::size_t bytes) {
  return cudaMallocHost(reinterpret_cast<void**>(block), bytes);
}

inline cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned flags) {
  return cudaEventCreateWithFlags(event, flags);
}

inline cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event) {
  return cudaStreamWaitEvent(stream, event, cudaEventWaitDefault);
}
