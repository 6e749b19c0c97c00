// Delaunay triangulation through the reentrant Qhull, with the options that SciPy uses, so that
// edges agree where the triangulation is unique. Qhull is the only part that runs on one thread.

#include <libqhull_r/qhull_ra.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "data/graph/neighbourhoods.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr const char* kOtherGraphs =
    "use --graph radius or --graph knn, which take such cells, or correct the coordinates";

// Coordinates centred, without axes along which nothing varies.
struct PlainPoints {
  std::vector<double> values;
  int axes = 0;
};

PlainPoints plain_points(MatrixView<const double> coordinates) {
  std::vector<std::int64_t> kept;
  std::vector<double> centre;
  for (std::int64_t axis = 0; axis < coordinates.cols; ++axis) {
    double low = coordinates(0, axis), high = low;
    for (std::int64_t i = 1; i < coordinates.rows; ++i) {
      low = std::min(low, coordinates(i, axis));
      high = std::max(high, coordinates(i, axis));
    }
    if (high == low) continue;
    kept.push_back(axis);
    centre.push_back(low + (high - low) / 2);
  }
  PlainPoints points;
  points.axes = static_cast<int>(kept.size());
  for (std::int64_t i = 0; i < coordinates.rows; ++i) {
    for (std::size_t a = 0; a < kept.size(); ++a) {
      points.values.push_back(coordinates(i, kept[a]) - centre[a]);
    }
  }
  return points;
}

void refuse_coincident(MatrixView<const double> coordinates) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(coordinates.rows));
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const auto row_a = coordinates.row(a), row_b = coordinates.row(b);
    return std::lexicographical_compare(row_a.begin(), row_a.end(), row_b.begin(), row_b.end());
  };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return before(a, b) || (!before(b, a) && a < b);
  });
  std::int64_t coincident = 0;
  std::string first;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (before(order[i - 1], order[i])) continue;
    if (coincident++ == 0) first = concat(order[i - 1], " and ", order[i]);
  }
  if (coincident > 0) {
    fail(ExitCode::kInputInvalid, "graph: ", coincident,
         coincident == 1 ? " cell lies" : " cells lie", " where another does (for one, cells ",
         first, " counted from 0), and a Delaunay ", "triangulation needs distinct places; ",
         kOtherGraphs);
  }
}

[[noreturn]] void refuse_flat() {
  fail(ExitCode::kInputInvalid, "graph: the cells lie on one line (or nearly), and a Delaunay ",
       "triangulation needs an area; ", kOtherGraphs);
}

// Qhull's state, and what it has to say when it fails.
class Qhull {
 public:
  Qhull() : state_(std::make_unique<qhT>()), messages_(open_memstream(&text_, &text_bytes_)) {
    if (messages_ == nullptr) fail(ExitCode::kOutOfMemory, "graph: no memory for Qhull");
    qh_zero(state_.get(), messages_);
  }
  ~Qhull() {
    int blocks = 0, bytes = 0;
    qh_freeqhull(state_.get(), !qh_ALL);
    qh_memfreeshort(state_.get(), &blocks, &bytes);
    std::fclose(messages_);
    std::free(text_);
  }
  Qhull(const Qhull&) = delete;
  Qhull& operator=(const Qhull&) = delete;

  qhT* state() { return state_.get(); }
  void triangulate(PlainPoints& points) {
    std::string options = "qhull d Qt Qbb Qc Qz Q12";
    const int count = static_cast<int>(points.values.size()) / points.axes;
    const int status = qh_new_qhull(state_.get(), points.axes, count, points.values.data(), False,
                                    options.data(), nullptr, messages_);
    if (status == 0) return;
    if (status == qh_ERRsingular) refuse_flat();
    std::fflush(messages_);
    const std::string reason(text_, std::min<std::size_t>(text_bytes_, 300));
    fail(status == qh_ERRmem ? ExitCode::kOutOfMemory : ExitCode::kInputInvalid,
         "graph: Qhull could not triangulate the cells (", reason, "); ", kOtherGraphs);
  }

 private:
  std::unique_ptr<qhT> state_;
  char* text_ = nullptr;
  std::size_t text_bytes_ = 0;
  std::FILE* messages_;
};

std::vector<NodePair> edges_of_facets(qhT* qh, std::int64_t nodes) {
  std::vector<NodePair> pairs;
  std::vector<std::int32_t> corners;
  facetT* facet;
  FORALLfacets {
    if (facet->upperdelaunay) continue;
    corners.clear();
    vertexT *vertex, **vertexp;
    FOREACHvertex_(facet->vertices) corners.push_back(qh_pointid(qh, vertex->point));
    for (std::size_t a = 0; a < corners.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        const auto [low, high] = std::minmax(corners[a], corners[b]);
        // The point at infinity (option Qz) has the number after the last.
        if (low >= 0 && high < nodes) pairs.emplace_back(low, high);
      }
    }
  }
  return pairs;
}

Adjacency triangulated(CpuContext& context, PlainPoints points, std::int64_t nodes) {
  if (points.axes < 2) refuse_flat();
  Qhull qhull;
  qhull.triangulate(points);
  return adjacency_from_pairs(context, nodes, edges_of_facets(qhull.state(), nodes));
}

// Qhull counts in int.
void refuse_too_many(std::int64_t nodes) {
  if (nodes > std::numeric_limits<int>::max() / 4) {
    fail(ExitCode::kParameterImpossible, "graph: ", nodes, " cells are more than a Delaunay ",
         "triangulation here can take; use --graph radius or --graph knn");
  }
}

}  // namespace

Adjacency delaunay_graph_as_scipy(CpuContext& context, MatrixView<const double> coordinates) {
  const std::int64_t nodes = coordinates.rows;
  refuse_too_many(nodes);
  if (nodes < coordinates.cols + 1) refuse_flat();
  PlainPoints points{{coordinates.span().begin(), coordinates.span().end()},
                     static_cast<int>(coordinates.cols)};
  return triangulated(context, std::move(points), nodes);
}

Adjacency delaunay_graph(CpuContext& context, MatrixView<const double> coordinates) {
  const std::int64_t nodes = coordinates.rows;
  if (nodes == 1) return {{0, 0}, {}};
  refuse_too_many(nodes);
  refuse_coincident(coordinates);
  if (nodes == 2) return {{0, 1, 2}, {1, 0}};
  Adjacency adjacency = triangulated(context, plain_points(coordinates), nodes);
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (adjacency.offsets[i] == adjacency.offsets[i + 1]) {
      fail(ExitCode::kInputInvalid, "graph: cell ", i,
           " (counted from 0) lies so close to another ",
           "that a Delaunay triangulation leaves it out; ", kOtherGraphs);
    }
  }
  return adjacency;
}

}  // namespace m2st::data
