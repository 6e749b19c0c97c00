#include "data/graph/spatial_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "data/graph/machine_memory.h"
#include "data/graph/neighbour_tree.h"
#include "data/graph/neighbourhoods.h"
#include "data/graph/one_way.h"
#include "data/graph/spacing.h"
#include "data/graph/squidpy_graph.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 14;
constexpr int kUsualNeighbours = 6;
// A lattice's nearest cells lie at 1, the next at √2 (square) or √3 (hexagonal) spacings.
constexpr double kFirstRing = 1.3;
// Squares of larger coordinates would overflow.
constexpr double kLargestCoordinate = 1e150;
// Of a directed edge in Adjacency (4) and Graph (4 + 4 + 8).
constexpr std::int64_t kBytesPerEdge = 20;
// Peak of a triangulation of random cells, measured: 701 bytes a cell in 2-D, 2,544 in 3-D.
constexpr std::int64_t kDelaunayBytesPerCell = 750, kDelaunayBytesPerSolidCell = 2700;
constexpr double kHighDegree = 64;

void check_options(const SpatialGraphOptions& options, std::int64_t cells) {
  if (!(options.radius >= 0) || std::isinf(options.radius)) {
    fail(ExitCode::kUsage, "graph: radius is ", options.radius,
         ", need a positive number in the units of the coordinates");
  }
  if (!(options.least_radius >= 0) ||
      (options.radius > 0 && options.least_radius > options.radius)) {
    fail(ExitCode::kUsage, "graph: the least radius is ", options.least_radius,
         ", need a number from 0 to the radius");
  }
  if (options.rings < 1) {
    fail(ExitCode::kUsage, "graph: rings is ", options.rings, ", need at least 1");
  }
  if (!(options.percentile >= 0 && options.percentile <= 100)) {
    fail(ExitCode::kUsage, "graph: the percentile is ", options.percentile,
         ", need a number from 0 to 100");
  }
  if (options.neighbours < 0) {
    fail(ExitCode::kUsage, "graph: neighbors is ", options.neighbours, ", need at least 1");
  }
  const bool used = options.kind == GraphKind::kKnn || options.kind == GraphKind::kGrid;
  if (used && options.neighbours >= cells) {
    fail(ExitCode::kParameterImpossible, "graph: neighbors is ", options.neighbours,
         ", but a cell ", "has only ", cells - 1, " others; need fewer neighbors than the ", cells,
         " cells");
  }
}

void check_coordinates(CpuContext& context, MatrixView<const double> coordinates) {
  M2ST_CHECK(coordinates.cols == 2 || coordinates.cols == 3,
             "build_spatial_graph: coordinates a cell (got ", coordinates.cols, ", need 2 or 3)");
  if (coordinates.rows == 0) fail(ExitCode::kInputInvalid, "graph: there are no cells");
  if (coordinates.rows > std::numeric_limits<std::int32_t>::max()) {
    fail(ExitCode::kInputInvalid, "graph: ", coordinates.rows, " cells are more than 2^31 - 1");
  }
  const bool usable = parallel_reduce(
      context, coordinates.size(), kGrain, true,
      [&](std::int64_t begin, std::int64_t end) {
        bool good = true;
        for (std::int64_t i = begin; i < end; ++i) {
          good &= std::abs(coordinates.data[i]) <= kLargestCoordinate;
        }
        return good;
      },
      [](bool a, bool b) { return a && b; });
  if (!usable) {
    fail(ExitCode::kInputInvalid, "graph: a coordinate is not finite or beyond ",
         kLargestCoordinate, " in magnitude");
  }
}

EdgeLimit edge_limit(const SpatialGraphOptions& options) {
  const std::int64_t bytes =
      options.memory_limit > 0 ? options.memory_limit : machine_memory_bytes() / 2;
  return {bytes / kBytesPerEdge, bytes};
}

void check_delaunay_memory(MatrixView<const double> coordinates, EdgeLimit limit) {
  const std::int64_t bytes = coordinates.rows * (coordinates.cols == 3 ? kDelaunayBytesPerSolidCell
                                                                       : kDelaunayBytesPerCell);
  if (bytes > limit.bytes) {
    fail(ExitCode::kOutOfMemory, "graph: a Delaunay triangulation of ", coordinates.rows,
         " cells takes about ", bytes >> 20, " MiB, more than the ", limit.bytes >> 20,
         " MiB allowed; use --graph radius or --graph knn");
  }
}

// Radius and grid need two places at least; the radius may have been given.
Spacing known_spacing(CpuContext& context, const NeighbourTree& tree) {
  const Spacing spacing = spacing_of(context, tree);
  if (!std::isfinite(spacing.nearest)) {
    fail(
        ExitCode::kInputInvalid, "graph: all ", tree.order().size(), " cells have the same ",
        "coordinates, so there is no distance to go by; check the coordinates, or use --graph knn ",
        "or a --radius to connect them anyway");
  }
  return spacing;
}

void build_grid(CpuContext& context, MatrixView<const double> coordinates,
                const NeighbourTree& tree, const Spacing& spacing, EdgeLimit limit,
                SpatialGraph& result) {
  if (!spacing.lattice) {
    fail(ExitCode::kParameterImpossible, "graph: the cells do not lie on a lattice (distances to ",
         "the nearest cell vary by ", std::lround(100 * spacing.variation),
         " %, need less than 5 %, with few cells apart); use --graph radius, knn or delaunay");
  }
  const double first_ring = kFirstRing * spacing.nearest;
  result.radius = result.neighbours == 0
                      ? first_ring
                      : std::max(radius_of_shell(context, tree, result.neighbours), first_ring);
  result.adjacency = radius_graph(context, coordinates, result.radius, limit);
  if (result.neighbours == 0) {
    // Inner cells have the most: 2 on a line, 4 on squares, 6 on hexagons or in cubes.
    const std::vector<std::int64_t>& offsets = result.adjacency.offsets;
    for (std::int64_t i = 0; i < result.adjacency.nodes(); ++i) {
      result.neighbours =
          std::max(result.neighbours, static_cast<int>(offsets[i + 1] - offsets[i]));
    }
  }
}

void build_by_distance(CpuContext& context, MatrixView<const double> coordinates, EdgeLimit limit,
                       SpatialGraph& result) {
  const bool radius_is_known = result.kind == GraphKind::kRadius && result.radius > 0;
  if (!radius_is_known) {
    const NeighbourTree tree(context, coordinates);
    const Spacing spacing = known_spacing(context, tree);
    if (result.kind == GraphKind::kAuto) {
      result.kind = spacing.lattice ? GraphKind::kGrid : GraphKind::kRadius;
      result.neighbours = 0;
    }
    if (result.kind == GraphKind::kGrid) {
      build_grid(context, coordinates, tree, spacing, limit, result);
      return;
    }
    result.radius = radius_of_six(context, tree, spacing);
  }
  result.neighbours = 0;
  result.adjacency = radius_graph(context, coordinates, result.radius, limit);
}

void build_as_m2st(CpuContext& context, MatrixView<const double> coordinates, EdgeLimit limit,
                   SpatialGraph& result) {
  const std::int64_t cells = coordinates.rows;
  if (result.kind == GraphKind::kKnn) {
    if (result.neighbours == 0) {
      result.neighbours = static_cast<int>(std::min<std::int64_t>(kUsualNeighbours, cells - 1));
    }
    const NeighbourTree tree(context, coordinates);
    result.adjacency = nearest_graph(context, tree, result.neighbours, limit);
  } else if (result.kind == GraphKind::kDelaunay) {
    result.adjacency = delaunay_graph(context, coordinates);
  } else {
    build_by_distance(context, coordinates, limit, result);
  }
}

// Rings around what is a grid, an interval of lengths for what has a radius.
void widen_and_prune(CpuContext& context, MatrixView<const double> coordinates,
                     const SpatialGraphOptions& options, EdgeLimit limit, SpatialGraph& result) {
  if (result.kind == GraphKind::kGrid && (options.rings > 1 || !result.symmetric)) {
    Rings rings = within_rings(context, result.adjacency, options.rings, limit);
    result.adjacency = std::move(rings.adjacency);
    if (options.semantics == GraphSemantics::kSquidpy) result.steps = std::move(rings.steps);
  }
  const bool has_radius = result.kind == GraphKind::kRadius || result.kind == GraphKind::kDelaunay;
  const bool too_long = result.kind == GraphKind::kDelaunay && options.radius > 0;
  std::int64_t left_out = 0;
  if (has_radius && (too_long || options.least_radius > 0)) {
    Interval interval{options.least_radius};
    if (too_long) interval.most = options.radius;
    const std::size_t before = result.adjacency.neighbours.size();
    result.adjacency = edges_of_length(context, result.adjacency, coordinates, interval);
    left_out = static_cast<std::int64_t>(before - result.adjacency.neighbours.size());
  }
  if (options.percentile < 100) {
    // squidpy's lengths hold a 0 for every cell and for every edge that an interval left out.
    result.adjacency = edges_to_percentile(context, result.adjacency, coordinates,
                                           options.percentile, result.adjacency.nodes() + left_out);
  }
}

// Connected components by union and find, halving paths.
std::int64_t count_components(const Adjacency& adjacency, bool symmetric) {
  const std::int64_t nodes = adjacency.nodes();
  std::vector<std::int32_t> parent(static_cast<std::size_t>(nodes));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](std::int32_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::int64_t components = nodes;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
      if (symmetric && adjacency.neighbours[e] > i) break;  // every pair once
      const std::int32_t a = root(static_cast<std::int32_t>(i)), b = root(adjacency.neighbours[e]);
      if (a == b) continue;
      parent[std::max(a, b)] = std::min(a, b);
      --components;
    }
  }
  return components;
}

void warn_of_the_unusual(SpatialGraph& graph) {
  const std::int64_t nodes = graph.adjacency.nodes();
  if (graph.isolated_nodes > 0) {
    graph.warnings.push_back(concat("graph: ", graph.isolated_nodes, " of ", nodes, " cells have ",
                                    "no neighbours; their embedding rests on themselves alone"));
  }
  const std::int64_t parts = graph.components - graph.isolated_nodes;
  if (parts > 1) {
    graph.warnings.push_back(concat("graph: falls into ", parts, " parts without a connection"));
  }
  if (graph.mean_degree > kHighDegree) {
    graph.warnings.push_back(concat("graph: ", graph.mean_degree,
                                    " neighbours a cell are many (six ",
                                    "are usual); is the radius in the units of the coordinates?"));
  }
}

}  // namespace

void count_degrees(SpatialGraph& graph) {
  const Adjacency& adjacency = graph.adjacency;
  const std::int64_t nodes = adjacency.nodes();
  graph.mean_degree = static_cast<double>(adjacency.neighbours.size()) / static_cast<double>(nodes);
  for (std::int64_t i = 0; i < nodes; ++i) {
    graph.isolated_nodes += adjacency.offsets[i] == adjacency.offsets[i + 1] ? 1 : 0;
  }
  graph.components = count_components(adjacency, graph.symmetric);
}

SpatialGraph build_spatial_graph(CpuContext& context, MatrixView<const double> coordinates,
                                 const SpatialGraphOptions& options) {
  check_options(options, coordinates.rows);
  check_coordinates(context, coordinates);
  SpatialGraph result;
  result.kind = options.kind;
  const bool has_radius =
      options.kind == GraphKind::kRadius || options.kind == GraphKind::kDelaunay;
  result.radius = has_radius ? options.radius : 0;
  const bool counts = options.kind == GraphKind::kKnn || options.kind == GraphKind::kGrid;
  result.neighbours = counts ? options.neighbours : 0;
  const EdgeLimit limit = edge_limit(options);
  if (coordinates.rows == 1) {
    if (result.kind == GraphKind::kAuto) result.kind = GraphKind::kRadius;
    result.adjacency = {{0, 0}, {}};
  } else {
    if (result.kind == GraphKind::kDelaunay) check_delaunay_memory(coordinates, limit);
    if (options.semantics == GraphSemantics::kSquidpy) {
      build_as_squidpy(context, coordinates, limit, result);
    } else {
      build_as_m2st(context, coordinates, limit, result);
    }
    widen_and_prune(context, coordinates, options, limit, result);
  }
  count_degrees(result);
  warn_of_the_unusual(result);
  return result;
}

std::vector<double> distances_of(CpuContext& context, const SpatialGraph& graph,
                                 MatrixView<const double> coordinates) {
  if (graph.steps.empty()) return edge_lengths(context, graph.adjacency, coordinates);
  return {graph.steps.begin(), graph.steps.end()};
}

WeightedGraph connectivities_of(CpuContext& context, const SpatialGraph& graph,
                                const SpatialGraphOptions& options) {
  return weighted_graph(context, graph.adjacency, options.transform, options.diagonal,
                        edge_limit(options));
}

bool has_plain_connectivities(const SpatialGraphOptions& options) {
  return options.transform == GraphTransform::kNone && !options.diagonal;
}

std::string to_string(GraphKind kind) {
  switch (kind) {
    case GraphKind::kAuto:
      return "auto";
    case GraphKind::kRadius:
      return "radius";
    case GraphKind::kKnn:
      return "knn";
    case GraphKind::kDelaunay:
      return "delaunay";
    case GraphKind::kGrid:
      return "grid";
  }
  return "unknown";
}

}  // namespace m2st::data
