// What the products of gemm.h check, on every backend.
#pragma once

#include <cstdint>

#include "engine/check.h"
#include "kernels/gemm.h"

namespace m2st::kernels {

struct GemmSizes {
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t depth;
};

template <class In, class T>
GemmSizes checked_gemm_sizes(Layout layout_a, Layout layout_b, MatrixView<const In> a,
                             MatrixView<const In> b, MatrixView<T> out) {
  const bool transposed_a = layout_a == Layout::kTransposed;
  const bool transposed_b = layout_b == Layout::kTransposed;
  const GemmSizes size{transposed_a ? a.cols : a.rows, transposed_b ? b.rows : b.cols,
                       transposed_a ? a.rows : a.cols};
  const std::int64_t depth_b = transposed_b ? b.cols : b.rows;
  M2ST_CHECK(size.depth == depth_b, "gemm: inner dimensions differ (got ", size.depth, " and ",
             depth_b, ")");
  M2ST_CHECK(out.rows == size.rows && out.cols == size.cols, "gemm: out is ", out.rows, " x ",
             out.cols, ", needs ", size.rows, " x ", size.cols);
  return size;
}

}  // namespace m2st::kernels
