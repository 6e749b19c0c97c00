// Small steps on batches of matrices: blocks copied, diagonals, rows made unit vectors. What a
// member gets depends on that member alone. Blocks written to do not overlap what is read.
#pragma once

#include "engine/batch.h"
#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"
#include "kernels/gemm.h"

namespace m2st::kernels {

// to = factor · factors[member] · op(from), or += it; empty factors stand for ones.
template <class T>
void copy_block(CpuContext& context, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate);
template <class T>
void copy_block(CudaContext& context, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate);

// x[i,i] += amounts[member].
template <class T>
void add_to_diagonals(CpuContext& context, Span<const T> amounts, BatchView<T> x);
template <class T>
void add_to_diagonals(CudaContext& context, Span<const T> amounts, BatchView<T> x);

// traces[member] = Σ x[i,i].
template <class T>
void traces(CpuContext& context, BatchView<const T> x, Span<T> traces);
template <class T>
void traces(CudaContext& context, BatchView<const T> x, Span<T> traces);

// NaN becomes 0, ±Inf ±infinity.
template <class T>
void make_finite(CpuContext& context, T infinity, Span<T> x);
template <class T>
void make_finite(CudaContext& context, T infinity, Span<T> x);

// With X = map · Z and seen = X Zᵀ (map's shape) the rows of X have the squared lengths
// Σ map · seen: both are divided so that they become unit vectors. A row whose square is all
// rounding becomes zero. Contiguous batches.
template <class T>
void unit_rows(CpuContext& context, BatchView<T> map, BatchView<T> seen);
template <class T>
void unit_rows(CudaContext& context, BatchView<T> map, BatchView<T> seen);

}  // namespace m2st::kernels
