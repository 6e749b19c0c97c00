// The CUDA backend's context: one device, one stream, and device memory pooled on that stream. A
// plain C++ header: what includes it needs no CUDA toolkit, only what links does.
#pragma once

#include <cstdint>
#include <string>

#include "engine/memory_pool.h"

struct CUstream_st;  // what cudaStream_t points to

namespace m2st {

// Why no CUDA device can be used here, in a few words; empty when one can.
std::string why_no_cuda_device();

// A stream of its own, destroyed with its owner.
class CudaStream {
 public:
  explicit CudaStream(int device);
  ~CudaStream();
  CudaStream(CudaStream&& other) noexcept;
  CudaStream& operator=(CudaStream&& other) noexcept;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  CUstream_st* get() const { return stream_; }

 private:
  CUstream_st* stream_ = nullptr;
};

class CudaContext {
 public:
  // Exit code 7 when there is no driver or no such device.
  explicit CudaContext(int device = 0);
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  int device() const { return device_; }
  CUstream_st* stream() const { return stream_.get(); }
  MemoryPool& pool() { return pool_; }
  // Makes this context's device the calling thread's.
  void activate() const;
  // Of the device's memory, what nobody has taken; kept blocks of the pool count as taken.
  std::int64_t free_bytes() const;
  // Waits until everything launched has run; errors of kernels come out here at the latest.
  void synchronise() const;

 private:
  int device_;
  CudaStream stream_;
  MemoryPool pool_;  // after the stream, because its blocks are freed on it
};

}  // namespace m2st
