// Products in float32 by cuBLASLt: their operands as the library wants them, copied to BF16 or
// gathered where it needs that.
#pragma once

#include <cstdint>

#include "engine/array.h"
#include "engine/cublas_lt.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/tile.cuh"
#include "kernels/gemm.h"
#include "kernels/math/rounding.h"

namespace m2st::kernels {

// out = alpha · a · b + beta · out, or `count` of them, whose matrices lie so many elements apart
// as the steps say: whole lines, or parts of one line.
struct LibraryJob {
  TileOperand<float> a, b;
  std::int64_t step_a = 0, step_b = 0, out_step = 0, count = 1;
  std::int64_t rows, cols, depth;
  float alpha, beta;
  float* out;
  std::int64_t out_stride;
};

// The memory of an operand: lines of `cols` values.
struct LinesOfMemory {
  std::int64_t lines;
  std::int64_t cols;
};

// From float32 to BF16 (two bytes of an element) or as they are; lines by their list, if any.
template <class To>
struct CopyOfLines {
  TileOperand<float> from;
  std::int64_t stride;
  To* to;

  __device__ To* target(std::int64_t line) const { return to + line * stride; }
  __device__ To value(std::int64_t line, std::int64_t c) const {
    const std::int64_t source = from.rows == nullptr ? line : from.rows[line];
    const float value = from.data[source * from.stride + c];
    if constexpr (sizeof(To) == sizeof(float)) return value;
    return static_cast<To>(rounded_bits<kBitsBelowBf16>(__float_as_uint(value)) >> 16);
  }
};

// An operand as the library reads it, with the memory of its copy.
struct LibraryOperand {
  LibraryProduct::Operand view;
  Array<std::byte> memory;
};

template <class To>
LibraryOperand copied_operand(CudaContext& context, const TileOperand<float>& from,
                              LinesOfMemory size, LibraryProduct::Operand view) {
  constexpr std::int64_t kPad = 16 / static_cast<std::int64_t>(sizeof(To));  // lines of 16 bytes
  const std::int64_t stride = (size.cols + kPad - 1) / kPad * kPad;
  Array<std::byte> memory(context.pool(),
                          size.lines * stride * static_cast<std::int64_t>(sizeof(To)));
  To* const to = reinterpret_cast<To*>(memory.data());
  write_rows<To>(context, size.lines, size.cols, Accumulate::kOverwrite,
                 CopyOfLines<To>{from, stride, to});
  if (view.step % view.stride == 0) view.step = view.step / view.stride * stride;
  view.stride = stride;
  view.data = to;
  return {view, std::move(memory)};
}

// `size` is that of one product's matrix.
inline LibraryOperand library_operand(CudaContext& context, const TileOperand<float>& from,
                                      LinesOfMemory size, bool transposed, std::int64_t step,
                                      std::int64_t count) {
  const LibraryProduct::Operand view{from.data, from.stride, transposed, step};
  if (step % from.stride == 0) {
    size.lines += (count - 1) * (step / from.stride);
  } else {
    size.cols += (count - 1) * step;
  }
  if (context.matmul_precision() == MatmulPrecision::kMedium) {
    return copied_operand<std::uint16_t>(context, from, size, view);
  }
  if (from.rows != nullptr) return copied_operand<float>(context, from, size, view);
  return {view, {}};
}

// False, with nothing done, where the context has no library, the product is too small for it or it
// knows no algorithm.
inline bool multiply_by_library(CudaContext& context, const LibraryJob& job) {
  if (context.cublas_lt() == nullptr || !fill_library_tiles(job.rows, job.cols, job.depth)) {
    return false;
  }
  const LinesOfMemory size_a =
      job.a.along_depth ? LinesOfMemory{job.rows, job.depth} : LinesOfMemory{job.depth, job.rows};
  const LinesOfMemory size_b =
      job.b.along_depth ? LinesOfMemory{job.cols, job.depth} : LinesOfMemory{job.depth, job.cols};
  const LibraryOperand a =
      library_operand(context, job.a, size_a, !job.a.along_depth, job.step_a, job.count);
  const LibraryOperand b =
      library_operand(context, job.b, size_b, job.b.along_depth, job.step_b, job.count);
  return context.cublas_lt()->multiply(
      context, {context.matmul_precision(), a.view, b.view, job.rows, job.cols, job.depth,
                job.alpha, job.beta, job.out, job.out_stride, job.out_step, job.count});
}

// The same for operands that are stored in BF16, whose lines lie one behind the other. The library
// wants lines of 16 bytes.
inline bool multiply_by_library(CudaContext& context, Layout layout_a, Layout layout_b, float alpha,
                                MatrixView<const BFloat16> a, MatrixView<const BFloat16> b,
                                float beta, MatrixView<float> out) {
  constexpr std::int64_t kLine = 16 / sizeof(BFloat16);
  const std::int64_t depth = layout_a == Layout::kTransposed ? a.rows : a.cols;
  if (context.cublas_lt() == nullptr || a.cols % kLine != 0 || b.cols % kLine != 0 ||
      !fill_library_tiles(out.rows, out.cols, depth)) {
    return false;
  }
  return context.cublas_lt()->multiply(context, {MatmulPrecision::kMedium,
                                                 {a.data, a.cols, layout_a == Layout::kTransposed},
                                                 {b.data, b.cols, layout_b == Layout::kTransposed},
                                                 out.rows,
                                                 out.cols,
                                                 depth,
                                                 alpha,
                                                 beta,
                                                 out.data,
                                                 out.cols});
}

}  // namespace m2st::kernels
