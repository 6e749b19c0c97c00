// What benchmarks share: a graph like a tissue's, random arrays, and how work is reported.
// Counters say what the algorithm moves and computes, not what the caches make of it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "bench/ceilings.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "engine/trace.h"
#include "engine/view.h"

namespace m2st::bench {

// A lattice with self loops, its nodes along a Morton curve.
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

// The steps to the in-neighbours of an inner node, itself included: a triangular lattice (degree 7)
// or a square one with two rings less their corners (21).
inline std::vector<std::pair<int, int>> lattice_steps(std::int64_t degree) {
  if (degree == 7) return {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, -1}, {-1, 1}};
  M2ST_CHECK(degree == 21, "lattice_graph: degree is ", degree, ", there are 7 and 21");
  std::vector<std::pair<int, int>> steps;
  for (int x = -2; x <= 2; ++x) {
    for (int y = -2; y <= 2; ++y) {
      if (x * x + y * y < 8) steps.emplace_back(x, y);
    }
  }
  return steps;
}

inline LatticeGraph lattice_graph(std::int64_t nodes, std::int64_t degree = 7) {
  std::int64_t side = 1;
  while (side * side < nodes) ++side;
  std::vector<std::pair<std::uint64_t, std::int64_t>> order;
  for (std::int64_t cell = 0; cell < side * side; ++cell) {
    order.emplace_back(morton_code(cell % side, cell / side), cell);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::int32_t> node_of(order.size(), -1);
  for (std::int64_t i = 0; i < nodes; ++i) node_of[order[i].second] = static_cast<std::int32_t>(i);
  const std::vector<std::pair<int, int>> steps = lattice_steps(degree);
  LatticeGraph graph;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (const auto& [step_x, step_y] : steps) {
      const std::int64_t x = order[i].second % side + step_x;
      const std::int64_t y = order[i].second / side + step_y;
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
  constexpr std::int64_t kRowsPerChunk = 1024;
  Matrix<T> values(context.pool(), rows, cols);
  parallel_for(context, rows, kRowsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin * cols; k < end * cols; k += 4) {
      const std::uint64_t place = static_cast<std::uint64_t>(k);
      const PhiloxBlock bits = philox(1, {{static_cast<std::uint32_t>(place),
                                           static_cast<std::uint32_t>(place >> 32), 0, stream}});
      for (std::int64_t i = 0; i < std::min<std::int64_t>(4, end * cols - k); ++i) {
        values.data()[k + i] = static_cast<T>(2 * to_uniform(bits.word[i]) - 1);
      }
    }
  });
  return values;
}

// Integers in [0, bound).
inline std::vector<std::int32_t> random_labels(std::int64_t count, std::uint32_t bound) {
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<std::int32_t>(
        random_index({1, stream_of(Purpose::kTest, 1), 0}, bound, static_cast<std::uint32_t>(i))));
  }
  return labels;
}

// Times `body` alone, with none of its data in the caches; the benchmark needs UseManualTime().
template <class Body>
void run_cold(benchmark::State& state, CpuContext& context, Body&& body) {
  constexpr std::int64_t kBytes = std::int64_t{128} << 20, kChunk = std::int64_t{1} << 20;
  Array<char> sweep(context.pool(), kBytes);
  for (auto _ : state) {
    parallel_for(context, kBytes, kChunk, [&](std::int64_t begin, std::int64_t end) {
      std::memset(sweep.data() + begin, 1, static_cast<std::size_t>(end - begin));
    });
    const double start = wall_seconds();
    body();
    state.SetIterationTime(wall_seconds() - start);
  }
}

// What one iteration moves and computes: reported a second, and as shares of the ceilings. Bytes
// count every array once a pass, and gathered rows once an edge.
inline void report(benchmark::State& state, double bytes, double operations) {
  using benchmark::Counter;
  const auto rate = Counter::kIsIterationInvariantRate;
  state.counters["B/s"] = Counter(bytes, rate, Counter::kIs1000);
  state.counters["FLOP/s"] = Counter(operations, rate, Counter::kIs1000);
  state.counters["%copy"] = Counter(100 * bytes / ceilings().copy_bytes_per_second, rate);
  state.counters["%gemm"] = Counter(100 * operations / ceilings().gemm_flops_per_second, rate);
}

}  // namespace m2st::bench
