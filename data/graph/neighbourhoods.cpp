#include "data/graph/neighbourhoods.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "data/graph/strip_index.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 2048;
// Cells whose neighbours are counted to foresee the size of a radius graph.
constexpr std::int64_t kSampledCells = 512;

// An estimate this far above the limit is beyond doubt; nearer to it, neighbours are counted.
constexpr double kBeyondDoubt = 2;

// Mean over a sample of cells, times all cells: an order of magnitude, at a bounded cost.
double estimated_edges(CpuContext& context, const StripIndex& index) {
  const std::int64_t n = index.size();
  const std::int64_t samples = std::min(n, kSampledCells);
  const std::int64_t found = parallel_reduce(
      context, samples, 8, std::int64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::int64_t total = 0;
        for (std::int64_t s = begin; s < end; ++s) {
          const std::int64_t place = s * n / samples;
          index.visit_counts(place, place + 1,
                             [&](std::int64_t, std::int64_t count) { total += count; });
        }
        return total;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
  return static_cast<double>(found) / static_cast<double>(samples) * static_cast<double>(n);
}

// Neighbours of every node. Stops once they are too many; the total decides, not the order in
// which it was reached, so the outcome is the same for any number of threads.
std::vector<std::int64_t> counted(CpuContext& context, const StripIndex& index, EdgeLimit limit) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(index.size()));
  std::atomic<std::int64_t> total = 0;
  parallel_for(context, index.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    if (total.load() > limit.edges) return;
    std::int64_t found = 0;
    index.visit_counts(begin, end, [&](std::int64_t place, std::int64_t count) {
      counts[index.node(place)] = count;
      found += count;
    });
    total.fetch_add(found);
  });
  if (total.load() > limit.edges) {
    refuse_edges(limit, static_cast<double>(total.load()), index.size());
  }
  return counts;
}

}  // namespace

void refuse_edges(EdgeLimit limit, double edges, std::int64_t nodes) {
  fail(ExitCode::kOutOfMemory, "graph: would have at least ", edges, " edges, ",
       edges / static_cast<double>(nodes), " a cell, and not fit into ", limit.bytes >> 20,
       " MiB; give a smaller --radius or fewer --neighbors (six a cell are usual; a radius is in ",
       "the units of the coordinates)");
}

Adjacency radius_graph(CpuContext& context, MatrixView<const double> coordinates, double radius,
                       EdgeLimit limit) {
  const StripIndex index(context, coordinates, radius);
  if (const double edges = estimated_edges(context, index);
      edges > kBeyondDoubt * static_cast<double>(limit.edges)) {
    refuse_edges(limit, edges, index.size());
  }
  const std::vector<std::int64_t> counts = counted(context, index, limit);
  Adjacency adjacency;
  adjacency.offsets.resize(counts.size() + 1);
  kernels::exclusive_scan(context, counts, adjacency.offsets);
  adjacency.neighbours.resize(static_cast<std::size_t>(adjacency.offsets.back()));
  std::vector<std::int64_t> next(adjacency.offsets.begin(), adjacency.offsets.end() - 1);
  parallel_for(context, index.size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    index.visit_pairs(begin, end, [&](std::int64_t place, std::int64_t other) {
      adjacency.neighbours[next[index.node(place)]++] = index.node(other);
    });
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int32_t node = index.node(place);
      std::sort(adjacency.neighbours.begin() + adjacency.offsets[node],
                adjacency.neighbours.begin() + adjacency.offsets[node + 1]);
    }
  });
  return adjacency;
}

Adjacency nearest_graph(CpuContext& context, const NeighbourTree& tree, int neighbours,
                        EdgeLimit limit) {
  const std::vector<std::int32_t>& order = tree.order();
  const auto n = static_cast<std::int64_t>(order.size());
  // Every pair may be one-way, which the union makes two directed edges.
  const double edges = 2.0 * static_cast<double>(n) * neighbours;
  if (edges > static_cast<double>(limit.edges)) refuse_edges(limit, edges, n);
  std::vector<NodePair> pairs(static_cast<std::size_t>(n * neighbours));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Neighbour> nearest(static_cast<std::size_t>(neighbours));
    for (std::int64_t place = begin; place < end; ++place) {
      tree.nearest(order[place], nearest);
      NodePair* out = pairs.data() + place * neighbours;
      for (const Neighbour& neighbour : nearest) *out++ = {order[place], neighbour.node};
    }
  });
  return adjacency_from_pairs(context, n, pairs);
}

Adjacency adjacency_from_pairs(CpuContext& context, std::int64_t nodes,
                               Span<const NodePair> pairs) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(nodes));
  for (const auto& [a, b] : pairs) {
    ++counts[a];
    ++counts[b];
  }
  std::vector<std::int64_t> starts(counts.size() + 1);
  kernels::exclusive_scan(context, counts, starts);
  std::vector<std::int32_t> ends(2 * pairs.size());
  std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
  for (const auto& [a, b] : pairs) {
    ends[next[a]++] = b;
    ends[next[b]++] = a;
  }
  parallel_for(context, nodes, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto first = ends.begin() + starts[i], last = ends.begin() + starts[i + 1];
      std::sort(first, last);
      counts[i] = std::unique(first, last) - first;
    }
  });
  Adjacency adjacency;
  adjacency.offsets.resize(counts.size() + 1);
  kernels::exclusive_scan(context, counts, adjacency.offsets);
  adjacency.neighbours.resize(static_cast<std::size_t>(adjacency.offsets.back()));
  parallel_for(context, nodes, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(ends.begin() + starts[i], counts[i],
                  adjacency.neighbours.begin() + adjacency.offsets[i]);
    }
  });
  return adjacency;
}

}  // namespace m2st::data
