// The kinds of graph as squidpy.gr.spatial_neighbors_{knn,radius,delaunay,grid} builds them, edge
// for edge, but for which of equally far cells are the nearest (there the smaller ids).
#pragma once

#include "data/graph/neighbourhoods.h"
#include "data/graph/spatial_graph.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// Fills the adjacency and says what was used. result.kind, radius and neighbours hold what was
// asked for; at least two cells. Rings and intervals of lengths are the caller's to apply.
void build_as_squidpy(CpuContext& context, MatrixView<const double> coordinates, EdgeLimit limit,
                      SpatialGraph& result);

}  // namespace m2st::data
