// Spatial graphs by looking at all pairs, and point patterns to try them on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "data/graph/graph.h"
#include "engine/view.h"

namespace m2st::test {

struct PointSet {
  std::vector<double> values;
  std::int64_t axes = 2;

  std::int64_t size() const { return static_cast<std::int64_t>(values.size()) / axes; }
  MatrixView<const double> view() const { return {values.data(), size(), axes}; }
  double squared_distance(std::int64_t a, std::int64_t b) const {
    double sum = 0;
    for (std::int64_t axis = 0; axis < axes; ++axis) {
      const double d = values[a * axes + axis] - values[b * axes + axis];
      sum += d * d;
    }
    return sum;
  }
};

inline PointSet random_points(std::int64_t count, std::int64_t axes, std::uint32_t seed,
                              double side = 100, double offset = 0) {
  std::mt19937 random(seed);
  PointSet points{{}, axes};
  for (std::int64_t i = 0; i < count * axes; ++i) {
    points.values.push_back(offset + side * (random() * 0x1p-32));
  }
  return points;
}

inline PointSet square_lattice(int side, double pitch) {
  PointSet points;
  for (int row = 0; row < side; ++row) {
    for (int col = 0; col < side; ++col) {
      points.values.insert(points.values.end(), {col * pitch, row * pitch});
    }
  }
  return points;
}

inline PointSet hexagonal_lattice(int side, double pitch) {
  PointSet points;
  for (int row = 0; row < side; ++row) {
    for (int col = 0; col < side; ++col) {
      points.values.insert(points.values.end(),
                           {(col + 0.5 * (row % 2)) * pitch, row * pitch * std::sqrt(0.75)});
    }
  }
  return points;
}

using Rows = std::vector<std::vector<std::int32_t>>;

inline Rows rows_of(const data::Adjacency& adjacency) {
  Rows rows;
  for (std::int64_t i = 0; i < adjacency.nodes(); ++i) {
    rows.emplace_back(adjacency.neighbours.begin() + adjacency.offsets[i],
                      adjacency.neighbours.begin() + adjacency.offsets[i + 1]);
  }
  return rows;
}

inline Rows naive_radius_graph(const PointSet& points, double radius) {
  Rows rows(static_cast<std::size_t>(points.size()));
  for (std::int32_t i = 0; i < points.size(); ++i) {
    for (std::int32_t j = 0; j < points.size(); ++j) {
      if (i != j && points.squared_distance(i, j) <= radius * radius) rows[i].push_back(j);
    }
  }
  return rows;
}

inline Rows naive_nearest_graph(const PointSet& points, int neighbours) {
  std::vector<std::set<std::int32_t>> sets(static_cast<std::size_t>(points.size()));
  for (std::int32_t i = 0; i < points.size(); ++i) {
    std::vector<std::pair<double, std::int32_t>> others;
    for (std::int32_t j = 0; j < points.size(); ++j) {
      if (i != j) others.emplace_back(points.squared_distance(i, j), j);
    }
    std::sort(others.begin(), others.end());
    for (int k = 0; k < neighbours; ++k) {
      sets[i].insert(others[k].second);
      sets[others[k].second].insert(i);
    }
  }
  Rows rows;
  for (const auto& set : sets) rows.emplace_back(set.begin(), set.end());
  return rows;
}

}  // namespace m2st::test
