// Eigenvalues and the pseudo-inverse on CUDA, by Jacobi rotations.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/copy.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/jacobi.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

// factor · a + shift · 1.
template <class T>
struct Shifted {
  const T* a;
  std::int64_t n;
  T factor;
  T shift;
  __device__ T operator()(std::int64_t i) const {
    return factor * a[i] + (i / n == i % n ? shift : T(0));
  }
};

// A power of two that brings the largest entry near 1, so that no square overflows: exact.
template <class T>
T scaling(T largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(T(1), -exponent);
}

template <class T>
struct Unit {
  std::int64_t n;
  __device__ T operator()(std::int64_t i) const { return i / n == i % n ? T(1) : T(0); }
};

template <class T>
struct Filled {
  T value;
  __device__ T operator()(std::int64_t) const { return value; }
};

// lengths[k] = (‖vector k‖ − shift) / factor; a warp a vector.
template <class T>
__global__ void lengths_kernel(std::int64_t count, std::int64_t length, T shift, T factor,
                               const T* __restrict__ vectors, T* __restrict__ lengths) {
  const std::int64_t k = thread_number() / kWarp;
  if (k >= count) return;  // the whole warp
  T square = 0;
  for (std::int64_t i = threadIdx.x % kWarp; i < length; i += kWarp) {
    square += vectors[k * length + i] * vectors[k * length + i];
  }
  square = warp_sum(square, 1);
  if (threadIdx.x % kWarp == 0) lengths[k] = (sqrt(square) - shift) / factor;
}

template <class T>
void find_lengths(CudaContext& context, std::int64_t count, std::int64_t length, T shift, T factor,
                  const T* vectors, T* lengths) {
  launch(lengths_kernel<T>, blocks_for(count, kBlockWarps), dim3(kBlockThreads), 0, context, count,
         length, shift, factor, vectors, lengths);
}

// Puts eigenvalue k where it belongs in ascending order, its vector into that column, with the
// entry of largest magnitude positive, the first of equals. A warp a vector.
template <class T>
__global__ void order_eigen_kernel(std::int64_t n, const T* __restrict__ unordered,
                                   const T* __restrict__ vectors, T* __restrict__ values,
                                   T* __restrict__ columns) {
  const std::int64_t k = thread_number() / kWarp;
  if (k >= n) return;  // the whole warp
  const int lane = threadIdx.x % kWarp;
  const T value = unordered[k];
  const T* vector = vectors + k * n;
  std::int64_t place = 0;
  std::int64_t at = n;
  T largest = T(-1);
  for (std::int64_t i = lane; i < n; i += kWarp) {
    place += unordered[i] < value || (unordered[i] == value && i < k) ? 1 : 0;
    if (fabs(vector[i]) > largest) {
      largest = fabs(vector[i]);
      at = i;
    }
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    place += __shfl_xor_sync(kAllLanes, place, offset);
    const T other = __shfl_xor_sync(kAllLanes, largest, offset);
    const std::int64_t other_at = __shfl_xor_sync(kAllLanes, at, offset);
    if (other > largest || (other == largest && other_at < at)) {
      largest = other;
      at = other_at;
    }
  }
  const T sign = vector[at] < T(0) ? T(-1) : T(1);
  if (lane == 0) values[place] = value;
  for (std::int64_t i = lane; i < n; i += kWarp) columns[i * n + place] = sign * vector[i];
}

// Eigenvalues of a, unordered, and with them eigenvectors in the rows of `followers` unless it is
// empty. Shifted by its Frobenius norm, a has no negative eigenvalue: then the lengths of the
// orthogonal vectors are the eigenvalues, and what followed are the eigenvectors.
template <class T>
void find_eigen(CudaContext& context, const char* op, MatrixView<const T> a, Span<T> unordered,
                Matrix<T>& followers) {
  const T largest = static_cast<T>(max_abs<T>(context, a.span()));
  M2ST_CHECK(std::isfinite(largest), op, ": no convergence, is a finite?");
  const T factor = scaling(largest);
  const double norm = std::sqrt(dot<T>(context, a.span(), a.span()));
  const T shift = static_cast<T>(norm * static_cast<double>(factor));
  Matrix<T> vectors(context.pool(), a.rows, a.rows);
  write_elements(context, a.size(), vectors.data(), Accumulate::kOverwrite,
                 Shifted<T>{a.data, a.rows, factor, shift});
  write_elements(context, followers.size(), followers.data(), Accumulate::kOverwrite,
                 Unit<T>{a.rows});
  make_all_orthogonal(context, JacobiVectors<T>{a.rows, a.rows, followers.cols(), vectors.data(),
                                                followers.data(), T(0)});
  find_lengths(context, a.rows, a.rows, shift, factor, vectors.data(), unordered.data());
}

// vectors[k,:] / lengths[k]², or zeros where the length does not count.
template <class T>
struct Inverted {
  std::int64_t length;
  const T* lengths;
  const T* longest;
  T rounding;
  T* vectors;
  __device__ T* target(std::int64_t k) const { return vectors + k * length; }
  __device__ T value(std::int64_t k, std::int64_t i) const {
    const T of = lengths[k];
    return of > rounding * *longest ? vectors[k * length + i] / of / of : T(0);
  }
};

template <class T>
struct Turned {
  MatrixView<const T> a;
  T factor;
  T* out;
  __device__ T* target(std::int64_t c) const { return out + c * a.rows; }
  __device__ T value(std::int64_t c, std::int64_t r) const {
    return factor * a.data[r * a.cols + c];
  }
};

// The shorter side's vectors of factor · a: its columns, or its rows where those are fewer.
template <class T>
Matrix<T> shorter_side(CudaContext& context, MatrixView<const T> a, T factor) {
  const bool columns = a.cols <= a.rows;
  Matrix<T> vectors(context.pool(), columns ? a.cols : a.rows, columns ? a.rows : a.cols);
  if (columns) {
    write_rows<T>(context, a.cols, a.rows, Accumulate::kOverwrite,
                  Turned<T>{a, factor, vectors.data()});
  } else {
    write_elements(context, a.size(), vectors.data(), Accumulate::kOverwrite,
                   Shifted<T>{a.data, a.size(), factor, T(0)});
  }
  return vectors;
}

}  // namespace

template <class T>
void symmetric_eigen(CudaContext& context, MatrixView<const T> a, Span<T> values,
                     MatrixView<T> vectors) {
  M2ST_CHECK(a.rows == a.cols, "symmetric_eigen: a is not square (got ", a.rows, " x ", a.cols,
             ")");
  M2ST_CHECK(std::ssize(values) == a.rows, "symmetric_eigen: size of values (got ", values.size(),
             ", need ", a.rows, ")");
  M2ST_CHECK(vectors.rows == a.rows && vectors.cols == a.rows,
             "symmetric_eigen: shape of vectors (got ", vectors.rows, " x ", vectors.cols,
             ", need ", a.rows, " x ", a.rows, ")");
  if (a.rows == 0) return;
  Array<T> unordered(context.pool(), a.rows);
  Matrix<T> followers(context.pool(), a.rows, a.rows);
  find_eigen<T>(context, "symmetric_eigen", a, unordered.span(), followers);
  launch(order_eigen_kernel<T>, blocks_for(a.rows, kBlockWarps), dim3(kBlockThreads), 0, context,
         a.rows, unordered.data(), followers.data(), values.data(), vectors.data);
}

template <class T>
T largest_eigenvalue(CudaContext& context, MatrixView<const T> a) {
  M2ST_CHECK(a.rows == a.cols, "largest_eigenvalue: a is not square (got ", a.rows, " x ", a.cols,
             ")");
  if (a.rows == 0) return T(0);
  Array<T> unordered(context.pool(), a.rows);
  Matrix<T> none(context.pool(), a.rows, 0);
  find_eigen<T>(context, "largest_eigenvalue", a, unordered.span(), none);
  std::vector<T> values(static_cast<std::size_t>(a.rows));
  copy_out<T>(context, unordered.span(), values);
  return *std::max_element(values.begin(), values.end());
}

// With a = U Σ Vᵀ the orthogonal vectors are u σ, what followed is v, and the inverse Σ v uᵀ / σ;
// the other way round when the rows of a were the shorter side.
template <class T>
void pseudo_inverse(CudaContext& context, MatrixView<const T> a, MatrixView<T> out) {
  M2ST_CHECK(out.rows == a.cols && out.cols == a.rows, "pseudo_inverse: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", a.cols, " x ", a.rows, ")");
  if (a.size() == 0) return;
  const T largest = static_cast<T>(max_abs<T>(context, a.span()));
  if (!std::isfinite(largest)) {
    write_elements(context, out.size(), out.data, Accumulate::kOverwrite,
                   Filled<T>{std::numeric_limits<T>::quiet_NaN()});
    return;
  }
  const T factor = scaling(largest);
  Matrix<T> vectors = shorter_side(context, a, factor);
  const std::int64_t count = vectors.rows();
  Matrix<T> followers(context.pool(), count, count);
  write_elements(context, followers.size(), followers.data(), Accumulate::kOverwrite,
                 Unit<T>{count});
  make_all_orthogonal(context, JacobiVectors<T>{count, vectors.cols(), count, vectors.data(),
                                                followers.data(), T(0)});
  Array<T> lengths(context.pool(), count + 1);  // and the longest
  find_lengths(context, count, vectors.cols(), T(0), T(1), vectors.data(), lengths.data());
  T* const longest = lengths.data() + count;
  reduce<T>(context, count, ReadPart<T>{lengths.data()}, Larger{}, StorePart<T>{longest});
  const T rounding = static_cast<T>(std::max(a.rows, a.cols)) * std::numeric_limits<T>::epsilon();
  write_rows<T>(context, count, vectors.cols(), Accumulate::kOverwrite,
                Inverted<T>{vectors.cols(), lengths.data(), longest, rounding, vectors.data()});
  const bool columns = a.cols <= a.rows;
  gemm<T>(context, Layout::kTransposed, Layout::kPlain, factor,
          columns ? followers.view() : vectors.view(), columns ? vectors.view() : followers.view(),
          T(0), out);
}

#define INSTANTIATE(T)                                                                         \
  template void pseudo_inverse<T>(CudaContext&, MatrixView<const T>, MatrixView<T>);           \
  template void symmetric_eigen<T>(CudaContext&, MatrixView<const T>, Span<T>, MatrixView<T>); \
  template T largest_eigenvalue<T>(CudaContext&, MatrixView<const T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
