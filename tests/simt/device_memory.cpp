#include "tests/simt/device_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kGapBytes = 256;
constexpr unsigned char kGapByte = 0xA5;
constexpr unsigned char kPoisonByte = 0xFF;  // NaN as a floating-point number, -1 as an integer
constexpr unsigned char kReleasedByte = 0xDD;

}  // namespace

void* DeviceMemory::allocate(std::size_t bytes, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  if (kind == MemoryKind::kDevice && (bytes > limit_ || in_use_ > limit_ - bytes)) return nullptr;
  const std::size_t raw_bytes = bytes + kAlignment + 2 * kGapBytes;
  auto* raw = static_cast<unsigned char*>(std::malloc(raw_bytes));
  if (raw == nullptr) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(raw) + kGapBytes;
  auto* first = raw + kGapBytes + (kAlignment - address % kAlignment) % kAlignment;
  fill_unseen(raw, kGapByte, static_cast<std::size_t>(first - raw));
  fill_unseen(first, kPoisonByte, bytes);
  fill_unseen(first + bytes, kGapByte, static_cast<std::size_t>(raw + raw_bytes - first) - bytes);
  poison(raw, raw_bytes);
  unpoison(first, bytes);
  blocks_[first] = {first, bytes, raw, raw_bytes, kind};
  if (kind == MemoryKind::kDevice) in_use_ += bytes;
  return first;
}

bool DeviceMemory::release(void* block, MemoryKind kind) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(static_cast<unsigned char*>(block));
  if (found == blocks_.end() || found->second.kind != kind) return false;
  const Range range = found->second;
  blocks_.erase(found);
  if (kind == MemoryKind::kDevice) in_use_ -= range.bytes;
  fill_unseen(range.first, kReleasedByte, range.bytes);
  unpoison(range.raw, range.raw_bytes);
  std::free(range.raw);
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
