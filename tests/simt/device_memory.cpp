#include "tests/simt/device_memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "tests/simt/runtime.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kGapBytes = 256;
constexpr unsigned char kGapByte = 0xA5;
constexpr unsigned char kPoisonByte = 0xFF;  // NaN as a floating-point number, -1 as an integer
constexpr unsigned char kReleasedByte = 0xDD;

void report_touched_device_memory(int, siginfo_t* info, void*) {
  constexpr char kText[] = "simt: host code touched device memory\n";
  const auto kind = runtime().memory.kind_of(info->si_addr);
  if (kind == MemoryKind::kDevice) static_cast<void>(!write(2, kText, sizeof(kText) - 1));
  std::abort();
}

}  // namespace

DeviceMemory::DeviceMemory(std::size_t limit, std::size_t blocks, bool guarded)
    : limit_(limit), blocks_left_(blocks), guarded_(guarded) {
  if (!guarded_) return;
  struct sigaction action = {};
  action.sa_sigaction = report_touched_device_memory;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, nullptr);
}

// Guarded blocks have pages of their own.
unsigned char* DeviceMemory::take(std::size_t raw_bytes, MemoryKind kind) const {
  if (!guarded_ || kind == MemoryKind::kPinned) {
    return static_cast<unsigned char*>(std::malloc(raw_bytes));
  }
  void* raw = mmap(nullptr, raw_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return raw == MAP_FAILED ? nullptr : static_cast<unsigned char*>(raw);
}

void DeviceMemory::give_back(const Range& range) const {
  if (!guarded_ || range.kind == MemoryKind::kPinned) {
    fill_unseen(range.first, kReleasedByte, range.bytes);
    unpoison(range.raw, range.raw_bytes);
    std::free(range.raw);
  } else {
    munmap(range.raw, range.raw_bytes);
  }
}

void DeviceMemory::protect(bool accessible) const {
  for (const auto& [first, range] : blocks_) {
    if (range.kind == MemoryKind::kPinned) continue;
    mprotect(range.raw, range.raw_bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
  }
}

void DeviceMemory::open() {
  const std::lock_guard lock(mutex_);
  if (opened_++ == 0 && guarded_) protect(true);
}

void DeviceMemory::close() {
  const std::lock_guard lock(mutex_);
  if (--opened_ == 0 && guarded_) protect(false);
}

void* DeviceMemory::allocate(std::size_t bytes, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  const bool on_device = kind == MemoryKind::kDevice;
  if (on_device && (bytes > limit_ || in_use_ > limit_ - bytes || blocks_left_ == 0)) {
    return nullptr;
  }
  const std::size_t raw_bytes = bytes + kAlignment + 2 * kGapBytes;
  unsigned char* raw = take(raw_bytes, kind);
  if (raw == nullptr) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(raw) + kGapBytes;
  auto* first = raw + kGapBytes + (kAlignment - address % kAlignment) % kAlignment;
  fill_unseen(raw, kGapByte, static_cast<std::size_t>(first - raw));
  fill_unseen(first, kPoisonByte, bytes);
  fill_unseen(first + bytes, kGapByte, static_cast<std::size_t>(raw + raw_bytes - first) - bytes);
  poison(raw, raw_bytes);
  unpoison(first, bytes);
  blocks_[first] = {first, bytes, raw, raw_bytes, kind};
  if (on_device) {
    in_use_ += bytes;
    --blocks_left_;
  }
  if (guarded_ && opened_ == 0) protect(false);
  return first;
}

bool DeviceMemory::release(void* block, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(static_cast<unsigned char*>(block));
  if (found == blocks_.end() || found->second.kind != kind) return false;
  const Range range = found->second;
  blocks_.erase(found);
  if (kind == MemoryKind::kDevice) in_use_ -= range.bytes;
  give_back(range);
  return true;
}

const DeviceMemory::Range* DeviceMemory::find(const void* address) const {
  const auto* wanted = static_cast<const unsigned char*>(address);
  const auto after = blocks_.upper_bound(wanted);
  if (after == blocks_.begin()) return nullptr;
  const Range& range = std::prev(after)->second;
  // One past the end belongs to the block: an empty span may point there.
  return wanted <= range.first + range.bytes ? &range : nullptr;
}

std::optional<MemoryKind> DeviceMemory::kind_of(const void* first) const {
  const std::lock_guard lock(mutex_);
  const Range* range = find(first);
  return range == nullptr ? std::nullopt : std::optional(range->kind);
}

bool DeviceMemory::leaves_block(const void* first, std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  const Range* range = find(first);
  if (range == nullptr) return false;
  const auto offset =
      static_cast<std::size_t>(static_cast<const unsigned char*>(first) - range->first);
  return bytes > range->bytes - offset;
}

bool DeviceMemory::intact(const Range& range) {
  const auto is_gap = [](unsigned char byte) { return byte == kGapByte; };
  return std::all_of(range.raw, range.first, is_gap) &&
         std::all_of(range.first + range.bytes, range.raw + range.raw_bytes, is_gap);
}

std::optional<std::size_t> DeviceMemory::overrun() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [first, range] : blocks_) {
    if (!intact(range)) return range.bytes;
  }
  return std::nullopt;
}

std::size_t DeviceMemory::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

}  // namespace m2st::simt
