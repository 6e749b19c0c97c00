#include "tests/simt/shared_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

constexpr std::size_t kArenaBytes = 512 * 1024;
constexpr std::size_t kGapBytes = 64;
constexpr unsigned char kGapByte = 0xA5;
constexpr unsigned char kPoisonByte = 0xFF;  // NaN as a floating-point number, -1 as an integer
constexpr std::size_t kMostPieces = 256;

}  // namespace

SharedArena::SharedArena() {
  map();
  // Grown on a CUDA thread's fiber otherwise, which ThreadSanitizer would see.
  pieces_.reserve(kMostPieces);
}

SharedArena::~SharedArena() {
  unpoison(memory_, kArenaBytes);
  munmap(memory_, kArenaBytes);
}

void SharedArena::map() {
  void* memory = mmap(nullptr, kArenaBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("simt: no memory for shared memory");
    std::abort();
  }
  memory_ = static_cast<unsigned char*>(memory);
  poison(memory_, kArenaBytes);
  used_ = 0;
}

bool SharedArena::begin_block(std::size_t dynamic_bytes) {
  const bool remap = thread_sanitizer() && touched_;
  if (remap) {
    munmap(memory_, kArenaBytes);
    map();
  }
  poison(memory_, used_);
  pieces_.clear();
  used_ = 0;
  static_bytes_ = 0;
  touched_ = false;
  dynamic_ = add_piece(nullptr, dynamic_bytes, 128);
  return remap;
}

void* SharedArena::piece(const void* key, std::size_t bytes, std::size_t alignment) {
  for (const Piece& piece : pieces_) {
    if (piece.key == key) return piece.first;
  }
  static_bytes_ = (static_bytes_ + alignment - 1) / alignment * alignment + bytes;
  if (static_bytes_ > kStaticSharedLimit || pieces_.size() == kMostPieces) return nullptr;
  return add_piece(key, bytes, alignment);
}

void* SharedArena::add_piece(const void* key, std::size_t bytes, std::size_t alignment) {
  const std::size_t step = std::max<std::size_t>(alignment, 16);
  const std::size_t first = (used_ + kGapBytes + step - 1) / step * step;
  const std::size_t end = first + bytes + kGapBytes;
  if (end > kArenaBytes) return nullptr;
  fill_unseen(memory_ + used_, kGapByte, first - used_);
  fill_unseen(memory_ + first, kPoisonByte, bytes);
  fill_unseen(memory_ + first + bytes, kGapByte, kGapBytes);
  unpoison(memory_ + first, bytes);
  used_ = end;
  touched_ = touched_ || bytes > 0;
  pieces_.push_back({key, memory_ + first, bytes});
  return memory_ + first;
}

bool SharedArena::intact() const {
  std::size_t at = 0;
  const auto gap_until = [&](std::size_t end) {
    return std::all_of(memory_ + at, memory_ + end, [](unsigned char b) { return b == kGapByte; });
  };
  for (const Piece& piece : pieces_) {
    const auto first = static_cast<std::size_t>(piece.first - memory_);
    if (!gap_until(first)) return false;
    at = first + piece.bytes;
  }
  return gap_until(used_);
}

}  // namespace m2st::simt
