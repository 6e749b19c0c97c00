// Packed, tiled matrix products after Goto and van de Geijn (ACM TOMS 2008). How the work is cut
// depends on the shapes only: row blocks when there are enough of them, else slices of the inner
// dimension whose partial products are added in order.
#include "kernels/gemm.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/strided_gemm.h"
#include "kernels/cpu/transpose_block.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kDepthBlock = 256;                     // a packed strip of b stays in L1
constexpr std::int64_t kRowBlock = 12 * kTileRows;            // a packed block of a stays in L2
constexpr std::int64_t kPackRows = 16;                        // pages that packing has open
constexpr std::int64_t kPackedSlack = 16;                     // see pack_rows
constexpr std::int64_t kFewRowBlocks = 8;                     // below it, slices of k are tasks
constexpr std::int64_t kLeastSlice = kDepthBlock;             // of the inner dimension
constexpr std::int64_t kAddedAtOnce = 4096;                   // elements of partial products
constexpr std::int64_t kMostSlices = 16;                      // bounds partial products' memory
constexpr std::int64_t kPackedLimit = std::int64_t{1} << 24;  // elements of b packed at a time

template <class T, int Vectors>
inline constexpr int kStripCols = GemmTile<T, kTileRows, Vectors>::kCols;
template <class T>
inline constexpr int kWideCols = kStripCols<T, 2>;
template <class T>
inline constexpr int kNarrowCols = kStripCols<T, 1>;

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

// The inner dimension in blocks of about one length: a short last one would cost as much in reading
// and writing sums as a whole one.
std::int64_t depth_block(std::int64_t depth) {
  return round_up(chunk_count(depth, chunk_count(depth, kDepthBlock)), 8);
}

// Up to Width rows that lie row by row: blocks are turned in registers. Where Width is no multiple
// of a block, its store may run over into the next step's first rows, which are written after it;
// `packed` has room for the last one (kPackedSlack). Bands of rows go last to first for the same
// reason.
template <int Width, class T>
void pack_rows(const T* source, std::int64_t stride, std::int64_t rows, std::int64_t depth,
               T* packed) {
  constexpr int kLanes = TransposeBlock<T>::kLanes;
  constexpr int kLastBand = (Width - 1) / kLanes * kLanes;
  TransposeBlock<T> block;
  std::int64_t p = 0;
  for (; p + kLanes <= depth; p += kLanes) {
    for (int band = kLastBand; band >= 0; band -= kLanes) {
      block.load(source + band * stride + p, stride, rows - band);
      block.transpose();
      block.store(packed + p * Width + band, Width);
    }
  }
  for (; p < depth; ++p) {
    for (std::int64_t i = 0; i < Width; ++i) {
      packed[p * Width + i] = i < rows ? source[i * stride + p] : T(0);
    }
  }
}

// `count` of Width elements copied, the others zero. A whole width has a length known when
// compiling, which memcpy turns into a few moves; std::copy_n would call memmove.
template <int Width, class T>
void copy_padded(const T* source, std::int64_t count, T* packed) {
  if (count == Width) {
    std::memcpy(packed, source, Width * sizeof(T));
  } else {
    for (int i = 0; i < Width; ++i) packed[i] = i < count ? source[i] : T(0);
  }
}

// The same of an operand whose memory lies along the inner dimension. Strips are narrow, so a few
// rows of the memory are cut into all strips at a time: every strip alone would open each row's
// page anew.
template <class T>
void pack_transposed(const GemmOperand<T>& a, std::int64_t row, std::int64_t rows,
                     std::int64_t start, std::int64_t depth, T* packed) {
  const T* lines[kPackRows];
  for (std::int64_t first = 0; first < depth; first += kPackRows) {
    const std::int64_t steps = std::min(kPackRows, depth - first);
    for (std::int64_t p = 0; p < steps; ++p) {
      const std::int64_t line = start + first + p;
      lines[p] = a.at(row, a.rows == nullptr ? line : a.rows[line]);
    }
    for (std::int64_t strip = 0; strip < rows; strip += kTileRows) {
      const std::int64_t count = std::min<std::int64_t>(kTileRows, rows - strip);
      T* target = packed + strip * depth + first * kTileRows;
      for (std::int64_t p = 0; p < steps; ++p) {
        copy_padded<kTileRows>(lines[p] + strip, count, target + p * kTileRows);
      }
    }
  }
}

// rows × depth of a from (row, start) as strips of kTileRows rows, each strip depth-major.
template <class T>
void pack_a(const GemmOperand<T>& a, std::int64_t row, std::int64_t rows, std::int64_t start,
            std::int64_t depth, T* packed) {
  if (a.transposed) return pack_transposed(a, row, rows, start, depth, packed);
  for (std::int64_t strip = 0; strip < rows; strip += kTileRows, packed += kTileRows * depth) {
    pack_rows<kTileRows>(a.at(row + strip, start), a.stride,
                         std::min<std::int64_t>(kTileRows, rows - strip), depth, packed);
  }
}

// One strip of b: depth × Width from (start, col), zero-padded to the width.
template <int Width, class T>
void pack_b_strip(const GemmOperand<T>& b, std::int64_t start, std::int64_t depth, std::int64_t col,
                  std::int64_t cols, T* packed) {
  const std::int64_t count = std::min<std::int64_t>(Width, cols - col);
  const T* source = b.at(start, col);
  if (b.transposed) {
    pack_rows<Width>(source, b.stride, count, depth, packed);
  } else {
    for (std::int64_t p = 0; p < depth; ++p) {
      copy_padded<Width>(source + p * b.stride, count, packed + p * Width);
    }
  }
}

// How wide the strip at column `col` is packed.
template <class T>
std::int64_t strip_width(std::int64_t col, std::int64_t cols) {
  return cols - col > kNarrowCols<T> ? kWideCols<T> : kNarrowCols<T>;
}

// Packs strips [first, last) of inner dimension [start, start + depth) of b: depth block by depth
// block, each holding all its strips.
template <class T>
void pack_b(const GemmOperand<T>& b, std::int64_t start, std::int64_t depth, std::int64_t cols,
            std::int64_t first, std::int64_t last, T* packed) {
  constexpr int kCols = kWideCols<T>;
  const std::int64_t padded_cols = round_up(cols, kCols);
  const std::int64_t step_depth = depth_block(depth);
  for (std::int64_t block = 0; block < depth; block += step_depth) {
    const std::int64_t block_depth = std::min(step_depth, depth - block);
    // As in pack_transposed: few rows of the memory at a time.
    const std::int64_t step = b.transposed ? block_depth : kPackRows;
    for (std::int64_t p = 0; p < block_depth; p += step) {
      const std::int64_t steps = std::min(step, block_depth - p);
      for (std::int64_t strip = first; strip < last; ++strip) {
        T* target = packed + block * padded_cols + strip * kCols * block_depth;
        if (strip_width<T>(strip * kCols, cols) == kCols) {
          pack_b_strip<kCols>(b, start + block + p, steps, strip * kCols, cols, target + p * kCols);
        } else {
          pack_b_strip<kNarrowCols<T>>(b, start + block + p, steps, strip * kCols, cols,
                                       target + p * kNarrowCols<T>);
        }
      }
    }
  }
}

// Where a product goes: rows [row, row + rows) of a matrix `stride` wide.
template <class T>
struct Target {
  T alpha;
  T beta;
  std::int64_t row;
  std::int64_t rows;
  std::int64_t cols;
  T* data;
  std::int64_t stride;
};

// A strip of b as a tile reads it: packed, or where it lies.
template <class T>
struct StripOfB {
  const T* data;
  std::int64_t step;  // elements from one step of the inner dimension to the next
};

// All of b for the tiles: columns before `direct` are read where they lie, the others were packed
// by pack_b.
template <class T>
struct TiledB {
  const T* packed;
  GemmOperand<T> operand;
  std::int64_t direct;
};

// One tile of the target at `out`, from a packed strip of a and one of b.
template <int Rows, int Vectors, class T>
void multiply_tile(const T* strip_a, StripOfB<T> strip_b, std::int64_t depth, T alpha, T beta,
                   std::int64_t rows, std::int64_t cols, T* out, std::int64_t stride) {
  GemmTile<T, Rows, Vectors> tile;
  tile.prefetch(out, rows, stride);
  tile.multiply(depth, strip_a, strip_b.data, strip_b.step);
  if (rows == tile.kRows && cols == tile.kCols) {
    tile.store_whole(alpha, beta, out, stride);
  } else {
    tile.store(alpha, beta, rows, cols, out, stride);
  }
}

// One strip of columns of the target, from `col`: a packed block of a times a packed strip of b.
// Heights often leave two or four rows over (128, 256, 800), which get a tile of that height.
template <int Vectors, class T>
void multiply_strip(const T* packed_a, StripOfB<T> strip_b, std::int64_t depth, T beta,
                    std::int64_t col, const Target<T>& target) {
  const std::int64_t cols = std::min<std::int64_t>(kStripCols<T, Vectors>, target.cols - col);
  for (std::int64_t i = 0; i < target.rows; i += kTileRows, packed_a += kTileRows * depth) {
    const std::int64_t rows = std::min<std::int64_t>(kTileRows, target.rows - i);
    T* out = target.data + (target.row + i) * target.stride + col;
    const auto tile = [&]<int Rows>() {
      multiply_tile<Rows, Vectors>(packed_a, strip_b, depth, target.alpha, beta, rows, cols, out,
                                   target.stride);
    };
    if (rows <= 2) {
      tile.template operator()<2>();
    } else if (rows <= 4) {
      tile.template operator()<4>();
    } else {
      tile.template operator()<kTileRows>();
    }
  }
}

// target = alpha · a · b + beta · target over inner dimension [start, start + depth).
template <class T>
void multiply_rows(MemoryPool& pool, const GemmOperand<T>& a, const TiledB<T>& b,
                   std::int64_t start, std::int64_t depth, const Target<T>& target) {
  constexpr int kCols = kWideCols<T>;
  const std::int64_t padded_cols = round_up(target.cols, kCols);
  Array<T> packed_a(pool, kRowBlock * kDepthBlock + kPackedSlack);
  const std::int64_t step_depth = depth_block(depth);
  for (std::int64_t block = 0; block < depth; block += step_depth) {
    const std::int64_t block_depth = std::min(step_depth, depth - block);
    const T beta = block == 0 ? target.beta : T(1);
    pack_a(a, target.row, target.rows, start + block, block_depth, packed_a.data());
    for (std::int64_t col = 0; col < target.cols; col += kCols) {
      const std::int64_t width = strip_width<T>(col, target.cols);
      const StripOfB<T> strip =
          col < b.direct ? StripOfB<T>{b.operand.at(start + block, col), b.operand.stride}
                         : StripOfB<T>{b.packed + block * padded_cols + col * block_depth, width};
      if (width == kCols) {
        multiply_strip<2>(packed_a.data(), strip, block_depth, beta, col, target);
      } else {
        multiply_strip<1>(packed_a.data(), strip, block_depth, beta, col, target);
      }
    }
  }
}

// Many rows: b is packed once, every block of rows is a task.
template <class T>
void multiply_by_row_blocks(CpuContext& context, const GemmOperand<T>& a, const GemmOperand<T>& b,
                            std::int64_t depth, T alpha, T beta, const GemmOutput<T>& out) {
  const std::int64_t strips = chunk_count(out.cols, kWideCols<T>);
  const std::int64_t padded_cols = strips * kWideCols<T>;
  const std::int64_t span =
      std::max(kDepthBlock, kPackedLimit / padded_cols / kDepthBlock * kDepthBlock);
  Array<T> packed(context.pool(), std::min(span, depth) * padded_cols);
  for (std::int64_t start = 0; start < depth; start += span) {
    const std::int64_t part = std::min(span, depth - start);
    const bool starts_at_bias = start == 0 && out.bias != nullptr;
    const T part_beta = start == 0 && !starts_at_bias ? beta : T(1);
    parallel_for(context, strips, 4, [&](std::int64_t first, std::int64_t last) {
      pack_b(b, start, part, out.cols, first, last, packed.data());
    });
    parallel_for(context, out.rows, kRowBlock, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; starts_at_bias && row < last; ++row) {
        std::copy_n(out.bias, out.cols, out.data + row * out.stride);
      }
      multiply_rows(
          context.pool(), a, TiledB<T>{packed.data(), b, 0}, start, part,
          Target<T>{alpha, part_beta, first, last - first, out.cols, out.data, out.stride});
    });
  }
}

// out = alpha · the sum of the partial products, in their order, + beta · out + the bias.
template <class T>
void add_partial_products(CpuContext& context, T* partial, std::int64_t parts, T alpha, T beta,
                          const GemmOutput<T>& out) {
  const std::int64_t grain = std::max<std::int64_t>(1, kAddedAtOnce / out.cols);
  parallel_for(context, out.rows, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      T* target = out.data + row * out.stride;
      T* sum = partial + row * out.cols;
      for (std::int64_t part = 1; part < parts; ++part) {
        const T* source = sum + part * out.size();
        for (std::int64_t i = 0; i < out.cols; ++i) sum[i] += source[i];
      }
      for (std::int64_t i = 0; i < out.cols; ++i) {
        target[i] = beta == T(0) ? alpha * sum[i] : alpha * sum[i] + beta * target[i];
      }
      for (std::int64_t i = 0; out.bias != nullptr && i < out.cols; ++i) target[i] += out.bias[i];
    }
  });
}

// Few rows and a long inner dimension (gradients of weights): every slice of the inner dimension
// gives a partial product; partial products are added in slice order.
template <class T>
void multiply_by_slices(CpuContext& context, const GemmOperand<T>& a, const GemmOperand<T>& b,
                        std::int64_t depth, std::int64_t slices, T alpha, T beta,
                        const GemmOutput<T>& out) {
  const std::int64_t slice = round_up(chunk_count(depth, slices), 8);
  const std::int64_t parts = chunk_count(depth, slice);
  const std::int64_t strips = chunk_count(out.cols, kWideCols<T>);
  const std::int64_t direct = b.transposed ? 0 : out.cols / kWideCols<T> * kWideCols<T>;
  Array<T> partial(context.pool(), parts * out.size());
  parallel_for(context, depth, slice, [&](std::int64_t first, std::int64_t last) {
    Array<T> packed(context.pool(), kDepthBlock * strips * kWideCols<T>);
    T* part = partial.data() + first / slice * out.size();
    const std::int64_t step = depth_block(last - first);
    for (std::int64_t start = first; start < last; start += step) {
      const std::int64_t block_depth = std::min(step, last - start);
      const T part_beta = start == first ? T(0) : T(1);
      pack_b(b, start, block_depth, out.cols, direct / kWideCols<T>, strips, packed.data());
      for (std::int64_t row = 0; row < out.rows; row += kRowBlock) {
        multiply_rows(context.pool(), a, TiledB<T>{packed.data(), b, direct}, start, block_depth,
                      Target<T>{T(1), part_beta, row, std::min(kRowBlock, out.rows - row), out.cols,
                                part, out.cols});
      }
    }
  });
  add_partial_products(context, partial.data(), parts, alpha, beta, out);
}

}  // namespace

template <class T>
void strided_gemm(CpuContext& context, const GemmOperand<T>& left, const GemmOperand<T>& right,
                  std::int64_t depth, T alpha, T beta, const GemmOutput<T>& out) {
  if (out.size() == 0) return;
  if (depth == 0) {
    Array<T> nothing(context.pool(), out.size());
    std::fill_n(nothing.data(), out.size(), T(0));
    add_partial_products(context, nothing.data(), 1, alpha, beta, out);
    return;
  }
  // A power of two, so that no processor count that is one waits for a last slice.
  const std::int64_t slices = static_cast<std::int64_t>(
      std::bit_floor(static_cast<std::uint64_t>(std::min(kMostSlices, depth / kLeastSlice))));
  if (chunk_count(out.rows, kRowBlock) < kFewRowBlocks && slices > 1) {
    multiply_by_slices(context, left, right, depth, slices, alpha, beta, out);
  } else {
    multiply_by_row_blocks(context, left, right, depth, alpha, beta, out);
  }
}

template <class T>
void gemm(CpuContext& context, Layout layout_a, Layout layout_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out) {
  const GemmOperand<T> left{a.data, a.cols, layout_a == Layout::kTransposed};
  const GemmOperand<T> right{b.data, b.cols, layout_b == Layout::kTransposed};
  const std::int64_t rows = left.transposed ? a.cols : a.rows;
  const std::int64_t depth = left.transposed ? a.rows : a.cols;
  const std::int64_t depth_b = right.transposed ? b.cols : b.rows;
  const std::int64_t cols = right.transposed ? b.rows : b.cols;
  M2ST_CHECK(depth == depth_b, "gemm: inner dimensions differ (got ", depth, " and ", depth_b, ")");
  M2ST_CHECK(out.rows == rows && out.cols == cols, "gemm: out is ", out.rows, " x ", out.cols,
             ", needs ", rows, " x ", cols);
  strided_gemm(context, left, right, depth, alpha, beta,
               GemmOutput<T>{out.data, out.rows, out.cols, out.cols});
}

template <class T>
void gemm_of_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out) {
  const std::int64_t depth = std::ssize(rows);
  M2ST_CHECK(b.rows == depth && out.rows == a.cols && out.cols == b.cols, "gemm_of_rows: ", depth,
             " rows of a width of ", a.cols, ", b is ", b.rows, " x ", b.cols, ", out is ",
             out.rows, " x ", out.cols);
  const GemmOperand<T> left{a.data, a.cols, true, rows.data()};
  strided_gemm(context, left, GemmOperand<T>{b.data, b.cols, false}, depth, T(1), beta,
               GemmOutput<T>{out.data, out.rows, out.cols, out.cols});
}

#define INSTANTIATE(T)                                                                            \
  template void gemm<T>(CpuContext&, Layout, Layout, T, MatrixView<const T>, MatrixView<const T>, \
                        T, MatrixView<T>);                                                        \
  template void gemm_of_rows<T>(CpuContext&, Span<const std::int32_t>, MatrixView<const T>,       \
                                MatrixView<const T>, T, MatrixView<T>);                           \
  template void strided_gemm<T>(CpuContext&, const GemmOperand<T>&, const GemmOperand<T>&,        \
                                std::int64_t, T, T, const GemmOutput<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
