// How a warp looks at the edges of a node, all heads at once: the coefficients of a node's edges
// lie side by side, (edges × heads) row-major, and a lane keeps its head while the warp walks over
// them 32 / heads edges at a time, so that reads are contiguous for 1, 2, 4, … heads; other counts
// leave lanes idle. More than 32 heads are taken 32 at a time.
#pragma once

#include <cstdint>

#include "engine/view.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

// A graph's edges as kernels take them: grouped by destination or, from the transpose, by source.
struct CsrPointers {
  std::int64_t nodes;
  const std::int64_t* offsets;
  const std::int32_t* neighbours;
};

inline CsrPointers pointers_of(const CsrView& graph) {
  return {graph.nodes(), graph.offsets.data(), graph.sources.data()};
}

inline CsrPointers pointers_of(const TransposeView& graph) {
  return {std::ssize(graph.offsets) - 1, graph.offsets.data(), graph.destinations.data()};
}

// 8 warps a block: small blocks spread hubs over more multiprocessors.
inline constexpr int kNodesPerBlock = kBlockThreads / kWarp;

inline dim3 one_warp_a_node(std::int64_t nodes) { return blocks_for(nodes, kNodesPerBlock); }

__device__ inline std::int64_t node_of_warp() { return thread_number() / kWarp; }

// Heads of one step rounded up to a power of two, so that the lanes of one head are this far apart.
inline int lanes_per_edge(std::int64_t heads) { return lanes_of_row(heads); }

// One lane's part of a node's edges: elements first, first + stride, ... below end, all of `head`.
// Lanes beyond the last head have an empty range.
struct EdgeLanes {
  std::int64_t head;
  std::int64_t first;
  std::int64_t end;
  std::int64_t stride;
};

__device__ inline EdgeLanes edge_lanes(const std::int64_t* offsets, std::int64_t node, int heads,
                                       int first_head, int lanes_an_edge) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int head = first_head + lane % lanes_an_edge;
  const std::int64_t end = head < heads ? offsets[node + 1] * heads : 0;
  const std::int64_t first = (offsets[node] + lane / lanes_an_edge) * heads + head;
  return {head, first, end, static_cast<std::int64_t>(kWarp / lanes_an_edge) * heads};
}

}  // namespace m2st::kernels
