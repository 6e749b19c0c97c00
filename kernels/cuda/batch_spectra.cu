// Largest eigenvalues in batches on CUDA, as on the CPU: Householder reflections leave a
// tridiagonal matrix, Sturm's sequence tells which shifts lie above its eigenvalues (Golub and Van
// Loan, Matrix Computations, sections 8.3 and 8.4). A block a matrix, each of its threads a shift.
#include <cmath>
#include <limits>

#include "engine/array.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_shapes.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / kWarp;
constexpr int kMostCuts = 64;  // some six are usual: each cuts the interval into 513
constexpr std::size_t kSharedWithoutAsking = 48 << 10;

// Device code may read constants, not call the standard library's functions for them.
template <class T>
constexpr T kLargest = std::numeric_limits<T>::max();  // stands for a matrix that is not finite
template <class T>
constexpr T kLowest = std::numeric_limits<T>::lowest();
template <class T>
constexpr T kLeastPositive = std::numeric_limits<T>::min();

// Shared memory of a block, cut up.
template <class T>
struct Workspace {
  T* parts;      // (warps)
  T* reflector;  // (n)
  T* update;     // (n)
  T* diagonal;   // (n)
  T* squares;    // (n), of the entries beside the diagonal, the first 0
};

template <class T>
__device__ inline T sum_of_block(T value, T* parts) {
  value = warp_sum(value, 1);
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = value;
  __syncthreads();
  T sum = 0;
  for (int warp = 0; warp < kWarps; ++warp) sum += parts[warp];
  __syncthreads();
  return sum;
}

template <class T>
__device__ inline T largest_of_block(T value, T* parts) {
  value = warp_max(value, 1);
  if (threadIdx.x % kWarp == 0) parts[threadIdx.x / kWarp] = value;
  __syncthreads();
  T largest = parts[0];
  for (int warp = 1; warp < kWarps; ++warp) largest = parts[warp] > largest ? parts[warp] : largest;
  __syncthreads();
  return largest;
}

// Row and column k of a, behind the diagonal, are reflected onto their first entry, which is put
// into `squares`; what is behind becomes a − v wᵀ − w vᵀ.
template <class T>
__device__ inline void reflect(int n, int k, T* a, const Workspace<T>& space) {
  const int left = n - k - 1;
  const T* row = a + k * n + k + 1;
  T tail = 0;
  for (int i = threadIdx.x; i < left; i += kThreads) {
    space.reflector[i] = row[i];
    tail += i > 0 ? row[i] * row[i] : T(0);
  }
  tail = sum_of_block(tail, space.parts);
  const T first = row[0];
  if (tail == T(0)) {  // for all threads alike
    if (threadIdx.x == 0) space.squares[k + 1] = first * first;
    return;
  }
  const T square = tail + first * first;
  const T head = first + copysign(sqrt(square), first);
  const T factor = 2 / (tail + head * head);
  if (threadIdx.x == 0) {
    space.reflector[0] = head;
    space.squares[k + 1] = square;
  }
  __syncthreads();
  T* behind = a + (k + 1) * (n + 1);
  T along = 0;
  for (int i = threadIdx.x / kWarp; i < left; i += kWarps) {
    T sum = 0;
    for (int j = threadIdx.x % kWarp; j < left; j += kWarp) {
      sum += behind[i * n + j] * space.reflector[j];
    }
    sum = factor * warp_sum(sum, 1);
    if (threadIdx.x % kWarp == 0) {
      space.update[i] = sum;
      along += sum * space.reflector[i];
    }
  }
  const T share = factor * sum_of_block(along, space.parts) / 2;
  for (int i = threadIdx.x; i < left; i += kThreads) {
    space.update[i] -= share * space.reflector[i];
  }
  __syncthreads();
  for (int i = threadIdx.x / kWarp; i < left; i += kWarps) {
    const T v = space.reflector[i], w = space.update[i];
    for (int j = threadIdx.x % kWarp; j < left; j += kWarp) {
      behind[i * n + j] -= v * space.update[j] + w * space.reflector[j];
    }
  }
  __syncthreads();
}

// Whether the shift lies above all eigenvalues: every pivot of LDLᵀ of the shifted matrix is
// negative.
template <class T>
__device__ inline bool above_all(int n, T shift, const Workspace<T>& space) {
  T pivot = 1;
  bool above = true;
  for (int i = 0; i < n; ++i) {
    pivot = (space.diagonal[i] - shift) - space.squares[i] / pivot;
    // An eigenvalue of the leading part; counted as one that is not below the shift.
    if (pivot == T(0)) pivot = kLeastPositive<T>;
    above = above && pivot < T(0);
  }
  return above;
}

// The Gershgorin interval is cut again and again.
template <class T>
__device__ inline T largest_of_tridiagonal(int n, const Workspace<T>& space) {
  T low = kLowest<T>, high = low;
  for (int i = threadIdx.x; i < n; i += kThreads) {
    const T around = sqrt(space.squares[i]) + (i + 1 < n ? sqrt(space.squares[i + 1]) : T(0));
    low = space.diagonal[i] > low ? space.diagonal[i] : low;  // a Rayleigh quotient
    high = space.diagonal[i] + around > high ? space.diagonal[i] + around : high;
  }
  low = largest_of_block(low, space.parts);
  high = largest_of_block(high, space.parts);
  for (int cut = 0; cut < kMostCuts; ++cut) {
    const T size = fabs(low) > fabs(high) ? fabs(low) : fabs(high);
    if (!(high - low > kRounding<T> * size)) break;  // for all threads alike
    const T width = high - low;
    const auto shift = [&](int which) {
      return low + width * static_cast<T>(which + 1) / static_cast<T>(kThreads + 1);
    };
    const int below = __syncthreads_count(above_all(n, shift(threadIdx.x), space) ? 0 : 1);
    const T next_low = below > 0 ? shift(below - 1) : low;
    const T next_high = below < kThreads ? shift(below) : high;
    if (next_low <= low && next_high >= high) break;  // neighbours among the numbers of T
    low = next_low;
    high = next_high;
  }
  return low + (high - low) / 2;
}

template <class T>
__global__ void largest_eigenvalues_kernel(int n, const T* __restrict__ matrices,
                                           T* __restrict__ scratch, T* __restrict__ values) {
  T* shared = block_shared_dynamic<T>();
  const Workspace<T> space{shared, shared + kWarps, shared + kWarps + n, shared + kWarps + 2 * n,
                           shared + kWarps + 3 * n};
  const T* matrix = matrices + static_cast<std::int64_t>(blockIdx.x) * n * n;
  T* a = scratch + static_cast<std::int64_t>(blockIdx.x) * n * n;
  T largest = 0;
  int wrong = 0;
  for (int at = threadIdx.x; at < n * n; at += kThreads) {
    const T value = fabs(matrix[at]);
    wrong |= isfinite(value) ? 0 : 1;
    largest = value > largest ? value : largest;
  }
  T trace = 0;
  for (int i = threadIdx.x; i < n; i += kThreads) trace += matrix[i * (n + 1)];
  trace = sum_of_block(trace, space.parts);
  if (__syncthreads_or(wrong) != 0 || !isfinite(trace)) {  // for all threads alike
    if (threadIdx.x == 0) values[blockIdx.x] = kLargest<T>;
    return;
  }
  largest = largest_of_block(largest, space.parts);
  const T scale = largest > T(0) ? largest : T(1);
  for (int at = threadIdx.x; at < n * n; at += kThreads) a[at] = matrix[at] / scale;
  __syncthreads();
  for (int k = 0; k + 1 < n; ++k) reflect(n, k, a, space);
  for (int i = threadIdx.x; i < n; i += kThreads) space.diagonal[i] = a[i * (n + 1)];
  if (threadIdx.x == 0) space.squares[0] = 0;
  __syncthreads();
  const T value = scale * largest_of_tridiagonal(n, space);
  if (threadIdx.x == 0) values[blockIdx.x] = value;
}

}  // namespace

template <class T>
void largest_eigenvalues(CudaContext& context, BatchView<const T> a, Span<T> values) {
  check_square_batch<T>("largest_eigenvalues", a, values.size());
  if (a.size() == 0) return;
  Array<T> scratch(context.pool(), a.size());
  const std::size_t shared = (kWarps + 4 * static_cast<std::size_t>(a.rows)) * sizeof(T);
  if (shared > kSharedWithoutAsking) allow_shared(largest_eigenvalues_kernel<T>, shared);
  launch(largest_eigenvalues_kernel<T>, dim3(static_cast<unsigned>(a.count)), dim3(kThreads),
         shared, context, static_cast<int>(a.rows), a.data, scratch.data(), values.data());
}

#define INSTANTIATE(T) \
  template void largest_eigenvalues<T>(CudaContext&, BatchView<const T>, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
