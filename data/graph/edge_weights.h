// Weights of edges as squidpy.gr.spatial_neighbors gives them (`transform`, `set_diag`). Nothing
// here trains on weights: they are for those who read the graph.
#pragma once

#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "data/graph/neighbourhoods.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// With A of ones: A itself, D^-1/2 A D^-1/2 where D sums columns, or the cosines between rows of A.
enum class GraphTransform { kNone, kSpectral, kCosine };

struct WeightedGraph {
  Adjacency adjacency;
  std::vector<float> weights;  // (E)
};

// `diagonal`: every node is its own neighbour before the transform. Of a node that no edge ends at,
// spectral weights would be infinite, and are 0. Cosines join nodes with a neighbour in common,
// each with itself too; exit code 6 when those are more than the limit.
WeightedGraph weighted_graph(CpuContext& context, const Adjacency& adjacency,
                             GraphTransform transform, bool diagonal, EdgeLimit limit);

std::string to_string(GraphTransform transform);

}  // namespace m2st::data
