// Graphs from coordinates, without self loops; isolated nodes are kept and counted. Symmetric,
// except that squidpy's semantics have edges that go one way (graph.h makes them go both).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/graph/edge_weights.h"
#include "data/graph/graph.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

enum class GraphKind { kAuto, kRadius, kKnn, kDelaunay, kGrid };

// What the kinds mean: m2st's own, or those of squidpy.gr.spatial_neighbors, edge for edge;
// docs/graphs.md lists where they differ.
enum class GraphSemantics { kM2st, kSquidpy };

struct SpatialGraphOptions {
  GraphKind kind = GraphKind::kAuto;
  GraphSemantics semantics = GraphSemantics::kM2st;
  double radius = 0;        // coordinate units; 0: the radius that gives mean degree about 6
  double least_radius = 0;  // radius, Delaunay: shorter edges are left out
  int neighbours = 0;  // kNN: 0 means 6; grid: 0 means the lattice's own (6 hexagonal, 4 square)
  int rings = 1;       // grid: everything in that many steps
  double percentile =
      100;  // radius, kNN, Delaunay of squidpy: of lengths; longer edges are left out
  GraphTransform transform = GraphTransform::kNone;  // of connectivities_of, like the next
  bool diagonal = false;                             // every cell its own neighbour
  std::int64_t memory_limit = 0;  // bytes the graph may take; 0: half of the machine's memory
};

struct SpatialGraph {
  Adjacency adjacency;
  std::vector<std::int32_t> steps;    // (E) of squidpy's grid: its distances; empty otherwise
  bool symmetric = true;              // known to be
  GraphKind kind = GraphKind::kAuto;  // what was built, never kAuto
  double radius = 0;                  // what was used, where a radius was
  int neighbours = 0;
  double mean_degree = 0;
  std::int64_t isolated_nodes = 0;
  std::int64_t components = 0;
  std::vector<std::string> warnings;
};

// coordinates: (N, 2 or 3), finite. Automatic choice: a lattice (coefficient of variation of the
// nearest-neighbour distance below 5 %, lone cells left out) → grid, else radius (kNN in squidpy's
// semantics). Delaunay with a radius leaves out longer edges. Distances in double. Errors: 2
// (radius or neighbours negative or no number; an explicit radius of 0 is the caller's to refuse;
// squidpy's radius graph without one), 4 (coincident or collinear points for Delaunay, with advice;
// all cells at one place and no radius given), 5 (neighbours >= N, a grid of cells on no lattice),
// 6 (the graph would not fit: estimated, then counted, before memory for its edges is taken).
SpatialGraph build_spatial_graph(CpuContext& context, MatrixView<const double> coordinates,
                                 const SpatialGraphOptions& options);

// (E): Euclidean, or steps where those are the distances.
std::vector<double> distances_of(CpuContext& context, const SpatialGraph& graph,
                                 MatrixView<const double> coordinates);

// The graph as it is handed to others. Training and clustering walk the plain edges.
WeightedGraph connectivities_of(CpuContext& context, const SpatialGraph& graph,
                                const SpatialGraphOptions& options);
bool has_plain_connectivities(const SpatialGraphOptions& options);

// Fills mean_degree, isolated_nodes and components; build_spatial_graph has done so.
void count_degrees(SpatialGraph& graph);

std::string to_string(GraphKind kind);

}  // namespace m2st::data
