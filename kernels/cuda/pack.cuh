// Consecutive elements read and written as one: up to 16 bytes, where rows and pointers allow.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace m2st::kernels {

template <class T, int kPack>
struct alignas(sizeof(T) * kPack) Pack {
  T of[kPack];
};

template <class T>
inline constexpr int kWidestPack = 16 / static_cast<int>(sizeof(T));

template <int kPack, class T>
__device__ inline Pack<T, kPack> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, kPack>*>(from);
}

template <class T, int kPack>
__device__ inline void store_pack(const Pack<T, kPack>& pack, T* to) {
  *reinterpret_cast<Pack<T, kPack>*>(to) = pack;
}

// Whether rows (or parts of rows) of this many columns, starting at these addresses, are whole
// packs.
template <int kPack, class T, class... More>
bool fits_packs(std::int64_t cols, const T* pointer, const More*... more) {
  const auto aligned = [](const T* address) {
    return reinterpret_cast<std::uintptr_t>(address) % (sizeof(T) * kPack) == 0;
  };
  return cols % kPack == 0 && aligned(pointer) && (aligned(more) && ...);
}

}  // namespace m2st::kernels
