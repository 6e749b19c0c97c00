// Orders and offsets. Integers only, so sums may be taken chunk by chunk without changing a result;
// argsort is a stable radix sort from the lowest byte up.
#include "kernels/sort.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kGrain = 1 << 15;
constexpr int kDigits = 256;
constexpr int kDigitBits = 8;

using Histogram = std::array<std::int64_t, kDigits>;

struct Entry {
  std::uint64_t key;
  std::int32_t index;
};

int digit_of(std::uint64_t key, int shift) {
  return static_cast<int>(key >> shift & static_cast<std::uint64_t>(kDigits - 1));
}

// Turns the chunks' histograms into where each chunk writes its first entry of each digit.
void to_positions(std::vector<Histogram>& histograms) {
  std::int64_t position = 0;
  for (int digit = 0; digit < kDigits; ++digit) {
    for (Histogram& histogram : histograms) {
      position += std::exchange(histogram[static_cast<std::size_t>(digit)], position);
    }
  }
}

void sort_by_digit(CpuContext& context, int shift, Span<const Entry> from, Span<Entry> to) {
  const auto n = static_cast<std::int64_t>(from.size());
  std::vector<Histogram> positions(static_cast<std::size_t>(chunk_count(n, kGrain)));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Histogram& histogram = positions[static_cast<std::size_t>(begin / kGrain)];
    histogram.fill(0);
    for (std::int64_t i = begin; i < end; ++i) {
      ++histogram[static_cast<std::size_t>(digit_of(from[i].key, shift))];
    }
  });
  to_positions(positions);
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Histogram& position = positions[static_cast<std::size_t>(begin / kGrain)];
    for (std::int64_t i = begin; i < end; ++i) {
      to[position[static_cast<std::size_t>(digit_of(from[i].key, shift))]++] = from[i];
    }
  });
}

// The bits in which not all keys agree.
std::uint64_t varying_bits(CpuContext& context, Span<const std::uint64_t> keys) {
  return parallel_reduce(
      context, static_cast<std::int64_t>(keys.size()), kGrain, std::uint64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::uint64_t bits = 0;
        for (std::int64_t i = begin; i < end; ++i) bits |= keys[i] ^ keys[0];
        return bits;
      },
      [](std::uint64_t a, std::uint64_t b) { return a | b; });
}

}  // namespace

void exclusive_scan(CpuContext& context, Span<const std::int64_t> counts,
                    Span<std::int64_t> offsets) {
  const auto n = static_cast<std::int64_t>(counts.size());
  M2ST_CHECK(offsets.size() == counts.size() + 1, "exclusive_scan: size of offsets (got ",
             offsets.size(), ", need ", counts.size() + 1, ")");
  std::vector<std::int64_t> starts(static_cast<std::size_t>(chunk_count(n, kGrain)));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t total = 0;
    for (std::int64_t i = begin; i < end; ++i) total += counts[i];
    starts[static_cast<std::size_t>(begin / kGrain)] = total;
  });
  std::int64_t total = 0;
  for (std::int64_t& start : starts) total += std::exchange(start, total);
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t running = starts[static_cast<std::size_t>(begin / kGrain)];
    for (std::int64_t i = begin; i < end; ++i) {
      offsets[i] = running;
      running += counts[i];
    }
  });
  offsets[n] = total;
}

void argsort(CpuContext& context, Span<const std::uint64_t> keys, Span<std::int32_t> order) {
  const auto n = static_cast<std::int64_t>(keys.size());
  M2ST_CHECK(order.size() == keys.size(), "argsort: size of order (got ", order.size(), ", need ",
             keys.size(), ")");
  if (n == 0) return;
  Array<Entry> entries(context.pool(), n), sorted(context.pool(), n);
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) entries[i] = {keys[i], static_cast<std::int32_t>(i)};
  });
  const std::uint64_t varying = varying_bits(context, keys);
  for (int shift = 0; shift < 64; shift += kDigitBits) {
    if (digit_of(varying, shift) == 0) continue;
    sort_by_digit(context, shift, entries.span(), sorted.span());
    std::swap(entries, sorted);
  }
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) order[i] = entries[i].index;
  });
}

void invert_permutation(CpuContext& context, Span<const std::int32_t> order,
                        Span<std::int32_t> inverse) {
  M2ST_CHECK(inverse.size() == order.size(), "invert_permutation: size of inverse (got ",
             inverse.size(), ", need ", order.size(), ")");
  parallel_for(context, static_cast<std::int64_t>(order.size()), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   inverse[order[i]] = static_cast<std::int32_t>(i);
                 }
               });
}

}  // namespace m2st::kernels
