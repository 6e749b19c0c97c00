// How cells lie: on a lattice or not, and how far apart. From a sample of at most some thousand
// cells, taken evenly along the Hilbert curve: the same sample for the same coordinates.
#pragma once

#include "data/graph/neighbour_tree.h"
#include "engine/cpu_context.h"

namespace m2st::data {

struct Spacing {
  double nearest = 0;    // median distance to the nearest cell at another place; infinity if none
  double variation = 0;  // coefficient of variation of that distance, lone cells left out
  bool lattice = false;  // variation below 5 %
};

Spacing spacing_of(CpuContext& context, const NeighbourTree& tree);

// The radius with about six neighbours a cell. Where the number of neighbours jumps with the
// radius, as on lattices, the middle of the wide gap near six. At least two places are needed.
double radius_of_six(CpuContext& context, const NeighbourTree& tree, const Spacing& spacing);

// Lattices: the radius that reaches the nearest `neighbours` of an inner cell, and no further.
double radius_of_shell(CpuContext& context, const NeighbourTree& tree, int neighbours);

}  // namespace m2st::data
