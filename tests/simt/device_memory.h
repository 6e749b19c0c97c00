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
  // Guarded: device memory can be touched only while it is open, that is by the device's work; host
  // code that takes a device pointer for its own is reported. Not together with AddressSanitizer.
  // limit: bytes; blocks: of the device, ever.
  DeviceMemory(std::size_t limit, std::size_t blocks, bool guarded);
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // Null when a limit is passed. Aligned to 256 bytes, as CUDA's.
  void* allocate(std::size_t bytes, MemoryKind kind);
  // False when `block` is no live block.
  bool release(void* block, MemoryKind kind);

  // The kind of memory in which all of [first, first + bytes] lies; nothing for host memory.
  std::optional<MemoryKind> kind_of(const void* first) const;
  // Whether the range leaves the block it starts in; false for host memory.
  bool leaves_block(const void* first, std::size_t bytes) const;
  // The size of a block around which something was written, if there is one.
  std::optional<std::size_t> overrun() const;

  // Opens device memory for as long as it lives; may be nested.
  class Open {
   public:
    explicit Open(DeviceMemory& memory) : memory_(memory) { memory_.open(); }
    ~Open() { memory_.close(); }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    DeviceMemory& memory_;
  };

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
  unsigned char* take(std::size_t raw_bytes, MemoryKind kind) const;
  void give_back(const Range& range) const;
  void open();
  void close();
  void protect(bool accessible) const;
  static bool intact(const Range& range);

  std::size_t limit_;
  std::size_t blocks_left_;
  bool guarded_;
  mutable std::mutex mutex_;  // guards all below, and blocks_left_
  std::map<const unsigned char*, Range> blocks_;
  std::size_t in_use_ = 0;
  int opened_ = 0;
};

}  // namespace m2st::simt
