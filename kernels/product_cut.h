// How products on a device are cut into blocks, as their shapes have it: for the kernels, and for
// the plan of the memory that partial products take.
#pragma once

#include <algorithm>
#include <cstdint>

namespace m2st::kernels {

// A tile of 128 × 128 reads half as much as 64 × 64 for the same work, but leaves a device with few
// blocks: taken from this many tiles on.
inline constexpr std::int64_t kLargeTiles = 64;

inline std::int64_t tiles(std::int64_t size, std::int64_t tile) { return (size + tile - 1) / tile; }

// Of `count` products at once.
inline std::int64_t tiles_of_products(std::int64_t count, std::int64_t rows, std::int64_t cols,
                                      std::int64_t tile) {
  return count * tiles(rows, tile) * tiles(cols, tile);
}

// Into how many slices the inner dimension is best cut where tiles are few and it is long; below
// two it stays whole. Rows and columns are not zero.
inline std::int64_t wanted_slices(std::int64_t count, std::int64_t rows, std::int64_t cols,
                                  std::int64_t depth) {
  constexpr std::int64_t kLeastSlice = 256;
  constexpr std::int64_t kWantedBlocks = 512;  // some four a multiprocessor
  constexpr std::int64_t kMostSlices = 64;     // bounds partial products' memory
  return std::min(
      {kMostSlices, depth / kLeastSlice, kWantedBlocks / tiles_of_products(count, rows, cols, 64)});
}

}  // namespace m2st::kernels
