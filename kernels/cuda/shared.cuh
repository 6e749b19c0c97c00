// Shared memory, declared so that the host executor can hand it out too: a kernel describes all of
// its static shared memory as one struct and asks for it by type,
//   struct Tile { float rows[32][33]; float sums[8]; };
//   Tile& tile = block_shared<Tile>();
// One type is one piece of memory in a kernel, however often it is asked for. It holds garbage at
// first; a raw __shared__ does not compile for the host.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

namespace m2st::kernels {

template <class T>
__device__ __forceinline__ T& block_shared() {
  static_assert(std::is_trivially_default_constructible_v<T>);
#if defined(__CUDACC__)
  __shared__ T storage;
  return storage;
#else
  static constexpr char kKey = 0;
  return *static_cast<T*>(simt::static_shared(&kKey, sizeof(T), alignof(T)));
#endif
}

// The launch's shared_bytes, aligned to 16; the kernel cuts it up itself. For more than 48 KiB the
// host code calls allow_shared first.
template <class T>
__device__ __forceinline__ T* block_shared_dynamic() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char m2st_dynamic_shared[];
  return reinterpret_cast<T*>(m2st_dynamic_shared);
#else
  return static_cast<T*>(simt::dynamic_shared());
#endif
}

}  // namespace m2st::kernels
