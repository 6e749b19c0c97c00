// Device, stream and memory of the CUDA backend.
#include <cuda_runtime.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "engine/copy.h"
#include "engine/cuda_check.cuh"
#include "engine/cuda_context.h"

namespace m2st {

namespace {

__global__ void probe_kernel() {}

// "12.4" of 12040.
std::string release_of(int version) { return concat(version / 1000, ".", version % 1000 / 10); }

// Kernels are compiled for some generations of devices; on others the first launch would fail. The
// first of these calls sets the device up for this process, which takes memory of it.
void check_generation(int device) {
  cudaError_t result = cudaSetDevice(device);
  cudaFuncAttributes attributes;
  if (result == cudaSuccess) {
    result = cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(probe_kernel));
  }
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  if (result == cudaErrorMemoryAllocation) {
    fail(ExitCode::kOutOfMemory, "cuda: other programs leave no room on device ", device,
         " for this one to begin; wait for them or use --device cpu");
  }
  int major = 0, minor = 0;
  check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
             "cudaDeviceGetAttribute");
  check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device),
             "cudaDeviceGetAttribute");
  fail(ExitCode::kDevice, "cuda: this build has no kernels for device ", device, ", an sm_", major,
       minor, " (", cudaGetErrorString(result), "); build with -DCMAKE_CUDA_ARCHITECTURES=", major,
       minor, " or use --device cpu");
}

// The device's index again, once it is known to be there.
int checked_device(int device) {
  const std::string reason = why_no_cuda_device();
  if (!reason.empty()) fail(ExitCode::kDevice, "cuda: no device can be used: ", reason);
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (device < 0 || device >= count) {
    fail(ExitCode::kDevice, "cuda: there is no device ", device, "; this machine has ", count,
         ", counted from 0");
  }
  int pools = 0;
  check_cuda(cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, device),
             "cudaDeviceGetAttribute");
  if (pools == 0) {
    fail(ExitCode::kDevice, "cuda: device ", device, " cannot allocate memory on a stream");
  }
  check_generation(device);
  return device;
}

MemorySource device_memory(int device, cudaStream_t stream) {
  const auto allocate = [device, stream](std::size_t bytes) -> void* {
    check_cuda(cudaSetDevice(device), "cudaSetDevice");
    // Inside a graph it would be the graph's memory, gone with it.
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    check_cuda(cudaStreamIsCapturing(stream, &capture), "cudaStreamIsCapturing");
    if (capture != cudaStreamCaptureStatusNone) {
      fail(ExitCode::kOutOfMemory, "memory pool: a captured graph asks for ", bytes,
           " bytes that are not kept");
    }
    void* block = nullptr;
    const cudaError_t result = cudaMallocAsync(&block, bytes, stream);
    if (result == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());  // not to be reported again by the next launch
      return nullptr;
    }
    check_cuda(result, "cudaMallocAsync");
    return block;
  };
  // Runs in destructors, which never throw: an error of a kernel that ran before comes out at the
  // next checked call.
  const auto release = [stream](void* block) { static_cast<void>(cudaFreeAsync(block, stream)); };
  return {concat("cuda:", device), allocate, release};
}

}  // namespace

CudaReadiness cuda_readiness() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) return {};
  static_cast<void>(cudaGetLastError());
  int driver = 0;  // stays 0 without one, where the runtime calls the driver "insufficient"
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0) {
    return {CudaState::kAbsent, "no NVIDIA driver"};
  }
  if (result == cudaSuccess || result == cudaErrorNoDevice) {
    return {CudaState::kAbsent, "the driver sees none"};
  }
  int runtime = 0;
  if (result == cudaErrorInsufficientDriver && cudaRuntimeGetVersion(&runtime) == cudaSuccess) {
    return {CudaState::kUnfit, concat("the NVIDIA driver is for CUDA ", release_of(driver),
                                      ", this build needs one for ", release_of(runtime))};
  }
  return {CudaState::kUnfit, cudaGetErrorString(result)};
}

CudaStream::CudaStream(int device) {
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
}

CudaStream::~CudaStream() {
  if (stream_ != nullptr) static_cast<void>(cudaStreamDestroy(stream_));
}

CudaStream::CudaStream(CudaStream&& other) noexcept
    : stream_(std::exchange(other.stream_, nullptr)) {}

CudaStream& CudaStream::operator=(CudaStream&& other) noexcept {
  std::swap(stream_, other.stream_);
  return *this;
}

CudaLane::CudaLane(int device) : stream_(device), pool_(device_memory(device, stream_.get())) {
  check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
}

CudaLane::~CudaLane() { static_cast<void>(cudaEventDestroy(event_)); }

void CudaLane::follow(const CudaLane& other) {
  check_cuda(cudaEventRecord(event_, other.stream()), "cudaEventRecord");
  check_cuda(cudaStreamWaitEvent(stream(), event_, cudaEventWaitDefault), "cudaStreamWaitEvent");
}

CudaContext::CudaContext(int device) : device_(checked_device(device)), own_(device_) {}

void CudaContext::activate() const { check_cuda(cudaSetDevice(device_), "cudaSetDevice"); }

namespace {

// How much unused memory the driver keeps for this process. Also runs in destructors, and is only a
// matter of speed.
void let_driver_keep(int device, std::uint64_t bytes) {
  cudaMemPool_t reserve = nullptr;
  if (cudaDeviceGetDefaultMemPool(&reserve, device) != cudaSuccess) return;
  static_cast<void>(cudaMemPoolSetAttribute(reserve, cudaMemPoolAttrReleaseThreshold, &bytes));
  if (bytes == 0) static_cast<void>(cudaMemPoolTrimTo(reserve, 0));
}

}  // namespace

void CudaContext::pass_blocks_on(bool on) {
  pool().pass_blocks_on(on);
  let_driver_keep(device_, on ? std::numeric_limits<std::uint64_t>::max() : 0);
}

std::int64_t CudaContext::free_bytes() const {
  activate();
  std::size_t free = 0, total = 0;
  check_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return static_cast<std::int64_t>(free);
}

void CudaContext::synchronise() const {
  check_cuda(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
}

// From pageable memory the call returns once the driver has taken the bytes over.
void copy_bytes_in(CudaContext& context, const void* from, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  context.activate();
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, context.stream()),
             "cudaMemcpyAsync to the device");
}

void copy_bytes_out(CudaContext& context, const void* from, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  context.activate();
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, context.stream()),
             "cudaMemcpyAsync to the host");
  context.synchronise();
}

}  // namespace m2st
