// How products are cut into blocks, as their shapes have it: for the kernels, and for the plan of
// the memory that partial products take.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace m2st::kernels {

// On a device, a tile of 128 × 128 reads half as much as 64 × 64 for the same work, but leaves a
// device with few blocks: taken from this many tiles on.
inline constexpr std::int64_t kLargeTiles = 64;

inline std::int64_t tiles(std::int64_t size, std::int64_t tile) { return (size + tile - 1) / tile; }

// Of `count` products at once.
inline std::int64_t tiles_of_products(std::int64_t count, std::int64_t rows, std::int64_t cols,
                                      std::int64_t tile) {
  return count * tiles(rows, tile) * tiles(cols, tile);
}

// On a device, into how many slices the inner dimension is best cut where tiles are few and it is
// long; below two it stays whole. Rows and columns are not zero.
inline std::int64_t wanted_slices(std::int64_t count, std::int64_t rows, std::int64_t cols,
                                  std::int64_t depth) {
  constexpr std::int64_t kLeastSlice = 256;
  constexpr std::int64_t kWantedBlocks = 512;  // some four a multiprocessor
  constexpr std::int64_t kMostSlices = 64;     // bounds partial products' memory
  return std::min(
      {kMostSlices, depth / kLeastSlice, kWantedBlocks / tiles_of_products(count, rows, cols, 64)});
}

// The same on the host, where a task has `row_block` rows and one slice is the whole. A power of
// two, so that no processor count that is one waits for a last slice.
inline std::int64_t slices_on_host(std::int64_t rows, std::int64_t row_block, std::int64_t depth) {
  constexpr std::int64_t kFewRowBlocks = 8;  // below it, slices are tasks
  constexpr std::int64_t kLeastSlice = 256;
  constexpr std::int64_t kMostSlices = 16;  // bounds partial products' memory
  if (tiles(rows, row_block) >= kFewRowBlocks) return 1;
  const std::int64_t wanted = std::clamp<std::int64_t>(depth / kLeastSlice, 1, kMostSlices);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(wanted)));
}

}  // namespace m2st::kernels
