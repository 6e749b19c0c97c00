// The one mechanism: a kernel is a free function overloaded on its context, and
//   context.dispatch([&](auto& c) { kernels::edge_softmax<T>(c, graph, scores, weights); });
// picks the overload. A backend without an overload is a link error, never a run-time one.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "engine/check.h"
#include "engine/cpu_context.h"
#include "engine/memory_pool.h"
#if defined(M2ST_WITH_CUDA)
#include "engine/cuda_context.h"
#endif

namespace m2st {

template <class... Backends>
class BasicContext {
 public:
  template <class Backend>
  explicit BasicContext(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}
  // A device, and the context for what the host does beside it.
  template <class Backend>
  BasicContext(std::unique_ptr<Backend> backend, std::unique_ptr<CpuContext> host)
      : host_(std::move(host)), backend_(std::move(backend)) {}

  template <class Function>
  decltype(auto) dispatch(Function&& function) {
    return std::visit([&](auto& backend) -> decltype(auto) { return function(*backend); },
                      backend_);
  }
  MemoryPool& pool() {
    return dispatch([](auto& backend) -> MemoryPool& { return backend.pool(); });
  }
  // Of products on the backend; what the host does beside a device stays in float32.
  MatmulPrecision matmul_precision() {
    return dispatch([](auto& backend) { return backend.matmul_precision(); });
  }
  void set_matmul_precision(MatmulPrecision precision) {
    dispatch([&](auto& backend) { backend.set_matmul_precision(precision); });
  }
  // Whether kernels work on host memory.
  bool on_host() const { return std::holds_alternative<std::unique_ptr<CpuContext>>(backend_); }
  // For work in host memory: the CPU backend itself, or the context beside the device.
  CpuContext& host() {
    if (on_host()) return *std::get<std::unique_ptr<CpuContext>>(backend_);
    M2ST_CHECK(host_ != nullptr, "context: made without one for the host");
    return *host_;
  }
  // The host alone from now on. Nothing may be left in the device's memory.
  void drop_device() {
    if (on_host()) return;
    M2ST_CHECK(host_ != nullptr, "context: made without one for the host");
    backend_ = std::move(host_);
  }

 private:
  std::unique_ptr<CpuContext> host_;
  std::variant<std::unique_ptr<Backends>...> backend_;
};

// The backends that whole jobs run on: M2ST_WITH_CUDA is set where the CUDA backend is linked.
#if defined(M2ST_WITH_CUDA)
using Context = BasicContext<CpuContext, CudaContext>;

// Exit code 7 when there is no such device.
inline Context cuda_context(int device, int threads) {
  return Context(std::make_unique<CudaContext>(device), std::make_unique<CpuContext>(threads));
}
#else
using Context = BasicContext<CpuContext>;
#endif

inline Context cpu_context(int threads = 0) {
  return Context(std::make_unique<CpuContext>(threads));
}

}  // namespace m2st
