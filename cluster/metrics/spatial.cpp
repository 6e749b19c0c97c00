// Nearest neighbours by nanoflann's k-d tree, with ties broken by index: on a lattice most of the
// tenth neighbours are tied, and the result must not depend on how the tree was built.
#include "cluster/metrics/spatial.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nanoflann.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "cluster/metrics/grouping.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::cluster {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kCellsPerChunk = 256;
constexpr std::int64_t kNeighbours = 10;
constexpr std::int64_t kForeignNeighbours = 6;
constexpr std::int64_t kSmallestDomain = 3;
constexpr std::size_t kLeafSize = 16;

// The labelled cells' coordinates, by position in the grouping, as nanoflann wants them.
struct Points {
  std::vector<double> values;  // (count, axes)
  std::size_t axes = 0;

  std::size_t kdtree_get_point_count() const { return axes == 0 ? 0 : values.size() / axes; }
  double kdtree_get_pt(std::size_t point, std::size_t axis) const {
    return values[point * axes + axis];
  }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Points>,
                                                 Points, -1, std::uint32_t>;

// The k nearest by (distance, id), without the cell itself. Ids ascend with cells.
class Nearest {
 public:
  using DistanceType = double;

  Nearest(std::size_t capacity, std::uint32_t itself, const std::vector<std::int32_t>& cells)
      : capacity_(capacity), itself_(itself), cells_(cells) {}

  // nanoflann's interface. The bound lies just above the worst kept, so that ties reach addPoint.
  double worstDist() const {
    if (found_.size() < capacity_) return std::numeric_limits<double>::max();
    return std::nextafter(found_.back().first, std::numeric_limits<double>::max());
  }
  bool addPoint(double distance, std::uint32_t point) {
    if (point == itself_) return true;
    const std::pair<double, std::int32_t> entry{distance, cells_[point]};
    if (found_.size() == capacity_) {
      if (entry >= found_.back()) return true;
      found_.pop_back();
    }
    found_.insert(std::upper_bound(found_.begin(), found_.end(), entry), entry);
    return true;
  }
  bool full() const { return found_.size() == capacity_; }

  // (squared distance, cell), nearest first.
  const std::vector<std::pair<double, std::int32_t>>& found() const { return found_; }

 private:
  std::size_t capacity_;
  std::uint32_t itself_;
  const std::vector<std::int32_t>& cells_;
  std::vector<std::pair<double, std::int32_t>> found_;
};

Points points_of(MatrixView<const double> coordinates, Span<const std::int32_t> cells) {
  Points points;
  points.axes = static_cast<std::size_t>(coordinates.cols);
  for (const std::int32_t cell : cells) {
    const Span<const double> row = coordinates.row(cell);
    points.values.insert(points.values.end(), row.begin(), row.end());
  }
  return points;
}

// Calls body(position, its `neighbours` nearest) for every cell of `cells`.
template <class Body>
void for_each_neighbourhood(CpuContext& context, const Points& points,
                            const std::vector<std::int32_t>& cells, std::int64_t neighbours,
                            Body&& body) {
  const Tree tree(static_cast<Tree::Dimension>(points.axes), points,
                  nanoflann::KDTreeSingleIndexAdaptorParams(kLeafSize));
  const std::int64_t count = static_cast<std::int64_t>(cells.size());
  const std::size_t wanted = static_cast<std::size_t>(std::min(neighbours, count - 1));
  parallel_for(context, count, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const std::size_t position = static_cast<std::size_t>(p);
      Nearest nearest(wanted, static_cast<std::uint32_t>(p), cells);
      if (wanted > 0) {
        tree.findNeighbors(nearest, &points.values[position * points.axes],
                           nanoflann::SearchParams());
      }
      body(position, nearest);
    }
  });
}

void standardise(Points& points) {
  const std::size_t count = points.kdtree_get_point_count();
  for (std::size_t axis = 0; axis < points.axes; ++axis) {
    double sum = 0;
    for (std::size_t p = 0; p < count; ++p) sum += points.values[p * points.axes + axis];
    const double mean = sum / static_cast<double>(count);
    double squares = 0;
    for (std::size_t p = 0; p < count; ++p) {
      const double difference = points.values[p * points.axes + axis] - mean;
      squares += difference * difference;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(count));
    for (std::size_t p = 0; p < count; ++p) {
      double& value = points.values[p * points.axes + axis];
      value = deviation > 0 ? (value - mean) / deviation : value - mean;
    }
  }
}

Grouping checked_grouping(const char* metric, MatrixView<const double> coordinates,
                          Span<const std::int32_t> labels) {
  M2ST_CHECK(static_cast<std::size_t>(coordinates.rows) == labels.size(), metric, ": ",
             coordinates.rows, " cells, but ", labels.size(), " labels");
  M2ST_CHECK(coordinates.cols > 0, metric, ": coordinates have no columns");
  return group_by_label(labels);
}

// Σ over the cells of one domain of the distance to the nearest other.
double sum_of_nearest(CpuContext& context, const Points& points) {
  const std::size_t count = points.kdtree_get_point_count();
  std::vector<std::int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  std::vector<double> distances(count);
  for_each_neighbourhood(context, points, ids, 1, [&](std::size_t position, const Nearest& found) {
    distances[position] = std::sqrt(found.found().front().first);
  });
  return std::accumulate(distances.begin(), distances.end(), 0.0);
}

NearestCells nearest_of(CpuContext& context, const Points& points) {
  const auto count = static_cast<std::int64_t>(points.kdtree_get_point_count());
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  NearestCells nearest;
  if (count == 0) return nearest;
  nearest.each = std::min(kNeighbours, std::max<std::int64_t>(count - 1, 0));
  nearest.cells.resize(static_cast<std::size_t>(count * nearest.each));
  for_each_neighbourhood(
      context, points, ids, nearest.each, [&](std::size_t position, const Nearest& found) {
        std::int32_t* out =
            nearest.cells.data() + static_cast<std::int64_t>(position) * nearest.each;
        for (const auto& [distance, cell] : found.found()) *out++ = cell;
      });
  return nearest;
}

}  // namespace

double chaos(CpuContext& context, MatrixView<const double> coordinates,
             Span<const std::int32_t> labels) {
  const Grouping grouping = checked_grouping("chaos", coordinates, labels);
  if (grouping.count() == 0) return kUndefined;
  Points all = points_of(coordinates, grouping.cells);
  standardise(all);
  double sum = 0;
  for (std::int32_t g = 0; g < grouping.groups(); ++g) {
    if (grouping.size(g) < kSmallestDomain) continue;
    const auto begin = all.values.begin() + grouping.offsets[static_cast<std::size_t>(g)] *
                                                static_cast<std::int64_t>(all.axes);
    const auto end = begin + grouping.size(g) * static_cast<std::int64_t>(all.axes);
    sum += sum_of_nearest(context, Points{{begin, end}, all.axes});
  }
  return sum / static_cast<double>(grouping.count());
}

NearestCells nearest_cells(CpuContext& context, MatrixView<const double> coordinates) {
  std::vector<std::int32_t> cells(static_cast<std::size_t>(coordinates.rows));
  std::iota(cells.begin(), cells.end(), 0);
  return nearest_of(context, points_of(coordinates, cells));
}

double pas(const NearestCells& nearest, Span<const std::int32_t> labels) {
  if (labels.empty()) return kUndefined;
  std::int64_t scattered = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const std::int32_t* first = nearest.cells.data() + static_cast<std::int64_t>(n) * nearest.each;
    const auto foreign = std::count_if(first, first + nearest.each, [&](std::int32_t cell) {
      return labels[static_cast<std::size_t>(cell)] != labels[n];
    });
    scattered += foreign >= kForeignNeighbours ? 1 : 0;
  }
  return static_cast<double>(scattered) / static_cast<double>(labels.size());
}

double pas(CpuContext& context, MatrixView<const double> coordinates,
           Span<const std::int32_t> labels) {
  const Grouping grouping = checked_grouping("pas", coordinates, labels);
  std::vector<std::int32_t> cells = grouping.cells, labelled;
  std::sort(cells.begin(), cells.end());  // so that ties go to the lower index
  for (const std::int32_t cell : cells) labelled.push_back(labels[static_cast<std::size_t>(cell)]);
  return pas(nearest_of(context, points_of(coordinates, cells)), labelled);
}

}  // namespace m2st::cluster
