#include "data/graph/neighbour_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nanoflann.hpp>
#include <optional>
#include <utility>

#include "data/graph/hilbert.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 14;
constexpr int kPointsPerLeaf = 12;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// nanoflann's view of the points.
struct Points {
  std::vector<double> values;  // (N, axes) in Hilbert order
  std::size_t axes = 2;

  std::size_t kdtree_get_point_count() const { return values.size() / axes; }
  double kdtree_get_pt(std::size_t i, std::size_t axis) const { return values[i * axes + axis]; }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

template <int kAxes>
using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Points>,
                                                 Points, kAxes, std::int32_t>;

double diagonal(MatrixView<const double> coordinates) {
  double squares = 0;
  for (std::int64_t axis = 0; axis < coordinates.cols; ++axis) {
    double low = coordinates(0, axis), high = low;
    for (std::int64_t i = 1; i < coordinates.rows; ++i) {
      low = std::min(low, coordinates(i, axis));
      high = std::max(high, coordinates(i, axis));
    }
    squares += (high - low) * (high - low);
  }
  return std::sqrt(squares);
}

// The result sets below follow nanoflann's concept: worstDist bounds the search, strictly, so each
// returns the next larger number where a tie is still of interest.
double just_above(double value) { return std::nextafter(value, kInfinity); }

class NearestSet {
 public:
  NearestSet(const std::vector<std::int32_t>& order, std::int32_t self, Span<Neighbour> out)
      : order_(order), self_(self), out_(out) {}
  std::size_t size() const { return count_; }
  bool full() const { return count_ == out_.size(); }
  double worstDist() const { return full() ? just_above(out_.back().squared_distance) : kInfinity; }
  bool addPoint(double squared_distance, std::int32_t place) {
    const std::int32_t node = order_[static_cast<std::size_t>(place)];
    if (node == self_) return true;
    const auto before = [&](const Neighbour& other) {
      return std::pair(other.squared_distance, other.node) < std::pair(squared_distance, node);
    };
    if (full() && before(out_.back())) return true;
    std::size_t i = full() ? count_ - 1 : count_++;
    for (; i > 0 && !before(out_[i - 1]); --i) out_[i] = out_[i - 1];
    out_[i] = {squared_distance, node};
    return true;
  }

 private:
  const std::vector<std::int32_t>& order_;
  std::int32_t self_;
  Span<Neighbour> out_;
  std::size_t count_ = 0;
};

class NearestDistinct {
 public:
  std::size_t size() const { return best_ < kInfinity ? 1 : 0; }
  bool full() const { return best_ < kInfinity; }
  double worstDist() const { return best_; }
  bool addPoint(double squared_distance, std::int32_t) {
    if (squared_distance > 0) best_ = std::min(best_, squared_distance);
    return true;
  }

 private:
  double best_ = kInfinity;
};

class WithinRadius {
 public:
  WithinRadius(double radius, std::size_t enough, std::vector<double>& out)
      : bound_(just_above(radius * radius)), enough_(enough), out_(out) {}
  std::size_t size() const { return out_.size(); }
  bool full() const { return true; }
  double worstDist() const { return bound_; }
  bool addPoint(double squared_distance, std::int32_t) {
    if (squared_distance > 0) out_.push_back(squared_distance);
    return out_.size() < enough_;
  }

 private:
  double bound_;
  std::size_t enough_;
  std::vector<double>& out_;
};

}  // namespace

struct NeighbourTree::Implementation {
  std::vector<std::int32_t> order;
  std::vector<std::int32_t> place_of;  // inverse of order
  Points points;
  std::optional<Tree<2>> flat;
  std::optional<Tree<3>> solid;

  template <class Result>
  void find(std::int32_t node, Result& result) const {
    const double* query =
        points.values.data() + static_cast<std::size_t>(place_of[node]) * points.axes;
    if (flat) {
      flat->findNeighbors(result, query, nanoflann::SearchParams());
    } else {
      solid->findNeighbors(result, query, nanoflann::SearchParams());
    }
  }
};

NeighbourTree::NeighbourTree(CpuContext& context, MatrixView<const double> coordinates)
    : implementation_(std::make_unique<Implementation>()) {
  M2ST_CHECK(coordinates.rows > 0, "neighbour tree: no points");
  Implementation& self = *implementation_;
  diameter_ = diagonal(coordinates);
  self.order = hilbert_order(context, coordinates);
  self.place_of.resize(self.order.size());
  self.points.axes = static_cast<std::size_t>(coordinates.cols);
  self.points.values.resize(static_cast<std::size_t>(coordinates.size()));
  parallel_for(context, coordinates.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int32_t node = self.order[place];
      self.place_of[node] = static_cast<std::int32_t>(place);
      std::copy_n(coordinates.data + node * coordinates.cols, coordinates.cols,
                  self.points.values.data() + place * coordinates.cols);
    }
  });
  const nanoflann::KDTreeSingleIndexAdaptorParams parameters(kPointsPerLeaf);
  if (coordinates.cols == 2) {
    self.flat.emplace(2, self.points, parameters);
  } else {
    self.solid.emplace(3, self.points, parameters);
  }
}

NeighbourTree::~NeighbourTree() = default;

const std::vector<std::int32_t>& NeighbourTree::order() const { return implementation_->order; }

void NeighbourTree::nearest(std::int32_t node, Span<Neighbour> out) const {
  if (out.empty()) return;
  M2ST_CHECK(out.size() < implementation_->order.size(), "neighbour tree: neighbours (got ",
             out.size(), ", need fewer than the points, ", implementation_->order.size(), ")");
  NearestSet result(implementation_->order, node, out);
  implementation_->find(node, result);
}

double NeighbourTree::nearest_distinct(std::int32_t node) const {
  NearestDistinct result;
  implementation_->find(node, result);
  return result.worstDist();
}

void NeighbourTree::distances_within(std::int32_t node, double radius, std::size_t enough,
                                     std::vector<double>& out) const {
  if (out.size() >= enough) return;
  WithinRadius result(radius, enough, out);
  implementation_->find(node, result);
}

}  // namespace m2st::data
