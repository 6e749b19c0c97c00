// The width of a vector register. Code that has to keep more at a time works on several vectors of
// this width: wider ones, which g++ splits, go through memory.
#pragma once

namespace m2st::kernels {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#else
inline constexpr int kVectorBytes = 32;
#endif

template <class T>
struct Vector {
  typedef T Type __attribute__((vector_size(kVectorBytes)));
  typedef T Loose __attribute__((vector_size(kVectorBytes), aligned(sizeof(T))));
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

  static Type load(const T* from) { return Type(*reinterpret_cast<const Loose*>(from)); }
  static void store(Type values, T* to) { *reinterpret_cast<Loose*>(to) = values; }
};

}  // namespace m2st::kernels
