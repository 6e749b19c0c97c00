// Graphs whose edges may go one way, as squidpy makes them: row i holds the cells that i points to.
// Coordinates were checked before, as for neighbourhoods.h.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "data/graph/graph.h"
#include "data/graph/neighbour_tree.h"
#include "data/graph/neighbourhoods.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// From everyone to its `neighbours` (0 .. N-1) nearest; of equally far ones the smaller ids.
Adjacency one_way_nearest(CpuContext& context, const NeighbourTree& tree, int neighbours,
                          EdgeLimit limit);

// The same without the edges that are not shorter than 1.3 times the median of all their lengths:
// on a lattice the first ring remains, at its borders too.
Adjacency one_way_lattice(CpuContext& context, const NeighbourTree& tree, int neighbours,
                          EdgeLimit limit);

struct Rings {
  Adjacency adjacency;
  std::vector<std::int32_t> steps;  // (E) how many steps the end of an edge is away
};

// From everyone to all that is reached in at most `rings` (>= 1) steps.
Rings within_rings(CpuContext& context, const Adjacency& adjacency, int rings, EdgeLimit limit);

struct Interval {
  double least = 0;
  double most = std::numeric_limits<double>::infinity();
};

// The edges whose length is in the interval, its ends included.
Adjacency edges_of_length(CpuContext& context, const Adjacency& adjacency,
                          MatrixView<const double> coordinates, Interval interval);

// The edges no longer than the given percentile (0 to 100, between two lengths as NumPy takes it)
// of all lengths and of `zeros` lengths of 0 beside them.
Adjacency edges_to_percentile(CpuContext& context, const Adjacency& adjacency,
                              MatrixView<const double> coordinates, double percentile,
                              std::int64_t zeros);

// (E): Euclidean.
std::vector<double> edge_lengths(CpuContext& context, const Adjacency& adjacency,
                                 MatrixView<const double> coordinates);

}  // namespace m2st::data
