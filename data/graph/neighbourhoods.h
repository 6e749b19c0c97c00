// The kinds of spatial graph, each from coordinates that were checked before: finite, at least one
// cell, (N, 2 or 3). build_spatial_graph (spatial_graph.h) chooses, checks and describes.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "data/graph/graph.h"
#include "data/graph/neighbour_tree.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// What may be spent: a graph of more directed edges than this is refused with exit code 6, before
// memory for its edges is taken.
struct EdgeLimit {
  std::int64_t edges = 0;
  std::int64_t bytes = 0;  // for the message
};
[[noreturn]] void refuse_edges(EdgeLimit limit, double edges, std::int64_t nodes);

// All pairs at most `radius` > 0 apart.
Adjacency radius_graph(CpuContext& context, MatrixView<const double> coordinates, double radius,
                       EdgeLimit limit);

// Union of everyone's `neighbours` (0 .. N-1) nearest; of equally far ones the smaller ids.
Adjacency nearest_graph(CpuContext& context, const NeighbourTree& tree, int neighbours,
                        EdgeLimit limit);

// Edges of the Delaunay triangulation (Qhull). Exit code 4 with advice for coincident or collinear
// cells.
Adjacency delaunay_graph(CpuContext& context, MatrixView<const double> coordinates);

// The same as scipy.spatial.Delaunay has them: coordinates are taken as they are, which decides how
// squares are cut, and of coincident cells all but one have no edges. Exit code 4 for flat ones.
Adjacency delaunay_graph_as_scipy(CpuContext& context, MatrixView<const double> coordinates);

// Symmetric adjacency of undirected pairs, in any order and either direction, repeats allowed.
using NodePair = std::pair<std::int32_t, std::int32_t>;
Adjacency adjacency_from_pairs(CpuContext& context, std::int64_t nodes, Span<const NodePair> pairs);

}  // namespace m2st::data
