// Matrix products. The order of every sum depends on the shapes and on the context's
// MatmulPrecision, which float32 products follow; never on threads.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/math/bfloat16.h"

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

// gemm of operands that are stored in BF16, with sums in float32: the bytes that kMedium makes of
// float32 operands which round to these. Whatever the context's precision.
// multiplies_bfloat16: whether the context reads them as they lie; else they are widened first.
inline bool multiplies_bfloat16(const CpuContext&) { return true; }
bool multiplies_bfloat16(const CudaContext& context);
void gemm_of_bfloat16(CpuContext& context, Layout layout_a, Layout layout_b, float alpha,
                      MatrixView<const BFloat16> a, MatrixView<const BFloat16> b, float beta,
                      MatrixView<float> out);
void gemm_of_bfloat16(CudaContext& context, Layout layout_a, Layout layout_b, float alpha,
                      MatrixView<const BFloat16> a, MatrixView<const BFloat16> b, float beta,
                      MatrixView<float> out);

// out = a[rows,:]ᵀ b + beta · out, with a (n × m), b (rows × k): the very sums of gemm on the
// gathered rows.
template <class T>
void gemm_of_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out);
template <class T>
void gemm_of_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out);

}  // namespace m2st::kernels
