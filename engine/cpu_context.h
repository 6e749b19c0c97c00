// The CPU backend's context: its threads and its memory. Kernels take it as their first argument.
#pragma once

#include "engine/matmul_precision.h"
#include "engine/memory_pool.h"
#include "engine/thread_pool.h"

namespace m2st {

class CpuContext {
 public:
  // `threads` 0: as many as this process may use.
  explicit CpuContext(int threads = 0);
  CpuContext(const CpuContext&) = delete;
  CpuContext& operator=(const CpuContext&) = delete;

  int threads() const { return threads_.threads(); }
  ThreadPool& thread_pool() { return threads_; }
  MemoryPool& pool() { return pool_; }
  MatmulPrecision matmul_precision() const { return matmul_precision_; }
  void set_matmul_precision(MatmulPrecision precision) { matmul_precision_ = precision; }

 private:
  MemoryPool pool_;
  ThreadPool threads_;
  MatmulPrecision matmul_precision_ = MatmulPrecision::kHighest;
};

// Processors this process may run on (affinity and container limits counted in), at least 1.
int available_processors();

}  // namespace m2st
