// Shapes that callers of the kernels on batches must keep, on every backend.
#pragma once

#include "engine/batch.h"
#include "engine/check.h"
#include "kernels/gemm.h"

namespace m2st::kernels {

template <class T>
std::int64_t rows_of(Layout layout, BatchView<const T> x) {
  return layout == Layout::kPlain ? x.rows : x.cols;
}
template <class T>
std::int64_t cols_of(Layout layout, BatchView<const T> x) {
  return layout == Layout::kPlain ? x.cols : x.rows;
}

template <class T>
void check_batch_product(Layout layout_a, Layout layout_b, BatchView<const T> a,
                         BatchView<const T> b, BatchView<const T> out) {
  M2ST_CHECK(a.count == out.count && b.count == out.count, "multiply: batches of ", a.count, ", ",
             b.count, " and ", out.count);
  M2ST_CHECK(cols_of(layout_a, a) == rows_of(layout_b, b),
             "multiply: inner dimensions differ (got ", cols_of(layout_a, a), " and ",
             rows_of(layout_b, b), ")");
  M2ST_CHECK(out.rows == rows_of(layout_a, a) && out.cols == cols_of(layout_b, b),
             "multiply: out is ", out.rows, " x ", out.cols, ", needs ", rows_of(layout_a, a),
             " x ", cols_of(layout_b, b));
}

template <class T>
void check_copy_block(Layout layout, Span<const T> factors, BatchView<const T> from,
                      BatchView<const T> to) {
  M2ST_CHECK(from.count == to.count &&
                 (factors.empty() || static_cast<std::int64_t>(factors.size()) == to.count),
             "copy_block: batches of ", from.count, " and ", to.count, ", ", factors.size(),
             " factors");
  M2ST_CHECK(to.rows == rows_of(layout, from) && to.cols == cols_of(layout, from),
             "copy_block: ", rows_of(layout, from), " x ", cols_of(layout, from), " into ", to.rows,
             " x ", to.cols);
}

template <class T>
void check_square_batch(const char* op, BatchView<const T> x, std::size_t values) {
  M2ST_CHECK(x.rows == x.cols, op, ": matrices are ", x.rows, " x ", x.cols, ", need to be square");
  M2ST_CHECK(static_cast<std::int64_t>(values) == x.count, op, ": ", values, " values for ",
             x.count, " matrices");
}

template <class T>
void check_unit_rows(BatchView<const T> map, BatchView<const T> seen) {
  M2ST_CHECK(map.contiguous() && seen.contiguous() && map.count == seen.count &&
                 map.rows == seen.rows && map.cols == seen.cols,
             "unit_rows: map and seen are ", map.count, " x ", map.rows, " x ", map.cols, " and ",
             seen.count, " x ", seen.rows, " x ", seen.cols, ", need to be contiguous and alike");
}

template <class T>
void check_batch_systems(BatchView<const T> a, BatchView<const T> right_side,
                         BatchView<const T> solution) {
  M2ST_CHECK(a.count == solution.count && right_side.count == solution.count,
             "solve_symmetric: batches of ", a.count, ", ", right_side.count, " and ",
             solution.count);
  M2ST_CHECK(a.rows == a.cols && right_side.rows == a.rows, "solve_symmetric: ", a.rows, " x ",
             a.cols, " with right sides of ", right_side.rows, " rows");
  M2ST_CHECK(
      solution.contiguous() && solution.rows == right_side.rows && solution.cols == right_side.cols,
      "solve_symmetric: solution is ", solution.rows, " x ", solution.cols, ", needs ",
      right_side.rows, " x ", right_side.cols, ", contiguous");
}

template <class T>
void check_pseudo_inverses(BatchView<const T> a, BatchView<const T> out) {
  M2ST_CHECK(a.rows == a.cols && out.rows == a.rows && out.cols == a.cols && out.count == a.count &&
                 a.contiguous() && out.contiguous(),
             "pseudo_inverses: ", a.count, " of ", a.rows, " x ", a.cols, " into ", out.count,
             " of ", out.rows, " x ", out.cols, ", need to be square, contiguous and alike");
}

}  // namespace m2st::kernels
