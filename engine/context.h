// The one mechanism: a kernel is a free function overloaded on its context, and
//   context.dispatch([&](auto& c) { kernels::edge_softmax<T>(c, graph, scores, weights); });
// picks the overload. A backend without an overload is a link error, never a run-time one.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "engine/cpu_context.h"
#include "engine/memory_pool.h"

namespace m2st {

template <class... Backends>
class BasicContext {
 public:
  template <class Backend>
  explicit BasicContext(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  template <class Function>
  decltype(auto) dispatch(Function&& function) {
    return std::visit([&](auto& backend) -> decltype(auto) { return function(*backend); },
                      backend_);
  }
  MemoryPool& pool() {
    return dispatch([](auto& backend) -> MemoryPool& { return backend.pool(); });
  }

 private:
  std::variant<std::unique_ptr<Backends>...> backend_;
};

// The backends that whole jobs run on. CudaContext joins once every kernel of the trainer has its
// CUDA overload: until then a program that asks for it would not link, by design.
using Context = BasicContext<CpuContext>;

inline Context cpu_context(int threads = 0) {
  return Context(std::make_unique<CpuContext>(threads));
}

}  // namespace m2st
