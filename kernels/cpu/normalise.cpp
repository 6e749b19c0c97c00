// Scaling of rows and columns on the CPU.
#include "kernels/normalise.h"

#include <cmath>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cpu/double_lanes.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

// x[n,c] = value(x[n,c], c).
template <class T, class Value>
void rewrite_rows(CpuContext& context, MatrixView<T> x, const Value& value) {
  parallel_for(context, x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* row = x.data + r * x.cols;
      write_range(0, x.cols, row, Accumulate::kOverwrite,
                  [row, &value](std::int64_t c) { return value(row[c], c); });
    }
  });
}

}  // namespace

template <class T>
void normalise_rows(CpuContext& context, MatrixView<T> x) {
  parallel_for(context, x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* row = x.data + r * x.cols;
      const double norm = std::sqrt(squares_of(x.cols, row));
      if (norm == 0) continue;
      write_range(0, x.cols, row, Accumulate::kOverwrite,
                  [row, norm](std::int64_t c) { return static_cast<T>(row[c] / norm); });
    }
  });
}

template <class T>
void min_max_columns(CpuContext& context, MatrixView<T> x) {
  if (x.size() == 0) return;
  Array<T> minimum(context.pool(), x.cols);
  Array<T> range(context.pool(), x.cols);
  column_min_max<T>(context, x, minimum.span(), range.span());
  // A constant column becomes (x − x) / 1.
  for (std::int64_t c = 0; c < x.cols; ++c) {
    range[c] -= minimum[c];
    if (range[c] == T(0)) range[c] = T(1);
  }
  rewrite_rows(context, x, [low = minimum.data(), width = range.data()](T value, std::int64_t c) {
    return (value - low[c]) / width[c];
  });
}

template <class T>
void affine_columns(CpuContext& context, Span<const T> shift, Span<const T> factor,
                    MatrixView<T> x) {
  M2ST_CHECK(static_cast<std::int64_t>(shift.size()) == x.cols && factor.size() == shift.size(),
             "affine_columns: shift and factor have ", shift.size(), " and ", factor.size(),
             " entries, x has ", x.cols, " columns");
  rewrite_rows(context, x, [s = shift.data(), f = factor.data()](T value, std::int64_t c) {
    return (value - s[c]) * f[c];
  });
}

#define INSTANTIATE(T)                                          \
  template void normalise_rows<T>(CpuContext&, MatrixView<T>);  \
  template void min_max_columns<T>(CpuContext&, MatrixView<T>); \
  template void affine_columns<T>(CpuContext&, Span<const T>, Span<const T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
