// The pseudo-inverse of one square matrix by one block of kBlockThreads threads, as two factors:
// pinv(a) = scale · Fᵀ G. With a = U Σ Vᵀ the orthogonal vectors are u σ, what followed them is v.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/jacobi.cuh"
#include "kernels/cuda/reduction.cuh"

namespace m2st::kernels {

template <class T>
struct InverseFactors {
  T* followers;  // F (n, n)
  T* vectors;    // G (n, n)
};

// Shared memory of a block that takes part.
template <class T>
struct InverseScratch {
  T parts[kBlockWarps];
  T shared_value;
  int rotations;
};

// The largest of the threads' values, on all of them.
template <class T>
__device__ inline T largest_of_block(T value, InverseScratch<T>& scratch) {
  value = block_combine(value, Larger{}, scratch.parts);
  if (threadIdx.x == 0) scratch.shared_value = value;
  __syncthreads();
  const T result = scratch.shared_value;
  __syncthreads();
  return result;
}

// G's rows divided by their squared lengths, or zeros where the length does not count; a warp a
// row, `longest` the greatest length.
template <class T>
__device__ inline void invert_lengths(int n, T rounding, T* vectors, InverseScratch<T>& scratch) {
  T longest = 0;
  for (int pass = 0; pass < 2; ++pass) {
    T seen = 0;
    for (int k = threadIdx.x / kWarp; k < n; k += kBlockWarps) {
      T square = 0;
      for (int i = threadIdx.x % kWarp; i < n; i += kWarp) {
        square += vectors[k * n + i] * vectors[k * n + i];
      }
      const T length = sqrt(warp_sum(square, 1));
      seen = length > seen ? length : seen;
      for (int i = threadIdx.x % kWarp; pass == 1 && i < n; i += kWarp) {
        T& entry = vectors[k * n + i];
        entry = length > rounding * longest ? entry / length / length : T(0);
      }
    }
    if (pass == 0) longest = largest_of_block(seen, scratch);
  }
}

// a: rows `stride` apart. Returns the scale, 0 when a is not finite (the factors then mean
// nothing).
template <class T>
__device__ inline T factorise_inverse(int n, const T* a, std::int64_t stride,
                                      const InverseFactors<T>& factors,
                                      InverseScratch<T>& scratch) {
  T largest = 0;
  int wrong = 0;
  for (int at = threadIdx.x; at < n * n; at += kBlockThreads) {
    const T value = fabs(a[at / n * stride + at % n]);
    wrong |= isfinite(value) ? 0 : 1;
    largest = value > largest ? value : largest;
  }
  if (__syncthreads_or(wrong) != 0) return T(0);
  largest = largest_of_block(largest, scratch);
  int exponent = 0;
  frexp(largest, &exponent);
  const T scale = ldexp(T(1), -exponent);  // exact, and no square overflows
  for (int at = threadIdx.x; at < n * n; at += kBlockThreads) {
    factors.vectors[at] = scale * a[at % n * stride + at / n];
    factors.followers[at] = at / n == at % n ? T(1) : T(0);
  }
  __syncthreads();
  rotate_until_orthogonal(
      JacobiVectors<T>{n, n, n, factors.vectors, factors.followers, orthogonality_tolerance<T>(n)},
      kBlockWarps, &scratch.rotations);
  const T rounding = static_cast<T>(n) * kRounding<T>;
  invert_lengths(n, rounding, factors.vectors, scratch);
  __syncthreads();
  return scale;
}

}  // namespace m2st::kernels
