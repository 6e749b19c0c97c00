#include "data/graph/squidpy_graph.h"

#include <algorithm>

#include "data/graph/neighbour_tree.h"
#include "data/graph/one_way.h"
#include "data/graph/spacing.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr int kUsualNeighbours = 6;

void warn_of_lone_duplicates(SpatialGraph& result) {
  std::int64_t alone = 0;
  for (std::int64_t i = 0; i < result.adjacency.nodes(); ++i) {
    alone += result.adjacency.offsets[i] == result.adjacency.offsets[i + 1] ? 1 : 0;
  }
  if (alone > 0) {
    result.warnings.push_back(concat("graph: ", alone, " cells lie where another does, and the ",
                                     "Delaunay triangulation leaves them without neighbours"));
  }
}

}  // namespace

void build_as_squidpy(CpuContext& context, MatrixView<const double> coordinates, EdgeLimit limit,
                      SpatialGraph& result) {
  if (result.kind == GraphKind::kRadius) {
    if (result.radius == 0) {
      fail(ExitCode::kUsage, "graph: squidpy's radius graph has no automatic radius; give --radius",
           ", or use --graph-semantics m2st");
    }
    result.adjacency = radius_graph(context, coordinates, result.radius, limit);
    return;
  }
  if (result.kind == GraphKind::kDelaunay) {
    result.adjacency = delaunay_graph_as_scipy(context, coordinates);
    warn_of_lone_duplicates(result);
    return;
  }
  const NeighbourTree tree(context, coordinates);
  if (result.kind == GraphKind::kAuto) {
    result.kind = spacing_of(context, tree).lattice ? GraphKind::kGrid : GraphKind::kKnn;
  }
  if (result.neighbours == 0) {
    result.neighbours =
        static_cast<int>(std::min<std::int64_t>(kUsualNeighbours, coordinates.rows - 1));
  }
  result.symmetric = false;
  result.adjacency = result.kind == GraphKind::kGrid
                         ? one_way_lattice(context, tree, result.neighbours, limit)
                         : one_way_nearest(context, tree, result.neighbours, limit);
}

}  // namespace m2st::data
