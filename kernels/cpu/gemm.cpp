// Packed, tiled matrix products after Goto and van de Geijn (ACM TOMS 2008). How the work is cut
// depends on the shapes and the precision only: row blocks when there are enough of them, else
// slices of the inner dimension whose partial products are added in order.
#include "kernels/gemm.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/cpu/gemm_pack.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/strided_gemm.h"
#include "kernels/gemm_shapes.h"
#include "kernels/product_cut.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kRowBlock = 12 * kTileRows;            // a packed block of a stays in L2
constexpr std::int64_t kAddedAtOnce = 4096;                   // elements of partial products
constexpr std::int64_t kPackedLimit = std::int64_t{1} << 24;  // elements of b packed at a time

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

template <class Entries>
using Operand = GemmOperand<typename Entries::Value>;

// A strip of b as a tile reads it: packed, or where it lies.
template <class Entries>
struct StripOfB {
  const typename Entries::Packed* data;
  std::int64_t step;  // elements from one entry of the inner dimension to the next
};

// All of b for the tiles: columns before `direct` are read where they lie, the others were packed
// by pack_b.
template <class Entries>
struct TiledB {
  const typename Entries::Packed* packed;
  Operand<Entries> operand;
  std::int64_t direct;

  // The strip at `col`, from entry `first` of the inner dimension, which is step `start` of the
  // operand. `entries` make up a packed block of it.
  StripOfB<Entries> strip(std::int64_t start, std::int64_t first, std::int64_t entries,
                          std::int64_t col, std::int64_t cols) const {
    if constexpr (Entries::kReadsUnpacked) {
      if (col < direct) return {operand.at(start, col), operand.stride};
    }
    return {packed + first * round_up(cols, kWideCols<Entries>) + col * entries,
            strip_width<Entries>(col, cols)};
  }
};

// One tile of the target at `out`, from a packed strip of a and one of b.
template <class Entries, int Rows, int Vectors, class T>
void multiply_tile(const typename Entries::Packed* strip_a, StripOfB<Entries> strip_b,
                   std::int64_t entries, T alpha, T beta, std::int64_t rows, std::int64_t cols,
                   T* out, std::int64_t stride) {
  GemmTile<Entries, Rows, Vectors> tile;
  tile.prefetch(out, rows, stride);
  tile.multiply(entries, strip_a, strip_b.data, strip_b.step);
  if (rows == tile.kRows && cols == tile.kCols) {
    tile.store_whole(alpha, beta, out, stride);
  } else {
    tile.store(alpha, beta, rows, cols, out, stride);
  }
}

// One strip of columns of the target, from `col`: a packed block of a times a packed strip of b.
// Heights often leave two or four rows over (128, 256, 800), which get a tile of that height.
template <class Entries, int Vectors, class T>
void multiply_strip(const typename Entries::Packed* packed_a, StripOfB<Entries> strip_b,
                    std::int64_t entries, T beta, std::int64_t col, const Target<T>& target) {
  const std::int64_t cols = std::min<std::int64_t>(Vectors * Vector<T>::kLanes, target.cols - col);
  for (std::int64_t i = 0; i < target.rows; i += kTileRows, packed_a += kTileRows * entries) {
    const std::int64_t rows = std::min<std::int64_t>(kTileRows, target.rows - i);
    T* out = target.data + (target.row + i) * target.stride + col;
    const auto tile = [&]<int Rows>() {
      multiply_tile<Entries, Rows, Vectors>(packed_a, strip_b, entries, target.alpha, beta, rows,
                                            cols, out, target.stride);
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
template <class Entries, class T>
void multiply_rows(MemoryPool& pool, const Operand<Entries>& a, const TiledB<Entries>& b,
                   std::int64_t start, std::int64_t depth, const Target<T>& target) {
  constexpr int kCols = kWideCols<Entries>;
  Array<typename Entries::Packed> packed_a(pool, kRowBlock * kDepthBlock + kPackedSlack);
  const std::int64_t step_depth = depth_block<Entries>(depth);
  for (std::int64_t block = 0; block < depth; block += step_depth) {
    const std::int64_t block_depth = std::min(step_depth, depth - block);
    const std::int64_t entries = entries_of<Entries>(block_depth);
    const T beta = block == 0 ? target.beta : T(1);
    pack_a<Entries>(a, target.row, target.rows, start + block, block_depth, packed_a.data());
    for (std::int64_t col = 0; col < target.cols; col += kCols) {
      const StripOfB<Entries> strip =
          b.strip(start + block, entries_of<Entries>(block), entries, col, target.cols);
      if (strip_width<Entries>(col, target.cols) == kCols) {
        multiply_strip<Entries, 2>(packed_a.data(), strip, entries, beta, col, target);
      } else {
        multiply_strip<Entries, 1>(packed_a.data(), strip, entries, beta, col, target);
      }
    }
  }
}

// body(first, last) over blocks of rows that are a task each: as many for every thread, of as many
// tiles each as can be. With whole blocks and the rest, 1,207 rows would be three and a half blocks
// for every one of two threads, and take four. Where rows are cut changes no element.
template <class Body>
void for_row_blocks(CpuContext& context, std::int64_t rows, const Body& body) {
  const std::int64_t tiles = chunk_count(rows, kTileRows);
  const std::int64_t threads = context.threads();
  const std::int64_t wanted = threads * chunk_count(chunk_count(rows, kRowBlock), threads);
  const std::int64_t blocks = std::min(tiles, wanted);
  parallel_for(context, blocks, 1, [&](std::int64_t block, std::int64_t) {
    body(block * tiles / blocks * kTileRows,
         std::min(rows, (block + 1) * tiles / blocks * kTileRows));
  });
}

// Many rows: b is packed once, every block of rows is a task.
template <class Entries, class T>
void multiply_by_row_blocks(CpuContext& context, const Operand<Entries>& a,
                            const Operand<Entries>& b, std::int64_t depth, T alpha, T beta,
                            const GemmOutput<T>& out) {
  const std::int64_t strips = chunk_count(out.cols, kWideCols<Entries>);
  const std::int64_t padded_cols = strips * kWideCols<Entries>;
  const std::int64_t span =
      std::max(kDepthBlock, kPackedLimit / padded_cols / kDepthBlock * kDepthBlock);
  Array<typename Entries::Packed> packed(context.pool(),
                                         entries_of<Entries>(std::min(span, depth)) * padded_cols);
  for (std::int64_t start = 0; start < depth; start += span) {
    const std::int64_t part = std::min(span, depth - start);
    const bool starts_at_bias = start == 0 && out.bias != nullptr;
    const T part_beta = start == 0 && !starts_at_bias ? beta : T(1);
    parallel_for(context, strips, 4, [&](std::int64_t first, std::int64_t last) {
      pack_b<Entries>(b, start, part, out.cols, first, last, packed.data());
    });
    for_row_blocks(context, out.rows, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; starts_at_bias && row < last; ++row) {
        std::copy_n(out.bias, out.cols, out.data + row * out.stride);
      }
      multiply_rows(
          context.pool(), a, TiledB<Entries>{packed.data(), b, 0}, start, part,
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
template <class Entries, class T>
void multiply_by_slices(CpuContext& context, const Operand<Entries>& a, const Operand<Entries>& b,
                        std::int64_t depth, std::int64_t slices, T alpha, T beta,
                        const GemmOutput<T>& out) {
  const std::int64_t slice = round_up(chunk_count(depth, slices), 8);
  const std::int64_t parts = chunk_count(depth, slice);
  const std::int64_t strips = chunk_count(out.cols, kWideCols<Entries>);
  const bool reads_b = Entries::kReadsUnpacked && !b.transposed;
  const std::int64_t direct = reads_b ? out.cols / kWideCols<Entries> * kWideCols<Entries> : 0;
  Array<T> partial(context.pool(), parts * out.size());
  parallel_for(context, depth, slice, [&](std::int64_t first, std::int64_t last) {
    Array<typename Entries::Packed> packed(context.pool(),
                                           kDepthBlock * strips * kWideCols<Entries>);
    T* part = partial.data() + first / slice * out.size();
    const std::int64_t step = depth_block<Entries>(last - first);
    for (std::int64_t start = first; start < last; start += step) {
      const std::int64_t block_depth = std::min(step, last - start);
      const T part_beta = start == first ? T(0) : T(1);
      pack_b<Entries>(b, start, block_depth, out.cols, direct / kWideCols<Entries>, strips,
                      packed.data());
      for (std::int64_t row = 0; row < out.rows; row += kRowBlock) {
        multiply_rows(context.pool(), a, TiledB<Entries>{packed.data(), b, direct}, start,
                      block_depth,
                      Target<T>{T(1), part_beta, row, std::min(kRowBlock, out.rows - row), out.cols,
                                part, out.cols});
      }
    }
  });
  add_partial_products(context, partial.data(), parts, alpha, beta, out);
}

template <class Entries, class T>
void multiply(CpuContext& context, const Operand<Entries>& left, const Operand<Entries>& right,
              std::int64_t depth, T alpha, T beta, const GemmOutput<T>& out) {
  if (out.size() == 0) return;
  if (depth == 0) {
    Array<T> nothing(context.pool(), out.size());
    std::fill_n(nothing.data(), out.size(), T(0));
    add_partial_products(context, nothing.data(), 1, alpha, beta, out);
    return;
  }
  const std::int64_t slices = slices_on_host(out.rows, kRowBlock, depth);
  if (slices > 1) {
    multiply_by_slices<Entries>(context, left, right, depth, slices, alpha, beta, out);
  } else {
    multiply_by_row_blocks<Entries>(context, left, right, depth, alpha, beta, out);
  }
}

}  // namespace

template <class T>
void strided_gemm(CpuContext& context, const GemmOperand<T>& left, const GemmOperand<T>& right,
                  std::int64_t depth, T alpha, T beta, const GemmOutput<T>& out) {
  if constexpr (std::is_same_v<T, float>) {
    switch (context.matmul_precision()) {
      case MatmulPrecision::kHighest:
        break;
      case MatmulPrecision::kHigh:
        return multiply<Tf32Entries>(context, left, right, depth, alpha, beta, out);
      case MatmulPrecision::kMedium:
        return multiply<Bf16Entries>(context, left, right, depth, alpha, beta, out);
    }
  }
  multiply<ExactEntries<T>>(context, left, right, depth, alpha, beta, out);
}

namespace {

template <class T>
GemmOperand<T> whole_operand(MatrixView<const T> x, Layout layout) {
  return {x.data, x.cols, layout == Layout::kTransposed};
}

template <class T>
GemmOutput<T> whole_output(MatrixView<T> out) {
  return {out.data, out.rows, out.cols, out.cols};
}

}  // namespace

template <class T>
void gemm(CpuContext& context, Layout layout_a, Layout layout_b, T alpha, MatrixView<const T> a,
          MatrixView<const T> b, T beta, MatrixView<T> out) {
  const GemmSizes size = checked_gemm_sizes(layout_a, layout_b, a, b, out);
  strided_gemm(context, whole_operand(a, layout_a), whole_operand(b, layout_b), size.depth, alpha,
               beta, whole_output(out));
}

void gemm_of_bfloat16(CpuContext& context, Layout layout_a, Layout layout_b, float alpha,
                      MatrixView<const BFloat16> a, MatrixView<const BFloat16> b, float beta,
                      MatrixView<float> out) {
  const GemmSizes size = checked_gemm_sizes(layout_a, layout_b, a, b, out);
  multiply<StoredBf16Entries>(context, whole_operand(a, layout_a), whole_operand(b, layout_b),
                              size.depth, alpha, beta, whole_output(out));
}

template <class T>
void gemm_of_rows(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> a,
                  MatrixView<const T> b, T beta, MatrixView<T> out) {
  const std::int64_t depth = std::ssize(rows);
  M2ST_CHECK(b.rows == depth && out.rows == a.cols && out.cols == b.cols, "gemm_of_rows: ", depth,
             " rows of a width of ", a.cols, ", b is ", b.rows, " x ", b.cols, ", out is ",
             out.rows, " x ", out.cols);
  const GemmOperand<T> left{a.data, a.cols, true, rows.data()};
  strided_gemm(context, left, whole_operand(b, Layout::kPlain), depth, T(1), beta,
               whole_output(out));
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
