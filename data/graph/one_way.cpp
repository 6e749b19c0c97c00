#include "data/graph/one_way.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "data/graph/rows_of.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 2048;
// squidpy's: between a lattice's first ring, at 1, and its second, at least at √2.
constexpr double kFirstRing = 1.3;

struct Nearest {
  std::vector<std::int32_t> nodes;  // (N, neighbours), nearest first
  std::vector<double> lengths;
};

Nearest nearest_of_all(CpuContext& context, const NeighbourTree& tree, int neighbours,
                       EdgeLimit limit) {
  const std::vector<std::int32_t>& order = tree.order();
  const auto n = static_cast<std::int64_t>(order.size());
  const double edges = static_cast<double>(n) * neighbours;
  if (edges > static_cast<double>(limit.edges)) refuse_edges(limit, edges, n);
  Nearest result;
  result.nodes.resize(static_cast<std::size_t>(n * neighbours));
  result.lengths.resize(result.nodes.size());
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Neighbour> nearest(static_cast<std::size_t>(neighbours));
    for (std::int64_t place = begin; place < end; ++place) {
      tree.nearest(order[place], nearest);
      std::int64_t out = static_cast<std::int64_t>(order[place]) * neighbours;
      for (const Neighbour& neighbour : nearest) {
        result.nodes[out] = neighbour.node;
        result.lengths[out++] = std::sqrt(neighbour.squared_distance);
      }
    }
  });
  return result;
}

// Mean of the two middle values when their number is even, as NumPy has it.
double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

Adjacency shorter_than(CpuContext& context, const Nearest& nearest, std::int64_t nodes,
                       int neighbours, double bound, EdgeLimit limit) {
  return rows_of(context, nodes, limit, [&](std::int32_t i, std::vector<std::int32_t>& row) {
    const auto start = static_cast<std::ptrdiff_t>(row.size());
    for (std::int64_t e = static_cast<std::int64_t>(i) * neighbours, end = e + neighbours; e < end;
         ++e) {
      if (nearest.lengths[e] < bound) row.push_back(nearest.nodes[e]);
    }
    std::sort(row.begin() + start, row.end());
  });
}

// numpy.percentile(values, percentile), to the last bit.
double percentile_of(std::vector<double> values, double percentile) {
  const double place = static_cast<double>(values.size() - 1) * (percentile / 100);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(std::floor(place));
  std::nth_element(values.begin(), below, values.end());
  const double low = *below;
  const double high = below + 1 == values.end() ? low : *std::min_element(below + 1, values.end());
  const double share = place - std::floor(place);
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}

double length_of(MatrixView<const double> coordinates, std::int64_t a, std::int64_t b) {
  double squares = 0;
  for (std::int64_t axis = 0; axis < coordinates.cols; ++axis) {
    const double difference = coordinates(a, axis) - coordinates(b, axis);
    squares += difference * difference;
  }
  return std::sqrt(squares);
}

// One breadth-first search after another, reusing its lists.
class Search {
 public:
  Search(const Adjacency& adjacency, int rings) : adjacency_(adjacency), rings_(rings) {}

  // visit(ring, nodes ascending) for rings 1, 2, ... that hold nodes.
  template <class Visit>
  void from(std::int32_t start, Visit&& visit) {
    reached_.assign(1, start);
    frontier_.assign(1, start);
    for (int ring = 1; ring <= rings_ && !frontier_.empty(); ++ring) {
      candidates_.clear();
      for (const std::int32_t node : frontier_) {
        candidates_.insert(candidates_.end(),
                           adjacency_.neighbours.begin() + adjacency_.offsets[node],
                           adjacency_.neighbours.begin() + adjacency_.offsets[node + 1]);
      }
      std::sort(candidates_.begin(), candidates_.end());
      candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
      frontier_.clear();
      std::set_difference(candidates_.begin(), candidates_.end(), reached_.begin(), reached_.end(),
                          std::back_inserter(frontier_));
      const auto middle = static_cast<std::ptrdiff_t>(reached_.size());
      reached_.insert(reached_.end(), frontier_.begin(), frontier_.end());
      std::inplace_merge(reached_.begin(), reached_.begin() + middle, reached_.end());
      visit(ring, frontier_);
    }
  }

 private:
  const Adjacency& adjacency_;
  int rings_;
  std::vector<std::int32_t> reached_, frontier_, candidates_;
};

}  // namespace

Adjacency one_way_nearest(CpuContext& context, const NeighbourTree& tree, int neighbours,
                          EdgeLimit limit) {
  const Nearest nearest = nearest_of_all(context, tree, neighbours, limit);
  return shorter_than(context, nearest, static_cast<std::int64_t>(tree.order().size()), neighbours,
                      std::numeric_limits<double>::infinity(), limit);
}

Adjacency one_way_lattice(CpuContext& context, const NeighbourTree& tree, int neighbours,
                          EdgeLimit limit) {
  const Nearest nearest = nearest_of_all(context, tree, neighbours, limit);
  return shorter_than(context, nearest, static_cast<std::int64_t>(tree.order().size()), neighbours,
                      median(nearest.lengths) * kFirstRing, limit);
}

Rings within_rings(CpuContext& context, const Adjacency& adjacency, int rings, EdgeLimit limit) {
  M2ST_CHECK(rings >= 1, "within_rings: rings (got ", rings, ", need at least 1)");
  const std::int64_t nodes = adjacency.nodes();
  Rings result;
  result.adjacency =
      rows_of(context, nodes, limit, [&](std::int32_t i, std::vector<std::int32_t>& row) {
        const auto start = static_cast<std::ptrdiff_t>(row.size());
        Search(adjacency, rings).from(i, [&](int, const std::vector<std::int32_t>& ring) {
          row.insert(row.end(), ring.begin(), ring.end());
        });
        std::sort(row.begin() + start, row.end());
      });
  const auto& [offsets, ends] = result.adjacency;
  result.steps.resize(ends.size());
  parallel_for(context, nodes, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Search search(adjacency, rings);
    for (std::int64_t i = begin; i < end; ++i) {
      const auto first = ends.begin() + offsets[i], last = ends.begin() + offsets[i + 1];
      search.from(static_cast<std::int32_t>(i), [&](int step, const auto& ring) {
        for (const std::int32_t node : ring) {
          result.steps[std::lower_bound(first, last, node) - ends.begin()] = step;
        }
      });
    }
  });
  return result;
}

Adjacency edges_of_length(CpuContext& context, const Adjacency& adjacency,
                          MatrixView<const double> coordinates, Interval interval) {
  const auto edges = static_cast<std::int64_t>(adjacency.neighbours.size());
  return rows_of(context, adjacency.nodes(), {edges, 0},
                 [&](std::int32_t i, std::vector<std::int32_t>& row) {
                   for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
                     const std::int32_t end = adjacency.neighbours[e];
                     const double length = length_of(coordinates, i, end);
                     if (length >= interval.least && length <= interval.most) row.push_back(end);
                   }
                 });
}

Adjacency edges_to_percentile(CpuContext& context, const Adjacency& adjacency,
                              MatrixView<const double> coordinates, double percentile,
                              std::int64_t zeros) {
  std::vector<double> lengths = edge_lengths(context, adjacency, coordinates);
  lengths.resize(lengths.size() + static_cast<std::size_t>(zeros), 0.0);
  if (lengths.empty()) return adjacency;
  return edges_of_length(context, adjacency, coordinates,
                         {0, percentile_of(std::move(lengths), percentile)});
}

std::vector<double> edge_lengths(CpuContext& context, const Adjacency& adjacency,
                                 MatrixView<const double> coordinates) {
  std::vector<double> lengths(adjacency.neighbours.size());
  parallel_for(context, adjacency.nodes(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
        lengths[e] = length_of(coordinates, i, adjacency.neighbours[e]);
      }
    }
  });
  return lengths;
}

}  // namespace m2st::data
