// Matrix products whose rows lie apart, like one head's columns of a matrix with all heads side by
// side: what gemm.cpp computes every product with, for the CPU's kernels that need more than
// gemm.h.
#pragma once

#include <cstdint>

#include "engine/cpu_context.h"

namespace m2st::kernels {

template <class T>
struct GemmOperand {
  const T* data;
  std::int64_t stride;
  bool transposed;
  // Of a transposed operand: the rows of its memory that take part; null: all of them.
  const std::int32_t* rows = nullptr;

  // Element (row, col) of the operand as it enters the product.
  const T* at(std::int64_t row, std::int64_t col) const {
    return transposed ? data + col * stride + row : data + row * stride + col;
  }
};

template <class T>
struct GemmOutput {
  T* data;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t stride;
  const T* bias = nullptr;  // (cols), added to every row; only with beta 0

  std::int64_t size() const { return rows * cols; }
};

// out = alpha · left · right + beta · out over an inner dimension of `depth`. How the work is cut,
// and with it the order of every sum, depends on rows, cols and depth alone.
template <class T>
void strided_gemm(CpuContext& context, const GemmOperand<T>& left, const GemmOperand<T>& right,
                  std::int64_t depth, T alpha, T beta, const GemmOutput<T>& out);

}  // namespace m2st::kernels
