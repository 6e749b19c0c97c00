// An adjacency put together row by row, in parallel, without knowing its size before.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "data/graph/graph.h"
#include "data/graph/neighbourhoods.h"
#include "engine/cpu_context.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

inline constexpr std::int64_t kRowsGrain = 2048;

// Rows from fill(i, row), which appends what row i holds, ascending. Refuses more than the limit;
// the total decides, so the outcome is the same for any number of threads.
template <class Fill>
Adjacency rows_of(CpuContext& context, std::int64_t nodes, EdgeLimit limit, Fill&& fill) {
  std::vector<std::vector<std::int32_t>> chunks(
      static_cast<std::size_t>(chunk_count(nodes, kRowsGrain)));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(nodes));
  std::atomic<std::int64_t> total = 0;
  parallel_for(context, nodes, kRowsGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t>& chunk = chunks[begin / kRowsGrain];
    for (std::int64_t i = begin; i < end && total.load() <= limit.edges; ++i) {
      const std::size_t before = chunk.size();
      fill(static_cast<std::int32_t>(i), chunk);
      counts[i] = static_cast<std::int64_t>(chunk.size() - before);
      total.fetch_add(counts[i]);
    }
  });
  if (total.load() > limit.edges) refuse_edges(limit, static_cast<double>(total.load()), nodes);
  Adjacency adjacency;
  adjacency.offsets.resize(counts.size() + 1);
  kernels::exclusive_scan(context, counts, adjacency.offsets);
  adjacency.neighbours.resize(static_cast<std::size_t>(adjacency.offsets.back()));
  parallel_for(context, nodes, kRowsGrain, [&](std::int64_t begin, std::int64_t) {
    std::vector<std::int32_t>& chunk = chunks[begin / kRowsGrain];
    std::copy(chunk.begin(), chunk.end(), adjacency.neighbours.begin() + adjacency.offsets[begin]);
    std::vector<std::int32_t>().swap(chunk);
  });
  return adjacency;
}

}  // namespace m2st::data
