// Packing the operands of a product for its tiles: strips a tile high or wide, entry by entry of
// the inner dimension, zero-padded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/parallel.h"
#include "kernels/cpu/gemm_entries.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/strided_gemm.h"
#include "kernels/cpu/transpose_block.h"

namespace m2st::kernels {

// Entries of a packed strip of b: it stays in L1.
inline constexpr std::int64_t kDepthBlock = 256;
// Pages that packing has open; a multiple of any kSteps.
inline constexpr std::int64_t kPackRows = 16;
// Room behind what is packed, see pack_rows.
inline constexpr std::int64_t kPackedSlack = 16;

template <class Entries>
inline constexpr int kNarrowCols = Vector<typename Entries::Result>::kLanes;
template <class Entries>
inline constexpr int kWideCols = 2 * kNarrowCols<Entries>;

inline std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

// Entries that `depth` steps of the inner dimension make.
template <class Entries>
std::int64_t entries_of(std::int64_t depth) {
  return (depth + Entries::kSteps - 1) / Entries::kSteps;
}

// The inner dimension in blocks of about one length: a short last one would cost as much in reading
// and writing sums as a whole one.
template <class Entries>
std::int64_t depth_block(std::int64_t depth) {
  const std::int64_t blocks = chunk_count(depth, kDepthBlock * Entries::kSteps);
  return round_up(chunk_count(depth, blocks), 8);
}

// Up to Width rows that lie row by row: blocks are turned in registers. Where Width is no multiple
// of a block, its store may run over into the next entry's first rows, which are written after it;
// `packed` has room for the last one (kPackedSlack). Bands of rows go last to first for the same
// reason.
template <class Entries, int Width>
void pack_rows(const typename Entries::Value* source, std::int64_t stride, std::int64_t rows,
               std::int64_t depth, typename Entries::Packed* packed) {
  using Block = TransposeBlock<Entries>;
  using Value = typename Entries::Value;
  constexpr int kSteps = Entries::kSteps;
  constexpr int kLastBand = (Width - 1) / Block::kLanes * Block::kLanes;
  Block block;
  std::int64_t p = 0;  // a step; packed has one row for kSteps of them
  for (; p + Block::kLanes * kSteps <= depth; p += Block::kLanes * kSteps) {
    for (int band = kLastBand; band >= 0; band -= Block::kLanes) {
      block.load(source + band * stride + p, stride, rows - band);
      block.transpose();
      block.store(packed + p / kSteps * Width + band, Width);
    }
  }
  for (; p < depth; p += kSteps) {
    for (std::int64_t i = 0; i < Width; ++i) {
      const auto* from = source + i * stride + p;
      packed[p / kSteps * Width + i] =
          i < rows ? Entries::pack(from[0], p + 1 < depth ? from[1] : Value{}) : 0;
    }
  }
}

// One row of a strip, of `count` columns from `offset` on, the others zero; lines[0] has the first
// step and, where an entry has two and `steps` are left, lines[1] the second. A whole row has a
// length known when compiling, so it becomes a few moves.
template <class Entries, int Width>
void pack_line(const typename Entries::Value* const* lines, std::int64_t steps, std::int64_t offset,
               std::int64_t count, typename Entries::Packed* packed) {
  using Value = typename Entries::Value;
  const Value* line = lines[0] + offset;
  const Value* next = lines[steps < Entries::kSteps ? 0 : Entries::kSteps - 1] + offset;
  if constexpr (requires { Entries::pack_lanes(line, count, next, count, Width, packed); }) {
    for (int lane = 0; lane < Width; lane += kNarrowCols<Entries>) {
      const int width = std::min(Width - lane, kNarrowCols<Entries>);
      Entries::pack_lanes(line + lane, count - lane, next + lane,
                          steps < Entries::kSteps ? 0 : count - lane, width, packed + lane);
    }
    return;
  }
  if (count == Width && steps >= Entries::kSteps) {
    if constexpr (std::is_same_v<Entries, ExactEntries<typename Entries::Value>>) {
      std::memcpy(packed, line, Width * sizeof(*packed));
    } else {
      for (int i = 0; i < Width; ++i) packed[i] = Entries::pack(line[i], next[i]);
    }
    return;
  }
  for (int i = 0; i < Width; ++i) {
    packed[i] = i < count ? Entries::pack(line[i], steps < Entries::kSteps ? Value{} : next[i]) : 0;
  }
}

// The same of an operand whose memory lies along the inner dimension. Strips are narrow, so a few
// rows of the memory are cut into all strips at a time: every strip alone would open each row's
// page anew.
template <class Entries, class T>
void pack_transposed(const GemmOperand<T>& a, std::int64_t row, std::int64_t rows,
                     std::int64_t start, std::int64_t depth, typename Entries::Packed* packed) {
  constexpr int kSteps = Entries::kSteps;
  const T* lines[kPackRows];
  for (std::int64_t first = 0; first < depth; first += kPackRows) {
    const std::int64_t steps = std::min(kPackRows, depth - first);
    for (std::int64_t p = 0; p < steps; ++p) {
      const std::int64_t line = start + first + p;
      lines[p] = a.at(row, a.rows == nullptr ? line : a.rows[line]);
    }
    for (std::int64_t strip = 0; strip < rows; strip += kTileRows) {
      const std::int64_t count = std::min<std::int64_t>(kTileRows, rows - strip);
      auto* target = packed + strip * entries_of<Entries>(depth) + first / kSteps * kTileRows;
      for (std::int64_t p = 0; p < steps; p += kSteps, target += kTileRows) {
        pack_line<Entries, kTileRows>(lines + p, steps - p, strip, count, target);
      }
    }
  }
}

// rows × depth of a from (row, start) as strips of kTileRows rows, entry by entry.
template <class Entries, class T>
void pack_a(const GemmOperand<T>& a, std::int64_t row, std::int64_t rows, std::int64_t start,
            std::int64_t depth, typename Entries::Packed* packed) {
  if (a.transposed) return pack_transposed<Entries>(a, row, rows, start, depth, packed);
  for (std::int64_t strip = 0; strip < rows; strip += kTileRows) {
    pack_rows<Entries, kTileRows>(a.at(row + strip, start), a.stride,
                                  std::min<std::int64_t>(kTileRows, rows - strip), depth, packed);
    packed += kTileRows * entries_of<Entries>(depth);
  }
}

// One strip of b: depth × Width from (start, col).
template <class Entries, int Width, class T>
void pack_b_strip(const GemmOperand<T>& b, std::int64_t start, std::int64_t depth, std::int64_t col,
                  std::int64_t cols, typename Entries::Packed* packed) {
  const std::int64_t count = std::min<std::int64_t>(Width, cols - col);
  const T* source = b.at(start, col);
  if (b.transposed) {
    pack_rows<Entries, Width>(source, b.stride, count, depth, packed);
    return;
  }
  for (std::int64_t p = 0; p < depth; p += Entries::kSteps, packed += Width) {
    const T* const line = source + p * b.stride;
    const T* const lines[2] = {line, p + 1 < depth ? line + b.stride : line};
    pack_line<Entries, Width>(lines, depth - p, 0, count, packed);
  }
}

// How wide the strip at column `col` is packed.
template <class Entries>
std::int64_t strip_width(std::int64_t col, std::int64_t cols) {
  return cols - col > kNarrowCols<Entries> ? kWideCols<Entries> : kNarrowCols<Entries>;
}

// Packs strips [first, last) of inner dimension [start, start + depth) of b: depth block by depth
// block, each holding all its strips.
template <class Entries, class T>
void pack_b(const GemmOperand<T>& b, std::int64_t start, std::int64_t depth, std::int64_t cols,
            std::int64_t first, std::int64_t last, typename Entries::Packed* packed) {
  constexpr int kCols = kWideCols<Entries>;
  const std::int64_t padded_cols = round_up(cols, kCols);
  const std::int64_t step_depth = depth_block<Entries>(depth);
  for (std::int64_t block = 0; block < depth; block += step_depth) {
    const std::int64_t block_depth = std::min(step_depth, depth - block);
    auto* strips = packed + entries_of<Entries>(block) * padded_cols;
    // As in pack_transposed: few rows of the memory at a time.
    const std::int64_t step = b.transposed ? block_depth : kPackRows;
    for (std::int64_t p = 0; p < block_depth; p += step) {
      const std::int64_t steps = std::min(step, block_depth - p);
      for (std::int64_t strip = first; strip < last; ++strip) {
        auto* target = strips + strip * kCols * entries_of<Entries>(block_depth);
        const std::int64_t at = entries_of<Entries>(p);
        if (strip_width<Entries>(strip * kCols, cols) == kCols) {
          pack_b_strip<Entries, kCols>(b, start + block + p, steps, strip * kCols, cols,
                                       target + at * kCols);
        } else {
          pack_b_strip<Entries, kNarrowCols<Entries>>(b, start + block + p, steps, strip * kCols,
                                                      cols, target + at * kNarrowCols<Entries>);
        }
      }
    }
  }
}

}  // namespace m2st::kernels
