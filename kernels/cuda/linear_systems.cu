// Small dense systems on CUDA: one block factorises, in memory that stays in its multiprocessor's
// cache, then a thread solves for each right side. What comes back to the host waits for the
// device.
#include <cmath>
#include <limits>

#include "engine/array.h"
#include "engine/copy.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/small_systems.cuh"
#include "kernels/linear_algebra.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

// a = L Lᵀ, with L in the lower half of `factor`. A pivot that is a's diagonal times rounding is
// what is left of a singular matrix; compared entry by entry, so scaling a does not matter.
template <class T>
__global__ void cholesky_kernel(int n, T rounding, const T* __restrict__ a, T* __restrict__ factor,
                                int* __restrict__ holds) {
  copy_entries<T>(static_cast<std::int64_t>(n) * n, a, factor);
  __syncthreads();
  for (int k = 0; k < n; ++k) {
    const T pivot = factor[k * n + k];
    if (!(pivot > rounding * a[k * n + k]) || !isfinite(pivot)) {  // for all threads alike
      if (threadIdx.x == 0) *holds = 0;
      return;
    }
    const T root = sqrt(pivot);
    __syncthreads();
    for (int i = k + threadIdx.x; i < n; i += kBlockThreads) {
      factor[i * n + k] = i == k ? root : factor[i * n + k] / root;
    }
    __syncthreads();
    subtract_outer(n, k, factor + k, n, factor);
    __syncthreads();
  }
  if (threadIdx.x == 0) *holds = 1;
}

// A thread a column of the right side; its sums are spelled out as fused operations, so that they
// do not depend on how many columns there are.
template <class T>
__global__ void cholesky_solve_kernel(int n, std::int64_t columns, const T* __restrict__ factor,
                                      const T* right_side, T* solution) {
  const std::int64_t c = thread_number();
  if (c >= columns) return;
  for (int i = 0; i < n; ++i) {
    T value = right_side[i * columns + c];
    for (int j = 0; j < i; ++j) value = fma(-factor[i * n + j], solution[j * columns + c], value);
    solution[i * columns + c] = value / factor[i * n + i];
  }
  for (int i = n - 1; i >= 0; --i) {
    T value = solution[i * columns + c];
    for (int j = i + 1; j < n; ++j)
      value = fma(-factor[j * n + i], solution[j * columns + c], value);
    solution[i * columns + c] = value / factor[i * n + i];
  }
}

template <class T>
__global__ void lu_kernel(int n, const T* __restrict__ a, T* __restrict__ factor,
                          int* __restrict__ swaps) {
  copy_entries<T>(static_cast<std::int64_t>(n) * n, a, factor);
  __syncthreads();
  factorise_lu(n, factor, swaps, block_shared_dynamic<int>());
}

template <class T>
__global__ void lu_solve_kernel(int n, std::int64_t columns, const T* __restrict__ factor,
                                const int* __restrict__ swaps, const T* right_side, T* solution) {
  const std::int64_t c = thread_number();
  if (c >= columns) return;
  for (int i = 0; i < n; ++i) solution[i * columns + c] = right_side[i * columns + c];
  for (int i = 0; i < n; ++i) {
    const T value = solution[swaps[i] * columns + c];
    solution[swaps[i] * columns + c] = solution[i * columns + c];
    solution[i * columns + c] = value;
  }
  for (int i = 0; i < n; ++i) {
    T value = solution[i * columns + c];
    for (int j = 0; j < i; ++j) value = fma(-factor[i * n + j], solution[j * columns + c], value);
    solution[i * columns + c] = value;
  }
  for (int i = n - 1; i >= 0; --i) {
    T value = solution[i * columns + c];
    for (int j = i + 1; j < n; ++j)
      value = fma(-factor[i * n + j], solution[j * columns + c], value);
    solution[i * columns + c] = value / factor[i * n + i];
  }
}

template <class T>
struct Identity {
  std::int64_t n;
  __device__ T operator()(std::int64_t i) const { return i / n == i % n ? T(1) : T(0); }
};

template <class T>
struct Magnitude {
  const T* a;
  std::int64_t cols;
  __device__ double operator()(std::int64_t r, std::int64_t c) const {
    return fabs(static_cast<double>(a[r * cols + c]));
  }
};

// 1 for a pivot of zero.
template <class T>
struct ZeroPivot {
  const T* factor;
  std::int64_t n;
  __device__ double operator()(std::int64_t i) const { return factor[i * n + i] == T(0) ? 1 : 0; }
};

// The largest sum of magnitudes down a column, into *norm.
template <class T>
void one_norm(CudaContext& context, MatrixView<const T> a, double* norm) {
  Array<double> sums(context.pool(), a.cols);
  combine_columns<double>(context, a.rows, a.cols, Magnitude<T>{a.data, a.cols}, PlusDoubles{},
                          StoreRowOfParts<double>{sums.data(), a.cols});
  reduce<double>(context, a.cols, ReadPart<double>{sums.data()}, Larger{}, StorePart<double>{norm});
}

template <class T>
void solve_with_factors(CudaContext& context, const Matrix<T>& factor, const Array<int>& swaps,
                        MatrixView<const T> right_side, MatrixView<T> solution) {
  if (solution.cols == 0) return;
  launch(lu_solve_kernel<T>, blocks_for(solution.cols, kBlockThreads), dim3(kBlockThreads), 0,
         context, static_cast<int>(factor.rows()), solution.cols, factor.data(), swaps.data(),
         right_side.data, solution.data);
}

}  // namespace

template <class T>
bool solve_spd(CudaContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
               MatrixView<T> solution) {
  check_system("solve_spd", a, right_side, solution);
  if (a.rows == 0) return true;
  const int n = static_cast<int>(a.rows);
  Matrix<T> factor(context.pool(), n, n);
  Array<int> holds(context.pool(), 1);
  launch(cholesky_kernel<T>, dim3(1), dim3(kBlockThreads), 0, context, n,
         static_cast<T>(n) * std::numeric_limits<T>::epsilon(), a.data, factor.data(),
         holds.data());
  int holds_here = 0;
  copy_out<int>(context, holds.span(), Span<int>(&holds_here, 1));
  if (holds_here == 0) return false;
  if (solution.cols > 0) {
    launch(cholesky_solve_kernel<T>, blocks_for(solution.cols, kBlockThreads), dim3(kBlockThreads),
           0, context, n, solution.cols, factor.data(), right_side.data, solution.data);
  }
  return true;
}

// The condition number is exact, in the 1-norm: the inverse costs as much as the factors did.
template <class T>
T solve_general(CudaContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
                MatrixView<T> solution) {
  check_system("solve_general", a, right_side, solution);
  if (a.rows == 0) return T(1);
  const std::int64_t n = a.rows;
  Matrix<T> factor(context.pool(), n, n), inverse(context.pool(), n, n);
  Array<int> swaps(context.pool(), n);
  Array<double> findings(context.pool(), 3);  // norms of a and its inverse, whether a pivot is zero
  launch(lu_kernel<T>, dim3(1), dim3(kBlockThreads), sizeof(int), context, static_cast<int>(n),
         a.data, factor.data(), swaps.data());
  one_norm(context, a, findings.data());
  solve_with_factors<T>(context, factor, swaps, right_side, solution);
  write_elements(context, n * n, inverse.data(), Accumulate::kOverwrite, Identity<T>{n});
  solve_with_factors<T>(context, factor, swaps, inverse.view(), inverse.view());
  one_norm<T>(context, inverse.view(), findings.data() + 1);
  reduce<double>(context, n, ZeroPivot<T>{factor.data(), n}, Larger{},
                 StorePart<double>{findings.data() + 2});
  double norms[3] = {};
  copy_out<double>(context, findings.span(), Span<double>(norms));
  if (norms[2] != 0) return T(0);
  const T reciprocal = static_cast<T>(1.0 / (norms[0] * norms[1]));
  return std::isfinite(reciprocal) ? reciprocal : T(0);
}

#define INSTANTIATE(T)                                                                \
  template bool solve_spd<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>,  \
                             MatrixView<T>);                                          \
  template T solve_general<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>, \
                              MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
