// Small dense problems (n up to some hundreds; a covariance of a few thousand is fine).
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// solution (n × m) with a · solution = right_side for symmetric positive definite a (n × n).
// false when a is not positive definite to working precision; solution is then undefined.
template <class T>
bool solve_spd(CpuContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
               MatrixView<T> solution);
template <class T>
bool solve_spd(CudaContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
               MatrixView<T> solution);

// General square a by LU with partial pivoting; returns the reciprocal condition estimate (0 when
// exactly singular: the solution then holds what the elimination gave, possibly not finite).
template <class T>
T solve_general(CpuContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
                MatrixView<T> solution);
template <class T>
T solve_general(CudaContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
                MatrixView<T> solution);

// Moore–Penrose inverse of a (m × n) into out (n × m); singular values at or below
// max(m, n) · eps · largest count as zero (MATLAB's rule, which the reference clustering relies
// on).
template <class T>
void pseudo_inverse(CpuContext& context, MatrixView<const T> a, MatrixView<T> out);
template <class T>
void pseudo_inverse(CudaContext& context, MatrixView<const T> a, MatrixView<T> out);

// Eigenvalues ascending, eigenvectors in the columns of `vectors` (n × n), each with its
// largest-magnitude entry positive.
template <class T>
void symmetric_eigen(CpuContext& context, MatrixView<const T> a, Span<T> values,
                     MatrixView<T> vectors);
template <class T>
void symmetric_eigen(CudaContext& context, MatrixView<const T> a, Span<T> values,
                     MatrixView<T> vectors);

// Turns a vector so that its entry of largest magnitude, the first of equals, is positive.
template <class T>
void make_largest_positive(Span<T> vector) {
  const auto largest = std::max_element(vector.begin(), vector.end(),
                                        [](T a, T b) { return std::abs(a) < std::abs(b); });
  if (largest == vector.end() || !(*largest < T(0))) return;
  for (T& value : vector) value = -value;
}

// The largest eigenvalue of a (n × n) alone, at a fraction of the cost; 0 for n = 0.
template <class T>
T largest_eigenvalue(CpuContext& context, MatrixView<const T> a);
template <class T>
T largest_eigenvalue(CudaContext& context, MatrixView<const T> a);

// Orthonormal basis of the columns of a (m × n, m >= n) by Householder QR with R's diagonal
// positive: out (m × n).
template <class T>
void orthonormalise(CpuContext& context, MatrixView<const T> a, MatrixView<T> out);
template <class T>
void orthonormalise(CudaContext& context, MatrixView<const T> a, MatrixView<T> out);

}  // namespace m2st::kernels
