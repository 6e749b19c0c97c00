// The graph that training walks: in-edges by destination, their transpose, and global node ids.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// Neighbours as CSR without self loops, symmetric when it describes space. Rows sorted.
struct Adjacency {
  std::vector<std::int64_t> offsets;     // (N + 1)
  std::vector<std::int32_t> neighbours;  // (E)

  std::int64_t nodes() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  CsrView view() const { return {offsets, neighbours}; }
};

struct Graph {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> sources;
  std::vector<std::int64_t> out_offsets;
  std::vector<std::int32_t> out_destinations;
  std::vector<std::int64_t> out_edges;
  std::vector<std::int32_t> ids;

  GraphView view() const;
};

// Every node gets a self loop (once, should it have one already). ids become 0..N-1.
Graph graph_with_self_loops(CpuContext& context, const Adjacency& adjacency);

// The same graph with node order[i] as the new node i; ids[i] = order[i], so that randomness stays
// with the node. order: a permutation of 0..N-1.
Graph reordered(CpuContext& context, const Graph& graph, Span<const std::int32_t> order);
Adjacency reordered(CpuContext& context, const Adjacency& adjacency,
                    Span<const std::int32_t> order);

// Throws exit code 4 when offsets or indices are out of range; 4 with the first pair when a claim
// of symmetry does not hold.
void validate(const Adjacency& adjacency, bool symmetric);

}  // namespace m2st::data
