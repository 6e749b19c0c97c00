// Dropout on the CPU: sixteen Philox calls at a time into a buffer that stays in the nearest cache,
// then one pass over the elements they belong to.
#include "kernels/dropout.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "kernels/bfloat16.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/philox_lanes.h"
#include "kernels/math/attention_dropout.h"
#include "kernels/math/dropout.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kDraws = 8;           // of 16 bits, in one block
constexpr std::int64_t kTileBlocks = 512;    // 8 KB of draws
constexpr std::int64_t kChunkBlocks = 4096;  // 32768 elements

// The blocks of all rows one after another: block b of row n has number n · blocks_per_row + b.
struct BlockRange {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t per_row;
};

// The sixteen counters from (row, block) on, which moves on behind them.
struct Counters {
  std::uint32_t id[kCounters] = {};
  std::uint32_t block[kCounters] = {};
};

void next_counters(Span<const std::int32_t> ids, std::int64_t per_row, std::int64_t& row,
                   std::int64_t& block, Counters& counters) {
  std::int64_t filled = 0;
  while (filled < kCounters && row < static_cast<std::int64_t>(ids.size())) {
    const auto id = static_cast<std::uint32_t>(ids[row]);
    const std::int64_t count = std::min(kCounters - filled, per_row - block);
    for (std::int64_t i = 0; i < count; ++i) {
      counters.id[filled + i] = id;
      counters.block[filled + i] = static_cast<std::uint32_t>(block + i);
    }
    filled += count;
    block += count;
    if (block == per_row) {
      block = 0;
      ++row;
    }
  }
}

// The last sixteen may go beyond the tile, into draws that nobody reads.
void draw_tile(RandomKey key, Span<const std::int32_t> ids, BlockRange tile, std::uint16_t* draws) {
  std::int64_t row = tile.begin / tile.per_row;
  std::int64_t block = tile.begin % tile.per_row;
  Counters counters;
  for (std::int64_t first = tile.begin; first < tile.end; first += kCounters) {
    next_counters(ids, tile.per_row, row, block, counters);
    random_blocks(key, counters.id, counters.block, draws + (first - tile.begin) * kDraws);
  }
}

// out[i] = x[i] · factor or +=, for the columns that draws[0..count) decide.
template <class T, class Out>
void apply_draws(std::int64_t count, const std::uint16_t* draws, DropoutRule rule, const T* x,
                 Out* out, Accumulate accumulate) {
  const auto threshold = static_cast<std::uint16_t>(rule.threshold);
  const T scale = static_cast<T>(rule.scale);
  const auto value = [=](std::int64_t i) { return x[i] * (draws[i] >= threshold ? scale : T(0)); };
  if constexpr (std::is_same_v<Out, BFloat16>) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = to_bfloat16(value(i));
  } else {
    write_range(0, count, out, accumulate, value);
  }
}

// The parts of rows that a tile's blocks cover.
template <class T, class Out>
void apply_tile(BlockRange tile, const std::uint16_t* draws, DropoutRule rule,
                MatrixView<const T> x, MatrixView<Out> out, Accumulate accumulate) {
  for (std::int64_t number = tile.begin; number < tile.end;) {
    const std::int64_t row = number / tile.per_row;
    const std::int64_t next = std::min(tile.end, (row + 1) * tile.per_row);
    const std::int64_t first = (number - row * tile.per_row) * kDraws;
    const std::int64_t last = std::min(x.cols, (next - row * tile.per_row) * kDraws);
    const std::int64_t at = row * x.cols + first;
    apply_draws(last - first, draws + (number - tile.begin) * kDraws, rule, x.data + at,
                out.data + at, accumulate);
    number = next;
  }
}

template <class T>
void keep_all(CpuContext& context, MatrixView<const T> x, MatrixView<T> out,
              Accumulate accumulate) {
  if (accumulate == Accumulate::kOverwrite && out.data == x.data) return;
  write_elements(context, x.size(), out.data, accumulate,
                 [source = x.data](std::int64_t i) { return source[i]; });
}

template <class T, class Out>
void drop_rows(CpuContext& context, RandomKey key, DropoutRule rule, Span<const std::int32_t> ids,
               MatrixView<const T> x, MatrixView<Out> out, Accumulate accumulate) {
  const std::int64_t per_row = (x.cols + kDraws - 1) / kDraws;
  parallel_for(context, x.rows * per_row, kChunkBlocks, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::uint16_t draws[kTileBlocks * kDraws];
    for (std::int64_t first = begin; first < end; first += kTileBlocks) {
      const BlockRange tile{first, std::min(end, first + kTileBlocks), per_row};
      draw_tile(key, ids, tile, draws);
      apply_tile(tile, draws, rule, x, out, accumulate);
    }
  });
}

// Sixteen edges at most, from `first` on, into whichever nodes they go; `node` is that of `first`.
struct EdgeEnds {
  std::uint32_t destination[kCounters] = {};
  std::uint32_t source[kCounters] = {};
};

EdgeEnds ends_of(const GraphView& graph, std::int64_t first, std::int64_t count,
                 std::int64_t& node) {
  EdgeEnds ends;
  for (std::int64_t i = 0; i < count; ++i) {
    while (graph.in.offsets[node + 1] <= first + i) ++node;
    ends.destination[i] = static_cast<std::uint32_t>(graph.ids[node]);
    ends.source[i] = static_cast<std::uint32_t>(graph.ids[graph.in.sources[first + i]]);
  }
  return ends;
}

// Coefficients [begin, end) × H.
template <class T>
void drop_edges(const GraphView& graph, RandomKey key, DropoutRule rule, std::int64_t begin,
                std::int64_t end, MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate) {
  const auto& offsets = graph.in.offsets;
  const T scale = static_cast<T>(rule.scale);
  std::int64_t node = std::upper_bound(offsets.begin(), offsets.end(), begin) - offsets.begin() - 1;
  for (std::int64_t first = begin; first < end; first += kCounters) {
    const std::int64_t count = std::min(kCounters, end - first);
    const EdgeEnds ends = ends_of(graph, first, count, node);
    for (std::int64_t head = 0; head < x.cols; head += kHeadsPerBlock) {
      PhiloxBlock blocks[kCounters];
      random_blocks(attention_key(key, head / kHeadsPerBlock), ends.destination, ends.source,
                    blocks);
      const std::int64_t heads = std::min<std::int64_t>(kHeadsPerBlock, x.cols - head);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t at = (first + i) * x.cols + head;
        write_range(0, heads, out.data + at, accumulate, [=, &blocks](std::int64_t h) {
          return x.data[at + h] * (attention_kept(blocks[i].word[h], rule) ? scale : T(0));
        });
      }
    }
  }
}

}  // namespace

template <class T>
void dropout(CpuContext& context, RandomKey key, double probability, Span<const std::int32_t> ids,
             MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate) {
  check_dropout_shapes("dropout", static_cast<std::int64_t>(ids.size()), x, out);
  const DropoutRule rule = checked_dropout_rule("dropout", probability);
  if (rule.threshold == 0) return keep_all(context, x, out, accumulate);
  drop_rows(context, key, rule, ids, x, out, accumulate);
}

void dropout_to_bfloat16(CpuContext& context, RandomKey key, double probability,
                         Span<const std::int32_t> ids, MatrixView<const float> x,
                         MatrixView<BFloat16> out) {
  check_dropout_shapes("dropout_to_bfloat16", std::ssize(ids), x, out);
  const DropoutRule rule = checked_dropout_rule("dropout_to_bfloat16", probability);
  if (rule.threshold == 0) return round_to_bfloat16(context, x.span(), out.span());
  drop_rows(context, key, rule, ids, x, out, Accumulate::kOverwrite);
}

template <class T>
void edge_dropout(CpuContext& context, const GraphView& graph, RandomKey key, double probability,
                  MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate) {
  check_dropout_shapes("edge_dropout", graph.edges(), x, out);
  const DropoutRule rule = checked_dropout_rule("edge_dropout", probability);
  if (rule.threshold == 0) return keep_all(context, x, out, accumulate);
  parallel_for(context, graph.edges(), row_grain(x.cols),
               [&](std::int64_t begin, std::int64_t end) {
                 drop_edges(graph, key, rule, begin, end, x, out, accumulate);
               });
}

#define INSTANTIATE(T)                                                               \
  template void dropout<T>(CpuContext&, RandomKey, double, Span<const std::int32_t>, \
                           MatrixView<const T>, MatrixView<T>, Accumulate);          \
  template void edge_dropout<T>(CpuContext&, const GraphView&, RandomKey, double,    \
                                MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
