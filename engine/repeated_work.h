// Work done again and again, the same launches on the same memory each time: as it stands on the
// CPU; on CUDA in a lane of its own and from the second time on as one graph. What the work uses is
// made while the object lives, and gone before it, so that on CUDA the memory is the lane's.
#pragma once

#include <functional>
#include <memory>

#include "engine/cpu_context.h"
#if defined(M2ST_WITH_CUDA)
#include "engine/cuda_context.h"
#include "engine/cuda_graph.h"
#endif

namespace m2st {

template <class Backend>
class RepeatedWork;

template <>
class RepeatedWork<CpuContext> {
 public:
  explicit RepeatedWork(CpuContext&) {}
  // The same work every time.
  void run(const std::function<void()>& work) { work(); }
};

#if defined(M2ST_WITH_CUDA)
template <>
class RepeatedWork<CudaContext> {
 public:
  explicit RepeatedWork(CudaContext& context) : context_(context), lane_(context.device()) {
    lane_.follow(context.lane());
    scope_ = std::make_unique<CudaLaneScope>(context, lane_);
  }
  RepeatedWork(const RepeatedWork&) = delete;
  RepeatedWork& operator=(const RepeatedWork&) = delete;

  void run(const std::function<void()>& work) {
    if (!graph_) graph_ = std::make_unique<CudaGraph>(work);
    graph_->run(context_);
  }

 private:
  CudaContext& context_;
  CudaLane lane_;
  std::unique_ptr<CudaLaneScope> scope_;
  std::unique_ptr<CudaGraph> graph_;
};
#endif

}  // namespace m2st
