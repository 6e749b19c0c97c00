// Symmetric systems in batches on CUDA. A block factorises a member and says whether that held; a
// warp solves for each right side; where it did not hold one block does all the rest, LU and then
// the pseudo-inverse. Nobody asks the host.
#include <cmath>

#include "engine/array.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_shapes.h"
#include "kernels/cuda/block_pseudo_inverse.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/small_systems.cuh"

namespace m2st::kernels {

namespace {

constexpr int kFactorThreads = 512;  // rows of what is left go to warps: 16 at a time
constexpr int kFactorWarps = kFactorThreads / kWarp;
constexpr int kSolveWarps = 4;
constexpr std::size_t kSharedWithoutAsking = 48 << 10;

// a = L Lᵀ into both halves, Lᵀ above the diagonal, so that substitution reads rows both ways. A
// pivot that is a's diagonal times rounding is what is left of a singular matrix.
template <class T>
__global__ void cholesky_batch_kernel(int n, T rounding, BatchView<const T> a,
                                      T* __restrict__ factors, int* __restrict__ holds) {
  const int warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const T* matrix = a.data + blockIdx.x * a.member_stride;
  T* factor = factors + static_cast<std::int64_t>(blockIdx.x) * n * n;
  for (int i = warp; i < n; i += kFactorWarps) {
    for (int j = lane; j < n; j += kWarp) factor[i * n + j] = matrix[i * a.row_stride + j];
  }
  __syncthreads();
  for (int k = 0; k < n; ++k) {
    const T pivot = factor[k * n + k];
    if (!(pivot > rounding * matrix[k * (a.row_stride + 1)]) || !isfinite(pivot)) {
      if (threadIdx.x == 0) holds[blockIdx.x] = 0;
      return;  // all threads
    }
    const T root = sqrt(pivot);
    for (int j = k + 1 + threadIdx.x; j < n; j += kFactorThreads) factor[k * n + j] /= root;
    __syncthreads();
    for (int i = k + 1 + warp; i < n; i += kFactorWarps) {
      const T of_row = factor[k * n + i];
      for (int j = i + lane; j < n; j += kWarp) factor[i * n + j] -= of_row * factor[k * n + j];
    }
    __syncthreads();
  }
  for (int i = warp; i < n; i += kFactorWarps) {
    for (int j = lane; j < i; j += kWarp) factor[i * n + j] = factor[j * n + i];
    if (lane == 0) factor[i * n + i] = sqrt(factor[i * n + i]);
  }
  if (threadIdx.x == 0) holds[blockIdx.x] = 1;
}

// A system with a known solution of the part behind: values[i] −= row[i] · x for the others. By a
// warp; x is put where it belongs.
template <class T>
__device__ inline void eliminate(int at, T x, int begin, int end, const T* row, int stride,
                                 T* values) {
  __syncwarp();
  for (int i = begin + threadIdx.x % kWarp; i < end; i += kWarp) {
    values[i] = fma(-row[i * stride], x, values[i]);
  }
  if (threadIdx.x % kWarp == 0) values[at] = x;
  __syncwarp();
}

// A warp a column of a member (blockIdx.y).
template <class T>
__global__ void cholesky_solve_batch_kernel(int n, const T* __restrict__ factors,
                                            const int* __restrict__ holds,
                                            BatchView<const T> right_side, BatchView<T> solution) {
  const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * kSolveWarps + threadIdx.x / kWarp;
  if (c >= solution.cols || holds[blockIdx.y] == 0) return;  // the whole warp
  const int lane = threadIdx.x % kWarp;
  const T* factor = factors + static_cast<std::int64_t>(blockIdx.y) * n * n;
  const T* right = right_side.data + blockIdx.y * right_side.member_stride + c;
  T* values = block_shared_dynamic<T>() + threadIdx.x / kWarp * n;
  for (int i = lane; i < n; i += kWarp) values[i] = right[i * right_side.row_stride];
  __syncwarp();
  for (int j = 0; j < n; ++j) {
    const T x = values[j] / factor[j * n + j];
    eliminate(j, x, j + 1, n, factor + j * n, 1, values);
  }
  for (int j = n - 1; j >= 0; --j) {
    const T x = values[j] / factor[j * n + j];
    eliminate(j, x, 0, j, factor + j * n, 1, values);
  }
  T* out = solution.data + blockIdx.y * solution.member_stride + c;
  for (int i = lane; i < n; i += kWarp) out[i * solution.row_stride] = values[i];
}

// By a warp: values become U⁻¹ L⁻¹ P values.
template <class T>
__device__ inline void solve_with_lu(int n, const T* factor, const int* swaps, T* values) {
  if (threadIdx.x % kWarp == 0) {
    for (int i = 0; i < n; ++i) {
      const T value = values[swaps[i]];
      values[swaps[i]] = values[i];
      values[i] = value;
    }
  }
  __syncwarp();
  for (int j = 0; j < n; ++j) {
    const T x = values[j];
    eliminate(j, x, j + 1, n, factor + j, n, values);
  }
  for (int j = n - 1; j >= 0; --j) {
    const T x = values[j] / factor[j * n + j];
    eliminate(j, x, 0, j, factor + j, n, values);
  }
}

template <class T>
struct FallbackJob {
  int n;
  BatchView<const T> a;
  BatchView<const T> right_side;
  BatchView<T> solution;
  T* factors;   // (members, n, n)
  T* inverses;  // (members, n, n)
  int* swaps;   // (members, n)
};

template <class T>
struct FallbackShared {
  InverseScratch<T> inverse;
  int chosen;
};

// The largest sum of magnitudes down a column.
template <class T>
__device__ inline T one_norm_of(int n, const T* a, std::int64_t stride,
                                InverseScratch<T>& scratch) {
  T largest = 0;
  for (int c = threadIdx.x; c < n; c += kBlockThreads) {
    T sum = 0;
    for (int r = 0; r < n; ++r) sum += fabs(a[r * stride + c]);
    // A sum that is not a number makes the condition one that does not hold.
    largest = sum > largest || isnan(sum) ? sum : largest;
  }
  const int wrong = isnan(largest) ? 1 : 0;
  if (__syncthreads_or(wrong) != 0) return T(NAN);
  return largest_of_block(largest, scratch);
}

// What solve_general answers for the factors: 0 for a pivot of zero or numbers that are not finite.
template <class T>
__device__ inline T reciprocal_condition(const FallbackJob<T>& job, const T* a, const T* factor,
                                         T* inverse, const int* swaps, T* values,
                                         InverseScratch<T>& scratch) {
  const int n = job.n, lane = threadIdx.x % kWarp;
  int zero = 0;
  for (int i = threadIdx.x; i < n; i += kBlockThreads) zero |= factor[i * n + i] == T(0) ? 1 : 0;
  if (__syncthreads_or(zero) != 0) return T(0);
  for (int c = threadIdx.x / kWarp; c < n; c += kBlockWarps) {
    for (int i = lane; i < n; i += kWarp) values[i] = i == c ? T(1) : T(0);
    __syncwarp();
    solve_with_lu(n, factor, swaps, values);
    for (int i = lane; i < n; i += kWarp) inverse[i * n + c] = values[i];
    __syncwarp();
  }
  __syncthreads();
  const T reciprocal =
      1 / (one_norm_of(n, a, job.a.row_stride, scratch) * one_norm_of<T>(n, inverse, n, scratch));
  return isfinite(reciprocal) ? reciprocal : T(0);
}

template <class T>
__device__ inline void solve_columns_with_lu(const FallbackJob<T>& job, const T* factor,
                                             const int* swaps, T* values) {
  const int n = job.n, lane = threadIdx.x % kWarp;
  const T* right = job.right_side.data + blockIdx.x * job.right_side.member_stride;
  T* out = job.solution.data + blockIdx.x * job.solution.member_stride;
  for (std::int64_t c = threadIdx.x / kWarp; c < job.solution.cols; c += kBlockWarps) {
    for (int i = lane; i < n; i += kWarp) values[i] = right[i * job.right_side.row_stride + c];
    __syncwarp();
    solve_with_lu(n, factor, swaps, values);
    for (int i = lane; i < n; i += kWarp) out[i * job.solution.row_stride + c] = values[i];
    __syncwarp();
  }
}

// scale · Fᵀ (G b); a scale of 0 stands for a matrix that is not finite.
template <class T>
__device__ inline void solve_columns_with_inverse(const FallbackJob<T>& job, T scale,
                                                  const InverseFactors<T>& factors, T* values) {
  const int n = job.n, lane = threadIdx.x % kWarp;
  const T* right = job.right_side.data + blockIdx.x * job.right_side.member_stride;
  T* out = job.solution.data + blockIdx.x * job.solution.member_stride;
  for (std::int64_t c = threadIdx.x / kWarp; c < job.solution.cols; c += kBlockWarps) {
    for (int k = lane; k < n; k += kWarp) {
      T sum = 0;
      for (int i = 0; i < n; ++i) {
        sum += factors.vectors[k * n + i] * right[i * job.right_side.row_stride + c];
      }
      values[k] = sum;
    }
    __syncwarp();
    for (int i = lane; i < n; i += kWarp) {
      T sum = 0;
      for (int k = 0; k < n; ++k) sum += factors.followers[k * n + i] * values[k];
      out[i * job.solution.row_stride + c] = scale == T(0) ? T(NAN) : scale * sum;
    }
    __syncwarp();
  }
}

template <class T>
__global__ void fallback_kernel(FallbackJob<T> job, const int* __restrict__ holds) {
  if (holds[blockIdx.x] != 0) return;  // all threads
  FallbackShared<T>& shared = block_shared<FallbackShared<T>>();
  T* values = block_shared_dynamic<T>() + threadIdx.x / kWarp * job.n;
  const int n = job.n;
  const T* a = job.a.data + blockIdx.x * job.a.member_stride;
  T* factor = job.factors + static_cast<std::int64_t>(blockIdx.x) * n * n;
  T* inverse = job.inverses + static_cast<std::int64_t>(blockIdx.x) * n * n;
  int* swaps = job.swaps + blockIdx.x * n;
  for (int at = threadIdx.x; at < n * n; at += kBlockThreads) {
    factor[at] = a[at / n * job.a.row_stride + at % n];
  }
  __syncthreads();
  factorise_lu(n, factor, swaps, &shared.chosen);
  const T condition = reciprocal_condition(job, a, factor, inverse, swaps, values, shared.inverse);
  if (condition >= kRounding<T>) {  // for all threads alike
    solve_columns_with_lu(job, factor, swaps, values);
    return;
  }
  __syncthreads();
  const InverseFactors<T> factors{inverse, factor};
  const T scale = factorise_inverse(n, a, job.a.row_stride, factors, shared.inverse);
  solve_columns_with_inverse(job, scale, factors, values);
}

template <class T>
struct InverseJob {
  int n;
  BatchView<const T> a;
  T* followers;  // (members, n, n)
  T* vectors;    // (members, n, n)
  BatchView<T> out;
};

template <class T>
__global__ void pseudo_inverse_batch_kernel(InverseJob<T> job) {
  InverseScratch<T>& scratch = block_shared<InverseScratch<T>>();
  const int n = job.n;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * n * n;
  const InverseFactors<T> factors{job.followers + first, job.vectors + first};
  const T scale = factorise_inverse(n, job.a.data + blockIdx.x * job.a.member_stride,
                                    job.a.row_stride, factors, scratch);
  T* out = job.out.data + blockIdx.x * job.out.member_stride;
  for (int at = threadIdx.x; at < n * n; at += kBlockThreads) {
    T sum = 0;
    for (int k = 0; k < n; ++k) {
      sum += factors.followers[k * n + at / n] * factors.vectors[k * n + at % n];
    }
    out[at] = scale == T(0) ? T(NAN) : scale * sum;
  }
}

template <class... Parameters>
void allow_if_large(void (*kernel)(Parameters...), std::size_t bytes) {
  if (bytes > kSharedWithoutAsking) allow_shared(kernel, bytes);
}

}  // namespace

template <class T>
void solve_symmetric(CudaContext& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution) {
  check_batch_systems<T>(a, right_side, solution);
  if (solution.size() == 0) return;
  const int n = static_cast<int>(a.rows);
  const auto members = static_cast<unsigned>(a.count);
  Array<T> factors(context.pool(), a.size()), inverses(context.pool(), a.size());
  Array<int> holds(context.pool(), a.count), swaps(context.pool(), a.count * n);
  launch(cholesky_batch_kernel<T>, dim3(members), dim3(kFactorThreads), 0, context, n,
         static_cast<T>(n) * kRounding<T>, a, factors.data(), holds.data());
  const std::size_t solving = kSolveWarps * static_cast<std::size_t>(n) * sizeof(T);
  allow_if_large(cholesky_solve_batch_kernel<T>, solving);
  launch(cholesky_solve_batch_kernel<T>, dim3(blocks_for(solution.cols, kSolveWarps).x, members),
         dim3(kSolveWarps * kWarp), solving, context, n, factors.data(), holds.data(), right_side,
         solution);
  const std::size_t falling_back = kBlockWarps * static_cast<std::size_t>(n) * sizeof(T);
  allow_if_large(fallback_kernel<T>, falling_back);
  launch(fallback_kernel<T>, dim3(members), dim3(kBlockThreads), falling_back, context,
         FallbackJob<T>{n, a, right_side, solution, factors.data(), inverses.data(), swaps.data()},
         holds.data());
}

template <class T>
void pseudo_inverses(CudaContext& context, BatchView<const T> a, BatchView<T> out) {
  check_pseudo_inverses<T>(a, out);
  if (a.size() == 0) return;
  Array<T> followers(context.pool(), a.size()), vectors(context.pool(), a.size());
  launch(pseudo_inverse_batch_kernel<T>, dim3(static_cast<unsigned>(a.count)), dim3(kBlockThreads),
         0, context,
         InverseJob<T>{static_cast<int>(a.rows), a, followers.data(), vectors.data(), out});
}

#define INSTANTIATE(T)                                                                   \
  template void solve_symmetric<T>(CudaContext&, BatchView<const T>, BatchView<const T>, \
                                   BatchView<T>);                                        \
  template void pseudo_inverses<T>(CudaContext&, BatchView<const T>, BatchView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
