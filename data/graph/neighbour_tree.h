// Nearest neighbours through a k-d tree (nanoflann) over points in Hilbert order. Ties in distance
// go to the smaller node id, so a result depends on the points alone.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

struct Neighbour {
  double squared_distance;
  std::int32_t node;
};

class NeighbourTree {
 public:
  // coordinates: (N >= 1, 2 or 3), finite.
  NeighbourTree(CpuContext& context, MatrixView<const double> coordinates);
  ~NeighbourTree();
  NeighbourTree(const NeighbourTree&) = delete;
  NeighbourTree& operator=(const NeighbourTree&) = delete;

  // Nodes in Hilbert order: queries that follow it find the tree in the cache.
  const std::vector<std::int32_t>& order() const;
  // No two points are farther apart.
  double diameter() const { return diameter_; }

  // All queries may run on any number of threads at once.
  // The nearest other nodes of `node`, nearest first: out.size() of them, at most N - 1.
  void nearest(std::int32_t node, Span<Neighbour> out) const;
  // Squared distance to the nearest node at another place; infinity when all are at one place.
  double nearest_distinct(std::int32_t node) const;
  // Appends the squared distances to all nodes at other places within the radius; stops early once
  // `out` holds `enough`.
  void distances_within(std::int32_t node, double radius, std::size_t enough,
                        std::vector<double>& out) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
  double diameter_ = 0;
};

}  // namespace m2st::data
