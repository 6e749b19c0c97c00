// The stand-in runtime's functions about memory and copies. What CUDA would do without a word about
// it, or would leave undefined, is reported: a wrong direction, a range that leaves its block.
#include <cuda_runtime_api.h>

#include <cstring>
#include <vector>

#include "engine/check.h"
#include "tests/simt/report.h"
#include "tests/simt/runtime.h"

namespace {

using m2st::concat;
using m2st::simt::DeviceMemory;
using m2st::simt::MemoryKind;
using m2st::simt::report;
using m2st::simt::Runtime;
using m2st::simt::runtime;

cudaError_t result(int error) { return static_cast<cudaError_t>(m2st::simt::remembered(error)); }

cudaError_t allocate(void** block, std::size_t bytes, MemoryKind kind) {
  *block = nullptr;
  if (bytes == 0) return cudaSuccess;
  *block = runtime().memory.allocate(bytes, kind);
  return result(*block == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

void release(void* block, MemoryKind kind) {
  if (block != nullptr && !runtime().memory.release(block, kind)) {
    report(concat("freed what is no live block: ", block));
  }
}

void check_side(const char* what, const void* address, std::size_t bytes, bool on_device) {
  const auto kind = runtime().memory.kind_of(address);
  const bool is_device = kind == MemoryKind::kDevice;
  if (is_device != on_device) {
    report(concat(what, address, " is ", is_device ? "device" : "host",
                  " memory, the direction says ", on_device ? "device" : "host"));
  }
  if (runtime().memory.leaves_block(address, bytes)) {
    report(concat(what, address, ": ", bytes, " bytes do not fit its block"));
  }
}

void check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault) return;
  check_side("copy to ", to, bytes,
             kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice);
  check_side("copy from ", from, bytes,
             kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice);
}

bool is_pageable(const void* address) { return !runtime().memory.kind_of(address).has_value(); }

void copy(void* to, const void* from, std::size_t bytes) {
  const DeviceMemory::Open open(runtime().memory);
  std::memcpy(to, from, bytes);
}

void set(void* to, int value, std::size_t bytes) {
  const DeviceMemory::Open open(runtime().memory);
  std::memset(to, value, bytes);
}

// The driver takes pageable bytes over before the call returns.
void copy_from_pageable(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  const auto* first = static_cast<const unsigned char*>(from);
  std::vector<unsigned char> staged(first, first + bytes);
  runtime().streams.add(
      stream, [to, staged = std::move(staged)] { copy(to, staged.data(), staged.size()); });
}

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** block, std::size_t bytes) {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().streams.spoils_capture()) return result(cudaErrorStreamCaptureUnsupported);
  return allocate(block, bytes, MemoryKind::kDevice);
}

cudaError_t cudaFree(void* block) {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().streams.spoils_capture()) return result(cudaErrorStreamCaptureUnsupported);
  runtime().streams.finish_all();
  release(block, MemoryKind::kDevice);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** block, std::size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (!runtime().streams.exists(stream)) return result(cudaErrorInvalidResourceHandle);
  if (runtime().streams.spoils_capture(stream)) return result(cudaErrorStreamCaptureUnsupported);
  *block = nullptr;
  if (bytes == 0) return cudaSuccess;
  *block = runtime().memory.allocate(bytes, MemoryKind::kDevice);
  if (*block != nullptr) return cudaSuccess;
  runtime().streams.finish_all();  // frees that were put off
  return allocate(block, bytes, MemoryKind::kDevice);
}

cudaError_t cudaFreeAsync(void* block, cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (!runtime().streams.exists(stream)) return result(cudaErrorInvalidResourceHandle);
  if (runtime().streams.spoils_capture(stream)) return result(cudaErrorStreamCaptureUnsupported);
  runtime().streams.add(stream, [block] { release(block, MemoryKind::kDevice); });
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** block, std::size_t bytes) {
  const std::lock_guard lock(runtime().mutex);
  return allocate(block, bytes, MemoryKind::kPinned);
}

cudaError_t cudaHostAlloc(void** block, std::size_t bytes, unsigned) {
  return cudaMallocHost(block, bytes);
}

cudaError_t cudaFreeHost(void* block) {
  const std::lock_guard lock(runtime().mutex);
  runtime().streams.finish_all();
  release(block, MemoryKind::kPinned);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = runtime().memory.limit();
  *free = *total - runtime().memory.in_use();
  return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
  *pool = nullptr;
  return cudaSuccess;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return cudaSuccess; }

// On the default stream, which does not wait for the engine's streams: they are non-blocking.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().streams.spoils_capture()) return result(cudaErrorStreamCaptureImplicit);
  check_copy(to, from, bytes, kind);
  copy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  Runtime& here = runtime();
  if (!here.streams.exists(stream)) return result(cudaErrorInvalidResourceHandle);
  check_copy(to, from, bytes, kind);
  const bool capturing = stream->capture != nullptr;
  if (!capturing && is_pageable(from)) {
    copy_from_pageable(to, from, bytes, stream);
    return cudaSuccess;
  }
  here.streams.add(stream, [=] { copy(to, from, bytes); });
  // The driver waits for the copy when the host's memory is pageable.
  if (!capturing && is_pageable(to)) here.streams.finish(stream);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().streams.spoils_capture()) return result(cudaErrorStreamCaptureImplicit);
  check_side("memset of ", to, bytes, true);
  set(to, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (!runtime().streams.exists(stream)) return result(cudaErrorInvalidResourceHandle);
  check_side("memset of ", to, bytes, true);
  runtime().streams.add(stream, [=] { set(to, value, bytes); });
  return cudaSuccess;
}

}  // extern "C"
