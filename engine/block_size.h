// The sizes of a memory pool's blocks: eight classes per power of two, so that at most 12.5 % is
// wasted and arrays of close sizes share blocks.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>

namespace m2st {

inline std::size_t block_size(std::size_t bytes) {
  const std::size_t step = std::max<std::size_t>(64, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace m2st
