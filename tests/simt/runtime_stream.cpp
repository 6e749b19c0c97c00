// The stand-in runtime's functions about streams, events and graphs.
#include <cuda_runtime_api.h>

#include "tests/simt/runtime.h"

namespace {

using m2st::simt::runtime;

cudaError_t result(int error) { return static_cast<cudaError_t>(m2st::simt::remembered(error)); }

bool unknown(cudaStream_t stream) { return !runtime().streams.exists(stream); }

}  // namespace

extern "C" {

cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard lock(runtime().mutex);
  if (runtime().streams.spoils_capture()) return result(cudaErrorStreamCaptureUnsupported);
  runtime().streams.finish_all();
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  const std::lock_guard lock(runtime().mutex);
  *stream = runtime().streams.create();
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return cudaStreamCreate(stream);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.destroy(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  if (runtime().streams.spoils_capture(stream)) return result(cudaErrorStreamCaptureUnsupported);
  runtime().streams.finish(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  return stream->items.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream) || event == nullptr) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.wait(stream, event);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return cudaEventCreate(event);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(runtime().mutex);
  if (event == nullptr) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.finish(event);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream) || event == nullptr) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.record(stream, event);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::lock_guard lock(runtime().mutex);
  if (event == nullptr) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.finish(event);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const std::lock_guard lock(runtime().mutex);
  return !event->records->reached(event->records->asked_for) ? cudaErrorNotReady : cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const std::lock_guard lock(runtime().mutex);
  if (start->records->asked_for == 0 || end->records->asked_for == 0)
    return result(cudaErrorInvalidResourceHandle);
  if (cudaEventQuery(start) != cudaSuccess || cudaEventQuery(end) != cudaSuccess) {
    return result(cudaErrorNotReady);
  }
  *milliseconds = static_cast<float>((end->records->seconds - start->records->seconds) * 1e3);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  return result(runtime().streams.begin_capture(stream, mode == cudaStreamCaptureModeGlobal));
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  return result(runtime().streams.end_capture(stream, graph));
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream)) return result(cudaErrorInvalidResourceHandle);
  *status = stream->capture == nullptr ? cudaStreamCaptureStatusNone
            : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t*, std::size_t* count) {
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{*graph};
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const std::lock_guard lock(runtime().mutex);
  if (unknown(stream) || exec == nullptr) return result(cudaErrorInvalidResourceHandle);
  runtime().streams.launch(exec, stream);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

}  // extern "C"
