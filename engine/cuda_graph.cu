// Capture and replay of work on CUDA.
#include <cuda_runtime_api.h>

#include "engine/cuda_check.cuh"
#include "engine/cuda_graph.h"

namespace m2st {

namespace {

// A capture that ends in any case: a stream left capturing would refuse all that comes after.
cudaGraph_t captured_graph(cudaStream_t stream, const std::function<void()>& work) {
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
             "cudaStreamBeginCapture");
  try {
    work();
  } catch (...) {
    if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) {
      static_cast<void>(cudaGraphDestroy(graph));
    }
    static_cast<void>(cudaGetLastError());
    throw;
  }
  check_cuda(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  return graph;
}

}  // namespace

CudaGraph::~CudaGraph() {
  if (graph_ != nullptr) static_cast<void>(cudaGraphExecDestroy(graph_));
}

bool CudaGraph::capture(CudaContext& context) {
  cudaGraph_t graph = nullptr;
  try {
    graph = captured_graph(context.stream(), work_);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kOutOfMemory) throw;
    return false;
  }
  const cudaError_t result = cudaGraphInstantiate(&graph_, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check_cuda(result, "cudaGraphInstantiate");
  return true;
}

void CudaGraph::run(CudaContext& context) {
  context.activate();
  if (!has_run_ || !context.pool().keeps_blocks()) {
    work_();
    has_run_ = true;
    return;
  }
  if (!captured() && !capture(context)) {
    work_();
    return;
  }
  check_cuda(cudaGraphLaunch(graph_, context.stream()), "cudaGraphLaunch");
}

}  // namespace m2st
