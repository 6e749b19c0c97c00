// Matrix products. The order of every sum depends on the shapes and on the context's
// MatmulPrecision, which float32 products follow; never on threads.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

enum class Layout { kPlain, kTransposed };

// out (m × n) = alpha · op(a) op(b) + beta · out, with op(a) (m × k) and op(b) (k × n).
// beta 0 overwrites whatever `out` held, NaN included. `out` must not overlap a or b.
template <class T>
void gemm(CpuContext& context, Layout layout_a, Layout layout_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out);
template <class T>
void gemm(CudaContext& context, Layout layout_a, Layout layout_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out);

// out = a[rows,:]ᵀ b + beta · out, with a (n × m), b (rows × k): the very sums of gemm on the
// gathered rows.
template <class T>
void gemm_of_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out);
template <class T>
void gemm_of_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out);

}  // namespace m2st::kernels
