// Device memory of the stand-in runtime: host memory with forbidden ground around every block,
// poisoned when it is handed out, and a register of what is alive.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

namespace m2st::simt {

enum class MemoryKind { kDevice, kPinned };

class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t limit) : limit_(limit) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // Null when the limit is passed. Aligned to 256 bytes, as CUDA's.
  void* allocate(std::size_t bytes, MemoryKind kind);
  // False when `block` is no live block.
  bool release(void* block, MemoryKind kind);

  // The kind of memory in which all of [first, first + bytes] lies; nothing for host memory.
  std::optional<MemoryKind> kind_of(const void* first) const;
  // Whether the range leaves the block it starts in; false for host memory.
  bool leaves_block(const void* first, std::size_t bytes) const;
  // The size of a block around which something was written, if there is one.
  std::optional<std::size_t> overrun() const;

  std::size_t in_use() const;
  std::size_t limit() const { return limit_; }

 private:
  struct Range {
    unsigned char* first;
    std::size_t bytes;
    unsigned char* raw;
    std::size_t raw_bytes;
    MemoryKind kind;
  };
  const Range* find(const void* address) const;
  static bool intact(const Range& range);

  std::size_t limit_;
  mutable std::mutex mutex_;  // guards all below
  std::map<const unsigned char*, Range> blocks_;
  std::size_t in_use_ = 0;
};

}  // namespace m2st::simt
