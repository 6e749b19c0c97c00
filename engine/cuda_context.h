// The CUDA backend's context: one device, and lanes to launch on: a stream each, with device memory
// pooled on it. A plain C++ header: what includes it needs no CUDA toolkit, only what links does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "engine/matmul_precision.h"
#include "engine/memory_pool.h"

struct CUstream_st;  // what cudaStream_t points to
struct CUevent_st;   // what cudaEvent_t points to

namespace m2st {

// Whether CUDA can be used on this machine. kAbsent: no driver or no device, as on most; kUnfit:
// there is something, but this program cannot use it.
enum class CudaState { kUsable, kAbsent, kUnfit };
struct CudaReadiness {
  CudaState state = CudaState::kUsable;
  std::string reason;  // in a few words; empty when usable
};
CudaReadiness cuda_readiness();

// The reason alone.
inline std::string why_no_cuda_device() { return cuda_readiness().reason; }

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

// A stream and memory of its own: blocks are used again in the stream's order, so that lanes can
// work side by side. Arrays go back to the lane that they came from.
class CudaLane {
 public:
  explicit CudaLane(int device);
  ~CudaLane();
  CudaLane(const CudaLane&) = delete;
  CudaLane& operator=(const CudaLane&) = delete;

  CUstream_st* stream() const { return stream_.get(); }
  MemoryPool& pool() { return pool_; }
  // What is launched here from now on runs after what has been launched on `other`.
  void follow(const CudaLane& other);

 private:
  CudaStream stream_;
  CUevent_st* event_ = nullptr;  // of the last lane followed
  MemoryPool pool_;              // after the stream, because its blocks are freed on it
};

class CublasLt;

class CudaContext {
 public:
  // Exit code 7 when there is no driver, no such device, or none that this program's kernels were
  // built for.
  explicit CudaContext(int device = 0);
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  int device() const { return device_; }
  CudaLane& lane() const { return *lane_; }
  CUstream_st* stream() const { return lane_->stream(); }
  MemoryPool& pool() { return lane_->pool(); }
  MatmulPrecision matmul_precision() const { return matmul_precision_; }
  void set_matmul_precision(MatmulPrecision precision) { matmul_precision_ = precision; }
  // The library that makes float32 products where they fill its tiles; null, and so at first: all
  // products are the engine's own.
  CublasLt* cublas_lt() const { return cublas_lt_.get(); }
  void use_cublas_lt(std::shared_ptr<CublasLt> library) { cublas_lt_ = std::move(library); }
  // Makes this context's device the calling thread's.
  void activate() const;
  // From now on the lane's pool passes its blocks on, or keeps them again. While it does the driver
  // keeps the memory for this process, so that it costs little to have it again.
  void pass_blocks_on(bool on);
  // Of the device's memory, what nobody has taken; kept blocks of the pool count as taken.
  std::int64_t free_bytes() const;
  // Waits until everything launched on the lane has run; errors of kernels come out here at the
  // latest.
  void synchronise() const;

 private:
  friend class CudaLaneScope;

  int device_;
  CudaLane own_;
  CudaLane* lane_ = &own_;
  MatmulPrecision matmul_precision_ = MatmulPrecision::kHighest;
  std::shared_ptr<CublasLt> cublas_lt_;
};

// Launches and arrays are the lane's for as long as this lives. Nothing is ordered by it: see
// CudaLane::follow.
class CudaLaneScope {
 public:
  CudaLaneScope(CudaContext& context, CudaLane& lane) : context_(context), before_(context.lane_) {
    context.lane_ = &lane;
  }
  ~CudaLaneScope() { context_.lane_ = before_; }
  CudaLaneScope(const CudaLaneScope&) = delete;
  CudaLaneScope& operator=(const CudaLaneScope&) = delete;

 private:
  CudaContext& context_;
  CudaLane* before_;
};

}  // namespace m2st
