// The blocks of a pool (engine/memory_pool.h) counted without the pool: what was released is handed
// out again, but only to arrays of its size class, so a pool holds the most that each class ever
// had in use, and never at the same time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "engine/block_size.h"

namespace m2st::model {

class BlockCounts {
 public:
  void take(std::int64_t bytes) {
    if (bytes == 0) return;
    Class& c = class_of(bytes);
    c.most = std::max(c.most, ++c.now);
    c.largest = std::max(c.largest, bytes);
  }
  void give_back(std::int64_t bytes) {
    if (bytes > 0) --class_of(bytes).now;
  }

  // Of whole blocks, as a device hands them out.
  std::int64_t bytes() const {
    std::int64_t sum = 0;
    for (const auto& [size, c] : classes_) sum += size * c.most;
    return sum;
  }
  // On the host what no array reaches of its block is never resident.
  std::int64_t touched_bytes() const {
    std::int64_t sum = 0;
    for (const auto& [size, c] : classes_) sum += c.largest * c.most;
    return sum;
  }

 private:
  struct Class {
    std::int64_t now = 0, most = 0, largest = 0;
  };

  Class& class_of(std::int64_t bytes) {
    return classes_[static_cast<std::int64_t>(block_size(static_cast<std::size_t>(bytes)))];
  }

  std::map<std::int64_t, Class> classes_;  // by size of block
};

}  // namespace m2st::model
