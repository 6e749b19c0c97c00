// Copies between host memory and a context's memory: the only way data gets from one to the other,
// always asked for by name.
#pragma once

#include <cstddef>
#include <cstring>

#include "engine/check.h"
#include "engine/view.h"

namespace m2st {

class CpuContext;
class CudaContext;

// On return `from` may be reused; kernels launched afterwards on the context see the copy.
inline void copy_bytes_in(CpuContext&, const void* from, void* to, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void copy_bytes_in(CudaContext& context, const void* from, void* to, std::size_t bytes);

// Waits for what was launched on the context before; on return `to` holds the copy.
inline void copy_bytes_out(CpuContext&, const void* from, void* to, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void copy_bytes_out(CudaContext& context, const void* from, void* to, std::size_t bytes);

template <class T, class AnyContext>
void copy_in(AnyContext& context, Span<const T> from, Span<T> to) {
  M2ST_CHECK(from.size() == to.size(), "copy_in: ", from.size(), " entries do not fit ", to.size());
  copy_bytes_in(context, from.data(), to.data(), from.size_bytes());
}

template <class T, class AnyContext>
void copy_out(AnyContext& context, Span<const T> from, Span<T> to) {
  M2ST_CHECK(from.size() == to.size(), "copy_out: ", from.size(), " entries do not fit ",
             to.size());
  copy_bytes_out(context, from.data(), to.data(), from.size_bytes());
}

}  // namespace m2st
