// The blocks of one lane's pool, counted: arrays that stay, and what products borrow of it for
// cuBLASLt, copies of their operands and a workspace, as kernels/cuda/library_products.cuh does. A
// copy takes a block that stands for an array yet to come where one is as large.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "engine/block_size.h"
#include "engine/cublas_lt.h"

namespace m2st::model {

class LaneMemory {
 public:
  void add(std::int64_t bytes) {
    Count& count = count_of(bytes);
    count.most = std::max(count.most, ++count.now);
  }

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
    add(bytes);
    --count_of(bytes).now;
  }

  std::int64_t bytes() const {
    std::int64_t sum = has_workspace_ ? kLibraryWorkspaceBytes : 0;
    for (const auto& [size, count] : counts_) sum += size * count.most;
    return sum;
  }

 private:
  struct Count {
    std::int64_t now = 0, most = 0;
  };

  // In BF16, in lines of 16 bytes.
  static std::int64_t copy_bytes(std::int64_t lines, std::int64_t cols) {
    return lines * ((cols + 7) / 8 * 8) * 2;
  }
  Count& count_of(std::int64_t bytes) {
    return counts_[static_cast<std::int64_t>(block_size(static_cast<std::size_t>(bytes)))];
  }
  // Both at once.
  void borrow(std::int64_t a, std::int64_t b) {
    add(a);
    add(b);
    --count_of(a).now;
    --count_of(b).now;
  }

  std::map<std::int64_t, Count> counts_;  // by size of block
  bool has_workspace_ = false;
};

}  // namespace m2st::model
