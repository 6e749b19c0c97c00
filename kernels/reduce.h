// Reductions with a shape fixed by the size: chunks of constant length, combined in order; inside a
// chunk sums are kept in double.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

template <class T>
double sum(CpuContext& context, Span<const T> x);
template <class T>
double sum(CudaContext& context, Span<const T> x);
template <class T>
double dot(CpuContext& context, Span<const T> x, Span<const T> y);
template <class T>
double dot(CudaContext& context, Span<const T> x, Span<const T> y);
// max |x|; 0 for empty x. NaN propagates.
template <class T>
double max_abs(CpuContext& context, Span<const T> x);
template <class T>
double max_abs(CudaContext& context, Span<const T> x);
template <class T>
bool all_finite(CpuContext& context, Span<const T> x);
template <class T>
bool all_finite(CudaContext& context, Span<const T> x);
// sums[c] = Σ_n x[n,c].
template <class T>
void column_sums(CpuContext& context, MatrixView<const T> x, Span<T> sums, Accumulate accumulate);
template <class T>
void column_sums(CudaContext& context, MatrixView<const T> x, Span<T> sums, Accumulate accumulate);
// squares[n] = Σ_c x[n,c]².
template <class T>
void row_squared_norms(CpuContext& context, MatrixView<const T> x, Span<T> squares);
template <class T>
void row_squared_norms(CudaContext& context, MatrixView<const T> x, Span<T> squares);
// minimum[c], maximum[c] over rows; needs at least one row.
template <class T>
void column_min_max(CpuContext& context, MatrixView<const T> x, Span<T> minimum, Span<T> maximum);
template <class T>
void column_min_max(CudaContext& context, MatrixView<const T> x, Span<T> minimum, Span<T> maximum);
// mean[c] and variance[c] (divided by N − ddof), two passes in double.
template <class T>
void column_moments(CpuContext& context, MatrixView<const T> x, int ddof, Span<double> mean,
                    Span<double> variance);
template <class T>
void column_moments(CudaContext& context, MatrixView<const T> x, int ddof, Span<double> mean,
                    Span<double> variance);

}  // namespace m2st::kernels
