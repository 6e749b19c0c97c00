// Row movements on CUDA: a few lanes or a warp to a row, one owner an element.
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/rows.h"

namespace m2st::kernels {

namespace {

template <class T>
struct Gather {
  const std::int32_t* rows;
  MatrixView<const T> x;
  T* out;
  __device__ T* target(std::int64_t r) const { return out + r * x.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const { return x.data[rows[r] * x.cols + c]; }
};

template <class T>
struct Scatter {
  const std::int32_t* rows;
  const T* x;
  MatrixView<T> out;
  __device__ T* target(std::int64_t r) const { return out.data + rows[r] * out.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const { return x[r * out.cols + c]; }
};

template <class T>
struct FillListed {
  const std::int32_t* rows;
  const T* row;  // null: zeros
  MatrixView<T> x;
  __device__ T* target(std::int64_t r) const { return x.data + rows[r] * x.cols; }
  __device__ T value(std::int64_t, std::int64_t c) const { return row == nullptr ? T(0) : row[c]; }
};

template <class T>
struct ListedTerm {
  const std::int32_t* rows;
  MatrixView<const T> x;
  __device__ double operator()(std::int64_t r, std::int64_t c) const {
    return x.data[rows[r] * x.cols + c];
  }
};

template <class T>
struct RowOf {
  const T* row;
  MatrixView<T> x;
  __device__ T* target(std::int64_t r) const { return x.data + r * x.cols; }
  __device__ T value(std::int64_t, std::int64_t c) const { return row[c]; }
};

template <class T>
struct ScaledRow {
  const T* factors;
  MatrixView<T> x;
  __device__ T* target(std::int64_t r) const { return x.data + r * x.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    return x.data[r * x.cols + c] * factors[r];
  }
};

template <class T>
struct ScaledColumns {
  const T* factors;
  MatrixView<const T> grad_out;
  T* grad_x;
  __device__ T* target(std::int64_t r) const { return grad_x + r * grad_out.cols; }
  __device__ T value(std::int64_t r, std::int64_t c) const {
    return grad_out.data[r * grad_out.cols + c] * factors[c];
  }
};

template <class T>
struct ProductTerm {
  const T* x;
  const T* y;
  std::int64_t cols;
  __device__ double operator()(std::int64_t r, std::int64_t c) const {
    return static_cast<double>(x[r * cols + c]) * static_cast<double>(y[r * cols + c]);
  }
};

template <class T>
struct Combination {
  T alpha;
  const T* x;
  T beta;
  const T* out;
  // beta 0: whatever out held, NaN included, is gone.
  __device__ T operator()(std::int64_t i) const {
    return beta == T(0) ? alpha * x[i] : alpha * x[i] + beta * out[i];
  }
};

}  // namespace

template <class T>
void gather_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                 MatrixView<T> out) {
  M2ST_CHECK(out.rows == std::ssize(rows) && out.cols == x.cols, "gather_rows: out is ", out.rows,
             " x ", out.cols, ", needs ", rows.size(), " x ", x.cols);
  write_rows<T>(context, out.rows, out.cols, Accumulate::kOverwrite,
                Gather<T>{rows.data(), x, out.data});
}

template <class T>
void scatter_rows(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                  MatrixView<T> out, Accumulate accumulate) {
  M2ST_CHECK(x.rows == std::ssize(rows) && out.cols == x.cols, "scatter_rows: x is ", x.rows, " x ",
             x.cols, ", needs ", rows.size(), " x ", out.cols);
  write_rows<T>(context, x.rows, x.cols, accumulate, Scatter<T>{rows.data(), x.data, out});
}

template <class T>
void fill_rows(CudaContext& context, Span<const std::int32_t> rows, Span<const T> row,
               MatrixView<T> x) {
  M2ST_CHECK(row.empty() || std::ssize(row) == x.cols, "fill_rows: row has ", row.size(),
             " entries, x has ", x.cols, " columns");
  const T* values = row.empty() ? nullptr : row.data();
  write_rows<T>(context, std::ssize(rows), x.cols, Accumulate::kOverwrite,
                FillListed<T>{rows.data(), values, x});
}

template <class T>
void fill_rows_backward(CudaContext& context, Span<const std::int32_t> rows,
                        MatrixView<const T> grad_x, Span<T> grad_row, Accumulate accumulate) {
  M2ST_CHECK(std::ssize(grad_row) == grad_x.cols, "fill_rows_backward: grad_row has ",
             grad_row.size(), " entries, grad_x has ", grad_x.cols, " columns");
  combine_columns<double>(context, std::ssize(rows), grad_x.cols,
                          ListedTerm<T>{rows.data(), grad_x}, PlusDoubles{},
                          StoreSum<T>{grad_row.data(), accumulate == Accumulate::kAdd});
}

template <class T>
void add_row(CudaContext& context, Span<const T> row, MatrixView<T> x) {
  M2ST_CHECK(std::ssize(row) == x.cols, "add_row: row has ", row.size(), " entries, x has ", x.cols,
             " columns");
  write_rows<T>(context, x.rows, x.cols, Accumulate::kAdd, RowOf<T>{row.data(), x});
}

template <class T>
void scale_rows(CudaContext& context, Span<const T> factors, MatrixView<T> x) {
  M2ST_CHECK(std::ssize(factors) == x.rows, "scale_rows: factors has ", factors.size(),
             " entries, x has ", x.rows, " rows");
  write_rows<T>(context, x.rows, x.cols, Accumulate::kOverwrite, ScaledRow<T>{factors.data(), x});
}

template <class T>
void scale_columns_backward(CudaContext& context, MatrixView<const T> x, Span<const T> factors,
                            MatrixView<const T> grad_out, MatrixView<T> grad_x,
                            Accumulate accumulate_x, Span<T> grad_factors,
                            Accumulate accumulate_factors) {
  const std::int64_t cols = std::ssize(factors);
  M2ST_CHECK(x.cols == cols && grad_out.rows == x.rows && grad_out.cols == cols &&
                 grad_x.rows == x.rows && grad_x.cols == cols &&
                 grad_factors.size() == factors.size(),
             "scale_columns_backward: x is ", x.rows, " x ", x.cols, ", the gradients ",
             grad_out.rows, " x ", grad_out.cols, " and ", grad_x.rows, " x ", grad_x.cols,
             ", for ", cols, " factors and ", grad_factors.size(), " gradients of theirs");
  // First the sums: grad_x may be grad_out.
  combine_columns<double>(context, x.rows, cols, ProductTerm<T>{x.data, grad_out.data, cols},
                          PlusDoubles{},
                          StoreSum<T>{grad_factors.data(), accumulate_factors == Accumulate::kAdd});
  write_rows<T>(context, x.rows, cols, accumulate_x,
                ScaledColumns<T>{factors.data(), grad_out, grad_x.data});
}

template <class T>
void axpby(CudaContext& context, T alpha, Span<const T> x, T beta, Span<T> out) {
  M2ST_CHECK(x.size() == out.size(), "axpby: x has ", x.size(), " entries, out has ", out.size());
  write_elements(context, std::ssize(x), out.data(), Accumulate::kOverwrite,
                 Combination<T>{alpha, x.data(), beta, out.data()});
}

#define INSTANTIATE(T)                                                                             \
  template void gather_rows<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>,        \
                               MatrixView<T>);                                                     \
  template void scatter_rows<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>,       \
                                MatrixView<T>, Accumulate);                                        \
  template void fill_rows<T>(CudaContext&, Span<const std::int32_t>, Span<const T>,                \
                             MatrixView<T>);                                                       \
  template void fill_rows_backward<T>(CudaContext&, Span<const std::int32_t>, MatrixView<const T>, \
                                      Span<T>, Accumulate);                                        \
  template void add_row<T>(CudaContext&, Span<const T>, MatrixView<T>);                            \
  template void scale_rows<T>(CudaContext&, Span<const T>, MatrixView<T>);                         \
  template void scale_columns_backward<T>(CudaContext&, MatrixView<const T>, Span<const T>,        \
                                          MatrixView<const T>, MatrixView<T>, Accumulate, Span<T>, \
                                          Accumulate);                                             \
  template void axpby<T>(CudaContext&, T, Span<const T>, T, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
