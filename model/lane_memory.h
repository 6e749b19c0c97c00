// The blocks of one lane's pool, counted: arrays that stay, and what products borrow of it for
// cuBLASLt, copies of their operands and a workspace, as kernels/cuda/library_products.cuh does. A
// copy takes a block that stands for an array yet to come where one is as large.
#pragma once

#include <cstdint>

#include "engine/cublas_lt.h"
#include "model/block_counts.h"

namespace m2st::model {

class LaneMemory {
 public:
  void add(std::int64_t bytes) { blocks_.take(bytes); }

  // For y = x wᵀ head by head, with x (rows, heads · inputs) and w (heads · outputs, inputs), and
  // for the gradients of both.
  void borrow_for_layer(MatmulPrecision precision, std::int64_t rows, std::int64_t inputs,
                        std::int64_t outputs, std::int64_t heads) {
    if (!fill_library_tiles(rows, inputs, outputs)) return;
    has_workspace_ = true;
    if (precision != MatmulPrecision::kMedium) return;
    const std::int64_t x = copy_bytes(rows, heads * inputs);
    const std::int64_t weight = copy_bytes(heads * outputs, inputs);
    const std::int64_t y = copy_bytes(rows, heads * outputs);
    borrow(x, weight);
    borrow(y, x);
    borrow(y, weight);
  }

  // The same where x and w are stored in BF16 from the forward on.
  void keep_for_layer(std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
    has_workspace_ = has_workspace_ || fill_library_tiles(rows, inputs, outputs);
    add(copy_bytes(rows, inputs));
    add(copy_bytes(outputs, inputs));
    pass(copy_bytes(rows, outputs));
  }

  // An array that has gone before others come.
  void pass(std::int64_t bytes) {
    blocks_.take(bytes);
    blocks_.give_back(bytes);
  }

  std::int64_t bytes() const {
    return blocks_.bytes() + (has_workspace_ ? kLibraryWorkspaceBytes : 0);
  }

 private:
  // In BF16, in lines of 16 bytes.
  static std::int64_t copy_bytes(std::int64_t lines, std::int64_t cols) {
    return lines * ((cols + 7) / 8 * 8) * 2;
  }
  // Both at once.
  void borrow(std::int64_t a, std::int64_t b) {
    blocks_.take(a);
    blocks_.take(b);
    blocks_.give_back(a);
    blocks_.give_back(b);
  }

  BlockCounts blocks_;
  bool has_workspace_ = false;
};

}  // namespace m2st::model
