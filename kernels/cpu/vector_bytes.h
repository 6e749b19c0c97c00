// The width of a vector register. Code that has to keep more at a time works on several vectors of
// this width: wider ones, which g++ splits, go through memory.
#pragma once

namespace m2st::kernels {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#else
inline constexpr int kVectorBytes = 32;
#endif

}  // namespace m2st::kernels
