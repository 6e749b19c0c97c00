#include "engine/memory_pool.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/block_size.h"
#include "engine/check.h"

namespace m2st {

namespace {

// Beyond this a size came from a negative or overflowing count, and rounding up would overflow too.
constexpr std::size_t kMostBytes = std::size_t{1} << 62;

}  // namespace

MemorySource host_memory() {
  const auto allocate = [](std::size_t bytes) -> void* {
    void* block = nullptr;
    return posix_memalign(&block, 64, bytes) == 0 ? block : nullptr;
  };
  return {"host", allocate, [](void* block) { std::free(block); }};
}

MemoryPool::MemoryPool(MemorySource source)
    : source_(std::move(source)),
      exact_(std::getenv("M2ST_EXACT_MEMORY") != nullptr),
      passes_on_(exact_) {}

bool MemoryPool::keeps_blocks() const {
  const std::lock_guard lock(mutex_);
  return !passes_on_;
}

void MemoryPool::pass_blocks_on(bool on) {
  const std::lock_guard lock(mutex_);
  passes_on_ = on || exact_;
  if (passes_on_) release_kept();
}

void* MemoryPool::take_kept(std::size_t size) {
  const auto found = kept_.find(size);
  if (found == kept_.end() || found->second.empty()) return nullptr;
  void* block = found->second.back();
  found->second.pop_back();
  return block;
}

void* MemoryPool::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  if (bytes > kMostBytes) {
    fail(ExitCode::kOutOfMemory, "memory pool: ", source_.name, " cannot have ", bytes, " bytes");
  }
  const std::size_t size = passes_on_ ? bytes : block_size(bytes);
  if (limit_ != 0 && in_use_ + size > limit_) {
    fail(ExitCode::kOutOfMemory, "memory pool: ", source_.name, " needs ", in_use_ + size,
         " bytes, the limit is ", limit_);
  }
  void* block = take_kept(size);
  if (block == nullptr) block = source_.allocate(size);
  if (block == nullptr) {
    // Blocks of other sizes lie idle here that the source could make this one of.
    release_kept();
    block = source_.allocate(size);
  }
  if (block == nullptr) {
    fail(ExitCode::kOutOfMemory, "memory pool: ", source_.name, " has no ", size, " bytes left (",
         in_use_, " in use)");
  }
  if (passes_on_) passed_.insert(block);
  in_use_ += size;
  peak_ = std::max(peak_, in_use_);
  return block;
}

void MemoryPool::release(void* block, std::size_t bytes) {
  if (block == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (passed_.erase(block) > 0) {
    in_use_ -= bytes;
    return source_.release(block);
  }
  const std::size_t size = block_size(bytes);
  in_use_ -= size;
  if (passes_on_) return source_.release(block);
  kept_[size].push_back(block);
}

void MemoryPool::trim() {
  const std::lock_guard lock(mutex_);
  release_kept();
}

void MemoryPool::release_kept() {
  for (auto& [size, blocks] : kept_) {
    for (void* block : blocks) source_.release(block);
  }
  kept_.clear();
}

void MemoryPool::set_limit(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  limit_ = bytes;
}

std::size_t MemoryPool::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

std::size_t MemoryPool::held() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = in_use_;
  for (const auto& [size, blocks] : kept_) sum += size * blocks.size();
  return sum;
}

std::size_t MemoryPool::peak() const {
  const std::lock_guard lock(mutex_);
  return peak_;
}

void MemoryPool::reset_peak() {
  const std::lock_guard lock(mutex_);
  peak_ = in_use_;
}

}  // namespace m2st
