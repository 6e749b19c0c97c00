// Moving, masking and shifting rows.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// out[r,:] = x[rows[r],:].
template <class T>
void gather_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                 MatrixView<T> out);
template <class T>
void gather_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                 MatrixView<T> out);

// out[rows[r],:] = x[r,:] or += with kAdd; `rows` are distinct; other rows stay as they are.
template <class T>
void scatter_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                  MatrixView<T> out, Accumulate accumulate);
template <class T>
void scatter_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                  MatrixView<T> out, Accumulate accumulate);

// x[rows[r],:] = row (cols), in place; an empty `row` stands for zeros.
template <class T>
void fill_rows(CpuContext& context, Span<const std::int32_t> rows, Span<const T> row,
               MatrixView<T> x);
template <class T>
void fill_rows(CudaContext& context, Span<const std::int32_t> rows, Span<const T> row,
               MatrixView<T> x);

// grad_row[c] = Σ_r grad_x[rows[r],c], in fixed order.
template <class T>
void fill_rows_backward(CpuContext& context, Span<const std::int32_t> rows,
                        MatrixView<const T> grad_x, Span<T> grad_row, Accumulate accumulate);
template <class T>
void fill_rows_backward(CudaContext& context, Span<const std::int32_t> rows,
                        MatrixView<const T> grad_x, Span<T> grad_row, Accumulate accumulate);

// x[n,:] += row, in place (bias). Its backward is column_sums (reduce.h).
template <class T>
void add_row(CpuContext& context, Span<const T> row, MatrixView<T> x);
template <class T>
void add_row(CudaContext& context, Span<const T> row, MatrixView<T> x);

// x[n,:] *= factors[n], in place.
template <class T>
void scale_rows(CpuContext& context, Span<const T> factors, MatrixView<T> x);
template <class T>
void scale_rows(CudaContext& context, Span<const T> factors, MatrixView<T> x);

// The backward of x · diag(factors), x: (rows, cols), factors: (cols): grad_x = grad_out ·
// diag(factors) and grad_factors[c] = Σ_n x[n,c] · grad_out[n,c], summed in double in fixed order.
template <class T>
void scale_columns_backward(CpuContext& context, MatrixView<const T> x, Span<const T> factors,
                            MatrixView<const T> grad_out, MatrixView<T> grad_x,
                            Accumulate accumulate_x, Span<T> grad_factors,
                            Accumulate accumulate_factors);
template <class T>
void scale_columns_backward(CudaContext& context, MatrixView<const T> x, Span<const T> factors,
                            MatrixView<const T> grad_out, MatrixView<T> grad_x,
                            Accumulate accumulate_x, Span<T> grad_factors,
                            Accumulate accumulate_factors);

// out = alpha · x + beta · out.
template <class T>
void axpby(CpuContext& context, T alpha, Span<const T> x, T beta, Span<T> out);
template <class T>
void axpby(CudaContext& context, T alpha, Span<const T> x, T beta, Span<T> out);

}  // namespace m2st::kernels
