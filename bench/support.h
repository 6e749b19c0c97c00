// What benchmarks share: a graph like a tissue's, random arrays, and how work is reported.
// Counters say what the algorithm moves and computes, not what the caches make of it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/random.h"
#include "engine/view.h"

namespace m2st::bench {

// A triangular lattice (six neighbours) with self loops, its nodes along a Morton curve.
struct LatticeGraph {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> sources, ids;
  std::vector<std::int64_t> out_edges;

  // The lattice is symmetric: the transpose has the same offsets and ends.
  GraphView view() const { return {{offsets, sources}, {offsets, sources, out_edges}, ids}; }
  std::int64_t edges() const { return static_cast<std::int64_t>(sources.size()); }
};

inline std::uint64_t morton_code(std::uint32_t x, std::uint32_t y) {
  std::uint64_t code = 0;
  for (int bit = 0; bit < 32; ++bit) {
    code |= (static_cast<std::uint64_t>(x >> bit & 1) << (2 * bit)) |
            (static_cast<std::uint64_t>(y >> bit & 1) << (2 * bit + 1));
  }
  return code;
}

inline LatticeGraph lattice_graph(std::int64_t nodes) {
  std::int64_t side = 1;
  while (side * side < nodes) ++side;
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  for (std::int64_t cell = 0; cell < side * side; ++cell) {
    order.emplace_back(morton_code(cell % side, cell / side), cell);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::int32_t> node_of(order.size(), -1);
  for (std::int64_t i = 0; i < nodes; ++i) node_of[order[i].second] = static_cast<std::int32_t>(i);
  constexpr int kSteps[7][2] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, -1}, {-1, 1}};
  LatticeGraph graph;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (const auto& step : kSteps) {
      const std::int64_t x = order[i].second % side + step[0];
      const std::int64_t y = order[i].second / side + step[1];
      if (x < 0 || y < 0 || x >= side || y >= side || node_of[y * side + x] < 0) continue;
      graph.sources.push_back(node_of[y * side + x]);
    }
    std::sort(graph.sources.begin() + graph.offsets.back(), graph.sources.end());
    graph.offsets.push_back(graph.edges());
    graph.ids.push_back(static_cast<std::int32_t>(i));
  }
  for (std::int64_t j = 0; j < nodes; ++j) {
    for (std::int64_t p = graph.offsets[j]; p < graph.offsets[j + 1]; ++p) {
      const std::int32_t i = graph.sources[p];
      const auto begin = graph.sources.begin();
      const auto found = std::lower_bound(begin + graph.offsets[i], begin + graph.offsets[i + 1],
                                          static_cast<std::int32_t>(j));
      graph.out_edges.push_back(found - begin);
    }
  }
  return graph;
}

// Uniform in (−1, 1); from the context's pool, whose blocks start on a cache line.
template <class T>
Matrix<T> random_matrix(CpuContext& context, std::int64_t rows, std::int64_t cols,
                        std::uint32_t stream) {
  Matrix<T> values(context.pool(), rows, cols);
  for (std::int64_t k = 0; k < values.size(); ++k) {
    const RandomKey key{1, stream, 0};
    values.data()[k] = static_cast<T>(2 * random_uniform(key, static_cast<std::uint32_t>(k)) - 1);
  }
  return values;
}

// Bytes and operations of one iteration: reported a second.
inline void report(benchmark::State& state, double bytes, double operations) {
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["B/s"] = benchmark::Counter(bytes, rate, benchmark::Counter::kIs1000);
  state.counters["FLOP/s"] = benchmark::Counter(operations, rate, benchmark::Counter::kIs1000);
}

}  // namespace m2st::bench
