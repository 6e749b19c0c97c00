// A pool of memory blocks: freed blocks are kept by size class and handed out again, so that an
// epoch after the first allocates nothing. Knows what is in use, its peak, and its limit.
// With M2ST_EXACT_MEMORY set in the environment every block is the source's own, of the size asked
// for: memory checkers (AddressSanitizer, compute-sanitizer) then see an array's true end.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace m2st {

// Where blocks come from; `allocate` returns null when there is no memory.
struct MemorySource {
  std::string name;  // for messages: "host", "cuda:0"
  std::function<void*(std::size_t)> allocate;
  std::function<void(void*)> release;
};

// 64-byte aligned host memory.
MemorySource host_memory();

class MemoryPool {
 public:
  explicit MemoryPool(MemorySource source);
  ~MemoryPool() { trim(); }
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // A block of at least `bytes`; never null for bytes > 0. Exit code 6 when there is no memory.
  void* allocate(std::size_t bytes);
  // `bytes` as given to allocate.
  void release(void* block, std::size_t bytes);
  // Gives kept blocks back to the source.
  void trim();
  // Not with M2ST_EXACT_MEMORY, and not while it is told to pass blocks on: every block is then the
  // source's own, of the size asked for, and goes back when it is released.
  bool keeps_blocks() const;
  void pass_blocks_on(bool on);

  // Blocks in use may not exceed this many bytes; 0 means no limit.
  void set_limit(std::size_t bytes);
  std::size_t in_use() const;
  // What the pool has of its source: blocks in use and kept ones.
  std::size_t held() const;
  std::size_t peak() const;
  void reset_peak();

 private:
  void* take_kept(std::size_t size);
  void release_kept();

  MemorySource source_;
  const bool exact_;
  mutable std::mutex mutex_;  // guards all below
  bool passes_on_;
  std::map<std::size_t, std::vector<void*>> kept_;
  std::unordered_set<void*> passed_;  // in use, and of no size class
  std::size_t in_use_ = 0;
  std::size_t peak_ = 0;
  std::size_t limit_ = 0;
};

}  // namespace m2st
