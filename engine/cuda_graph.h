// Work that is launched again and again as one CUDA graph. What it launches must be the same every
// time, down to the addresses: whatever changes is read from device memory. A plain C++ header.
#pragma once

#include <functional>
#include <utility>

#include "engine/cuda_context.h"

struct CUgraphExec_st;  // what cudaGraphExec_t points to

namespace m2st {

class CudaGraph {
 public:
  // `work` launches on the context's lane, and on others between following it and being followed by
  // it. It never waits for the device, and usually takes no more memory than the time before.
  explicit CudaGraph(std::function<void()> work) : work_(std::move(work)) {}
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  // Does the work on the context's lane: the first time launch by launch, which fills the lanes'
  // pools, then by one launch of a graph. Launch by launch every time where pools keep no blocks,
  // and once more where they lack some: scarce memory makes a pool give blocks of one size back for
  // one of another. Exit code 6 when there is none.
  void run(CudaContext& context);
  bool captured() const { return graph_ != nullptr; }

 private:
  // False when the pools lack a block.
  bool capture(CudaContext& context);

  std::function<void()> work_;
  bool has_run_ = false;
  CUgraphExec_st* graph_ = nullptr;
};

}  // namespace m2st
