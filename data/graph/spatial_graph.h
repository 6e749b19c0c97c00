// Graphs from coordinates. Always symmetric, without self loops; isolated nodes are kept and
// counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

enum class GraphKind { kAuto, kRadius, kKnn, kDelaunay, kGrid };

struct SpatialGraphOptions {
  GraphKind kind = GraphKind::kAuto;
  double radius = 0;   // coordinate units; 0: the radius that gives mean degree about 6
  int neighbours = 0;  // kNN: 0 means 6; grid: 0 means the lattice's own (6 hexagonal, 4 square)
  std::int64_t memory_limit = 0;  // bytes the graph may take; 0: half of the machine's memory
};

struct SpatialGraph {
  Adjacency adjacency;
  GraphKind kind = GraphKind::kAuto;  // what was built, never kAuto
  double radius = 0;                  // what was used, where a radius was
  int neighbours = 0;
  double mean_degree = 0;
  std::int64_t isolated_nodes = 0;
  std::int64_t components = 0;
  std::vector<std::string> warnings;
};

// coordinates: (N, 2 or 3), finite. Automatic choice: a lattice (coefficient of variation of the
// nearest-neighbour distance below 5 %, lone cells left out) → grid, else radius. Distances in
// double. Errors: 2 (radius or neighbours negative or no number; an explicit radius of 0 is the
// caller's to refuse), 4 (coincident or collinear points for Delaunay, with advice; all cells at
// one place and no radius given), 5 (neighbours >= N, a grid of cells on no lattice), 6 (the graph
// would not fit: estimated, then counted, before memory for its edges is taken).
SpatialGraph build_spatial_graph(CpuContext& context, MatrixView<const double> coordinates,
                                 const SpatialGraphOptions& options);

std::string to_string(GraphKind kind);

}  // namespace m2st::data
