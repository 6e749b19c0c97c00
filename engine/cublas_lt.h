// Matrix products by NVIDIA's library cuBLASLt, on its tensor cores. The library is opened when it
// is asked for, so that a program built with CUDA starts without it. A plain C++ header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/cuda_context.h"
#include "engine/matmul_precision.h"

namespace m2st {

// out (rows × cols) = alpha · op(a) op(b) + beta · out, or `count` such products, whose matrices
// lie `step` elements apart. Matrices lie row by row, `stride` elements from one row to the next; a
// transposed one holds op's columns as rows. With kMedium the operands are BF16, otherwise float32.
struct LibraryProduct {
  struct Operand {
    const void* data;
    std::int64_t stride;
    bool transposed;
    std::int64_t step = 0;
  };
  MatmulPrecision precision;
  Operand a, b;
  std::int64_t rows, cols, depth;
  float alpha, beta;
  float* out;
  std::int64_t out_stride;
  std::int64_t out_step = 0;
  std::int64_t count = 1;
};

// Whether a product's three sides are worth the library: with a short one tensor cores would
// multiply padding for the most part.
inline bool fill_library_tiles(std::int64_t rows, std::int64_t cols, std::int64_t depth) {
  constexpr std::int64_t kLeastSide = 16;
  return rows >= kLeastSide && cols >= kLeastSide && depth >= kLeastSide;
}

// What a product takes of its lane's memory where its algorithm works in memory of its own: the
// same for all, so that a lane keeps one such block. As much as NVIDIA asks for on sm_90, where
// products want the most.
inline constexpr std::int64_t kLibraryWorkspaceBytes = std::int64_t{32} << 20;

// The same device, library and shapes give the same bytes: the library is asked once for the
// algorithm of a shape, among those that add partial sums in a fixed order.
class CublasLt {
 public:
  // Where the dynamic loader looks for them; the first that there is is taken.
  static std::vector<std::string> file_names();

  // For the context's device. Exit code 7, saying what was looked for, where there is no library.
  explicit CublasLt(const CudaContext& context,
                    const std::vector<std::string>& files = file_names());
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  // Launches the product on the context's lane. False when the library has no algorithm for it:
  // then nothing has happened. No size is zero.
  bool multiply(CudaContext& context, const LibraryProduct& product);

  // As "13.1.0".
  std::string version() const;

 private:
  struct Library;

  std::unique_ptr<Library> library_;
};

}  // namespace m2st
