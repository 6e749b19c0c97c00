// The stand-in runtime's functions about errors and the device, which is described as an H200.
#include <cuda_runtime_api.h>

#include <cstring>
#include <iterator>

#include "tests/simt/runtime.h"

namespace {

using m2st::simt::Fault;
using m2st::simt::runtime;

struct ErrorName {
  cudaError_t code;
  const char* name;
  const char* text;
};

constexpr ErrorName kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "the capture was not initiated in this stream"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
};

const ErrorName* find(cudaError_t error) {
  for (const ErrorName& known : kErrors) {
    if (known.code == error) return &known;
  }
  return nullptr;
}

cudaError_t result(int error) { return static_cast<cudaError_t>(m2st::simt::remembered(error)); }

bool has_fault(Fault fault) { return runtime().options.fault == fault; }

bool no_device(int device) {
  return device < 0 || device >= runtime().options.devices || has_fault(Fault::kOldDriver);
}

int attribute_of(cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      return 1024;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      return m2st::simt::kStaticSharedLimit;
    case cudaDevAttrWarpSize:
      return m2st::simt::kWarpLanes;
    case cudaDevAttrMultiProcessorCount:
      return 132;
    case cudaDevAttrL2CacheSize:
      return 50 << 20;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      return 2048;
    case cudaDevAttrComputeCapabilityMajor:
      return 9;
    case cudaDevAttrComputeCapabilityMinor:
      return 0;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      return 228 * 1024;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      return m2st::simt::kOptInSharedLimit;
    case cudaDevAttrMemoryPoolsSupported:
      return 1;
    default:
      return -1;
  }
}

}  // namespace

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorName* known = find(error);
  return known == nullptr ? "unrecognized error code" : known->text;
}

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorName* known = find(error);
  return known == nullptr ? "unrecognized error code" : known->name;
}

cudaError_t cudaGetLastError() { return static_cast<cudaError_t>(m2st::simt::take_last_error()); }
cudaError_t cudaPeekAtLastError() { return static_cast<cudaError_t>(m2st::simt::last_error()); }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (has_fault(Fault::kOldDriver)) return result(cudaErrorInsufficientDriver);
  *count = runtime().options.devices;
  return result(*count == 0 ? cudaErrorNoDevice : cudaSuccess);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return result(runtime().options.devices == 0 ? cudaErrorNoDevice : cudaSuccess);
}

cudaError_t cudaSetDevice(int device) {
  if (has_fault(Fault::kNoRoom)) return result(cudaErrorMemoryAllocation);
  return result(no_device(device) ? cudaErrorInvalidDevice : cudaSuccess);
}

cudaError_t cudaDriverGetVersion(int* version) {
  const int current = has_fault(Fault::kOldDriver) ? 12040 : 13000;
  *version = runtime().options.devices == 0 ? 0 : current;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (no_device(device)) return result(cudaErrorInvalidDevice);
  *value = attribute_of(attribute);
  return result(*value < 0 ? cudaErrorInvalidValue : cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (no_device(device)) return result(cudaErrorInvalidDevice);
  *properties = {};
  std::strncpy(properties->name, "host executor", std::size(properties->name) - 1);
  properties->totalGlobalMem = runtime().options.memory;
  properties->sharedMemPerBlock = m2st::simt::kStaticSharedLimit;
  properties->sharedMemPerBlockOptin = m2st::simt::kOptInSharedLimit;
  properties->major = attribute_of(cudaDevAttrComputeCapabilityMajor);
  properties->minor = attribute_of(cudaDevAttrComputeCapabilityMinor);
  properties->multiProcessorCount = attribute_of(cudaDevAttrMultiProcessorCount);
  properties->warpSize = m2st::simt::kWarpLanes;
  properties->l2CacheSize = attribute_of(cudaDevAttrL2CacheSize);
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const std::lock_guard lock(runtime().mutex);
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const bool fits = runtime().executor.allow_dynamic_shared(kernel, value);
  return result(fits ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  if (has_fault(Fault::kNoKernels)) return result(cudaErrorNoKernelImageForDevice);
  *attributes = {};
  attributes->maxThreadsPerBlock = attribute_of(cudaDevAttrMaxThreadsPerBlock);
  return cudaSuccess;
}

}  // extern "C"
