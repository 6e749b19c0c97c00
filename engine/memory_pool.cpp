#include "engine/memory_pool.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "engine/check.h"

namespace m2st {

MemorySource host_memory() {
  // Rounded sizes are multiples of 64, as aligned_alloc asks.
  return {"host", [](std::size_t bytes) { return std::aligned_alloc(64, bytes); },
          [](void* block) { std::free(block); }};
}

// Eight classes per power of two: at most 12.5 % is wasted, and blocks of close sizes are shared.
std::size_t MemoryPool::rounded(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(64, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

void* MemoryPool::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  const std::size_t size = rounded(bytes);
  if (limit_ != 0 && in_use_ + size > limit_) {
    fail(ExitCode::kOutOfMemory, "memory pool: ", source_.name, " needs ", in_use_ + size,
         " bytes, the limit is ", limit_);
  }
  void* block = nullptr;
  if (auto found = kept_.find(size); found != kept_.end() && !found->second.empty()) {
    block = found->second.back();
    found->second.pop_back();
  } else {
    block = source_.allocate(size);
    if (block == nullptr) {
      fail(ExitCode::kOutOfMemory, "memory pool: ", source_.name, " has no ", size, " bytes left (",
           in_use_, " in use)");
    }
  }
  in_use_ += size;
  peak_ = std::max(peak_, in_use_);
  return block;
}

void MemoryPool::release(void* block, std::size_t bytes) {
  if (block == nullptr) return;
  const std::lock_guard lock(mutex_);
  const std::size_t size = rounded(bytes);
  in_use_ -= size;
  kept_[size].push_back(block);
}

void MemoryPool::trim() {
  const std::lock_guard lock(mutex_);
  for (auto& [size, blocks] : kept_) {
    for (void* block : blocks) source_.release(block);
  }
  kept_.clear();
}

}  // namespace m2st
