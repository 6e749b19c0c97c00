// One-sided Jacobi (Hestenes 1958): rotates vectors in pairs until all are orthogonal, and other
// vectors along with them. Pairs of one round share no vector, so a warp takes each; a sweep is as
// many rounds as bring every pair together once. Every entry of the result has one fixed order of
// operations, whatever the number of warps.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/array.h"
#include "engine/copy.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

inline constexpr int kMostSweeps = 40;            // some ten are usual
inline constexpr int kJacobiThreads = 512;        // of the single block that rotates few vectors
inline constexpr std::int64_t kFewVectors = 128;  // up to here one block is quicker than launches

template <class T>
struct JacobiVectors {
  std::int64_t count;
  std::int64_t length;         // of a vector
  std::int64_t follow_length;  // of those that follow; 0: none do
  T* vectors;                  // (count, length)
  T* followers;                // (count, follow_length)
  T tolerance;                 // of the cosine of a pair
};

// What rounding leaves of a product of two orthogonal vectors of this length.
template <class T>
__host__ __device__ inline T orthogonality_tolerance(std::int64_t length) {
  return kRounding<T> * std::sqrt(static_cast<T>(length));
}

// By an angle of this sine, `half` the tangent of half of it: written as changes of p and q, whose
// rounding falls with the angle. cos · p − sin · q would lengthen vectors a little in every
// rotation.
template <class T>
__device__ inline void rotate(T sine, T half, std::int64_t length, T* p, T* q) {
  for (std::int64_t i = threadIdx.x % kWarp; i < length; i += kWarp) {
    const T x = p[i];
    const T y = q[i];
    p[i] = x - sine * (y + half * x);
    q[i] = y + sine * (x - half * y);
  }
}

// By a whole warp; false when the pair was orthogonal.
template <class T>
__device__ inline bool make_orthogonal(const JacobiVectors<T>& job, std::int64_t first,
                                       std::int64_t second) {
  T* p = job.vectors + first * job.length;
  T* q = job.vectors + second * job.length;
  T pp = 0, qq = 0, pq = 0;
  for (std::int64_t i = threadIdx.x % kWarp; i < job.length; i += kWarp) {
    pp += p[i] * p[i];
    qq += q[i] * q[i];
    pq += p[i] * q[i];
  }
  pp = warp_sum(pp, 1);
  qq = warp_sum(qq, 1);
  pq = warp_sum(pq, 1);
  if (fabs(pq) <= job.tolerance * sqrt(pp) * sqrt(qq)) return false;
  const T zeta = (qq - pp) / (2 * pq);
  const T tangent = (zeta < T(0) ? T(-1) : T(1)) / (fabs(zeta) + sqrt(1 + zeta * zeta));
  const T cosine = 1 / sqrt(1 + tangent * tangent);
  const T sine = cosine * tangent;
  const T half = sine / (1 + cosine);
  rotate(sine, half, job.length, p, q);
  rotate(sine, half, job.follow_length, job.followers + first * job.follow_length,
         job.followers + second * job.follow_length);
  return true;
}

// Vectors as players of a tournament: with an odd number one rests. Returns whether it rotated.
template <class T>
__device__ inline bool play(const JacobiVectors<T>& job, std::int64_t round, std::int64_t pair) {
  const std::int64_t wheel = (job.count + 1) / 2 * 2 - 1;
  const std::int64_t first = (round + pair) % wheel;
  const std::int64_t second = pair == 0 ? wheel : (round - pair + wheel) % wheel;
  if (first >= job.count || second >= job.count) return false;
  return make_orthogonal(job, first < second ? first : second, first < second ? second : first);
}

// All sweeps, by a block of `warps` warps; `rotations`: shared, one int.
template <class T>
__device__ inline void rotate_until_orthogonal(const JacobiVectors<T>& job, int warps,
                                               int* rotations) {
  const std::int64_t pairs = (job.count + 1) / 2;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    if (threadIdx.x == 0) *rotations = 0;
    __syncthreads();
    for (std::int64_t round = 0; round < 2 * pairs - 1; ++round) {
      for (std::int64_t pair = threadIdx.x / kWarp; pair < pairs; pair += warps) {
        const bool rotated = play(job, round, pair);
        if (rotated && threadIdx.x % kWarp == 0) atomicAdd(rotations, 1);
      }
      __syncthreads();
    }
    const int total = *rotations;
    __syncthreads();
    if (total == 0) return;  // all threads
  }
}

template <class T>
__global__ void jacobi_kernel(JacobiVectors<T> job) {
  rotate_until_orthogonal(job, kJacobiThreads / kWarp, block_shared_dynamic<int>());
}

template <class T>
__global__ void jacobi_round_kernel(JacobiVectors<T> job, std::int64_t round, int* rotations) {
  const std::int64_t pair = thread_number() / kWarp;
  if (pair >= (job.count + 1) / 2) return;  // the whole warp
  const bool rotated = play(job, round, pair);
  if (rotated && threadIdx.x % kWarp == 0) atomicAdd(rotations, 1);
}

struct NoRotations {
  __device__ int operator()(std::int64_t) const { return 0; }
};

// Many vectors take a launch a round, and wait for the device once a sweep.
template <class T>
void make_all_orthogonal(CudaContext& context, JacobiVectors<T> job) {
  if (job.count < 2) return;
  job.tolerance = orthogonality_tolerance<T>(job.length);
  if (job.count <= kFewVectors) {
    launch(jacobi_kernel<T>, dim3(1), dim3(kJacobiThreads), sizeof(int), context, job);
    return;
  }
  const std::int64_t pairs = (job.count + 1) / 2;
  Array<int> rotations(context.pool(), 1);
  for (int sweep = 0, total = 1; sweep < kMostSweeps && total > 0; ++sweep) {
    write_elements(context, 1, rotations.data(), Accumulate::kOverwrite, NoRotations{});
    for (std::int64_t round = 0; round < 2 * pairs - 1; ++round) {
      launch(jacobi_round_kernel<T>, blocks_for(pairs, kBlockThreads / kWarp), dim3(kBlockThreads),
             0, context, job, round, rotations.data());
    }
    copy_out<int>(context, rotations.span(), Span<int>(&total, 1));
  }
}

}  // namespace m2st::kernels
