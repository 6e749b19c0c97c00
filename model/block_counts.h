// The blocks of a pool (engine/memory_pool.h) counted without the pool. One that keeps its blocks
// hands them out again only to arrays of their size class, so it holds the most that each class
// ever had in use, and never at the same time; one that passes them back holds what is in use.
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
    in_use_ += bytes;
    peak_ = std::max(peak_, in_use_);
  }
  void give_back(std::int64_t bytes) {
    if (bytes == 0) return;
    --class_of(bytes).now;
    in_use_ -= bytes;
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
  // The most that were in use at a time.
  std::int64_t peak_bytes() const { return peak_; }

 private:
  struct Class {
    std::int64_t now = 0, most = 0, largest = 0;
  };

  Class& class_of(std::int64_t bytes) {
    return classes_[static_cast<std::int64_t>(block_size(static_cast<std::size_t>(bytes)))];
  }

  std::map<std::int64_t, Class> classes_;  // by size of block
  std::int64_t in_use_ = 0, peak_ = 0;
};

}  // namespace m2st::model
