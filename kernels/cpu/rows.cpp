// Row movements on the CPU: fixed chunks of rows, each row one contiguous copy or loop.
#include "kernels/rows.h"

#include <algorithm>

#include "engine/check.h"
#include "kernels/cpu/column_sums.h"
#include "kernels/cpu/elementwise.h"

namespace m2st::kernels {

namespace {

template <class T, class Body>
void for_listed_rows(CpuContext& context, Span<const std::int32_t> rows, std::int64_t cols,
                     const Body& body) {
  parallel_for(context, static_cast<std::int64_t>(rows.size()), row_grain(cols),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t r = begin; r < end; ++r) body(r, rows[r]);
               });
}

}  // namespace

template <class T>
void gather_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                 MatrixView<T> out) {
  M2ST_CHECK(out.rows == static_cast<std::int64_t>(rows.size()) && out.cols == x.cols,
             "gather_rows: out is ", out.rows, " x ", out.cols, ", needs ", rows.size(), " x ",
             x.cols);
  for_listed_rows<T>(context, rows, x.cols, [&](std::int64_t r, std::int64_t from) {
    std::copy_n(x.data + from * x.cols, x.cols, out.data + r * x.cols);
  });
}

template <class T>
void scatter_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> x,
                  MatrixView<T> out, Accumulate accumulate) {
  M2ST_CHECK(x.rows == static_cast<std::int64_t>(rows.size()) && out.cols == x.cols,
             "scatter_rows: x is ", x.rows, " x ", x.cols, ", needs ", rows.size(), " x ",
             out.cols);
  for_listed_rows<T>(context, rows, x.cols, [&](std::int64_t r, std::int64_t to) {
    const T* source = x.data + r * x.cols;
    write_range(0, x.cols, out.data + to * x.cols, accumulate,
                [source](std::int64_t c) { return source[c]; });
  });
}

template <class T>
void fill_rows(CpuContext& context, Span<const std::int32_t> rows, Span<const T> row,
               MatrixView<T> x) {
  M2ST_CHECK(row.empty() || static_cast<std::int64_t>(row.size()) == x.cols, "fill_rows: row has ",
             row.size(), " entries, x has ", x.cols, " columns");
  for_listed_rows<T>(context, rows, x.cols, [&](std::int64_t, std::int64_t to) {
    T* target = x.data + to * x.cols;
    if (row.empty()) {
      std::fill_n(target, x.cols, T(0));
    } else {
      std::copy_n(row.data(), x.cols, target);
    }
  });
}

template <class T>
void fill_rows_backward(CpuContext& context, Span<const std::int32_t> rows,
                        MatrixView<const T> grad_x, Span<T> grad_row, Accumulate accumulate) {
  M2ST_CHECK(static_cast<std::int64_t>(grad_row.size()) == grad_x.cols,
             "fill_rows_backward: grad_row has ", grad_row.size(), " entries, grad_x has ",
             grad_x.cols, " columns");
  Array<double> sums(context.pool(), grad_x.cols);
  sum_columns(
      context, static_cast<std::int64_t>(rows.size()), grad_x.cols,
      [&](std::int64_t r) { return grad_x.data + rows[r] * grad_x.cols; },
      [](T value, std::int64_t) { return static_cast<double>(value); }, sums.data());
  write_range(0, grad_x.cols, grad_row.data(), accumulate,
              [total = sums.data()](std::int64_t c) { return static_cast<T>(total[c]); });
}

template <class T>
void add_row(CpuContext& context, Span<const T> row, MatrixView<T> x) {
  M2ST_CHECK(static_cast<std::int64_t>(row.size()) == x.cols, "add_row: row has ", row.size(),
             " entries, x has ", x.cols, " columns");
  parallel_for(context, x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      write_range(0, x.cols, x.data + r * x.cols, Accumulate::kAdd,
                  [shift = row.data()](std::int64_t c) { return shift[c]; });
    }
  });
}

template <class T>
void scale_rows(CpuContext& context, Span<const T> factors, MatrixView<T> x) {
  M2ST_CHECK(static_cast<std::int64_t>(factors.size()) == x.rows, "scale_rows: factors has ",
             factors.size(), " entries, x has ", x.rows, " rows");
  parallel_for(context, x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* values = x.data + r * x.cols;
      write_range(0, x.cols, values, Accumulate::kOverwrite,
                  [values, factor = factors[r]](std::int64_t c) { return values[c] * factor; });
    }
  });
}

template <class T>
void scale_columns_backward(CpuContext& context, MatrixView<const T> x, Span<const T> factors,
                            MatrixView<const T> grad_out, MatrixView<T> grad_x,
                            Accumulate accumulate_x, Span<T> grad_factors,
                            Accumulate accumulate_factors) {
  const auto cols = static_cast<std::int64_t>(factors.size());
  M2ST_CHECK(x.cols == cols && grad_out.rows == x.rows && grad_out.cols == cols &&
                 grad_x.rows == x.rows && grad_x.cols == cols &&
                 grad_factors.size() == factors.size(),
             "scale_columns_backward: x is ", x.rows, " x ", x.cols, ", the gradients ",
             grad_out.rows, " x ", grad_out.cols, " and ", grad_x.rows, " x ", grad_x.cols,
             ", for ", cols, " factors and ", grad_factors.size(), " gradients of theirs");
  const std::int64_t grain = block_rows(x.rows);
  Matrix<double> parts(context.pool(), chunk_count(x.rows, grain), cols);
  parallel_for(context, x.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    double* __restrict__ sums = parts.data() + begin / grain * cols;
    std::fill_n(sums, cols, 0.0);
    for (std::int64_t n = begin; n < end; ++n) {
      const T* value = x.data + n * cols;
      const T* gradient = grad_out.data + n * cols;
      for (std::int64_t c = 0; c < cols; ++c) {
        sums[c] += static_cast<double>(value[c]) * static_cast<double>(gradient[c]);
      }
      write_range(0, cols, grad_x.data + n * cols, accumulate_x,
                  [=](std::int64_t c) { return gradient[c] * factors[c]; });
    }
  });
  write_range(0, cols, grad_factors.data(), accumulate_factors, [&](std::int64_t c) {
    double total = 0;
    for (std::int64_t part = 0; part < parts.rows(); ++part) total += parts(part, c);
    return static_cast<T>(total);
  });
}

template <class T>
void axpby(CpuContext& context, T alpha, Span<const T> x, T beta, Span<T> out) {
  M2ST_CHECK(x.size() == out.size(), "axpby: x has ", x.size(), " entries, out has ", out.size());
  const auto n = static_cast<std::int64_t>(x.size());
  const T* source = x.data();
  if (beta == T(0)) {  // whatever out held, NaN included, is gone
    write_elements(context, n, out.data(), Accumulate::kOverwrite,
                   [=](std::int64_t i) { return alpha * source[i]; });
  } else {
    write_elements(
        context, n, out.data(), Accumulate::kOverwrite,
        [=, target = out.data()](std::int64_t i) { return alpha * source[i] + beta * target[i]; });
  }
}

#define INSTANTIATE(T)                                                                             \
  template void gather_rows<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,         \
                               MatrixView<T>);                                                     \
  template void scatter_rows<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,        \
                                MatrixView<T>, Accumulate);                                        \
  template void fill_rows<T>(CpuContext&, Span<const std::int32_t>, Span<const T>, MatrixView<T>); \
  template void fill_rows_backward<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,  \
                                      Span<T>, Accumulate);                                        \
  template void add_row<T>(CpuContext&, Span<const T>, MatrixView<T>);                             \
  template void scale_rows<T>(CpuContext&, Span<const T>, MatrixView<T>);                          \
  template void scale_columns_backward<T>(CpuContext&, MatrixView<const T>, Span<const T>,         \
                                          MatrixView<const T>, MatrixView<T>, Accumulate, Span<T>, \
                                          Accumulate);                                             \
  template void axpby<T>(CpuContext&, T, Span<const T>, T, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
