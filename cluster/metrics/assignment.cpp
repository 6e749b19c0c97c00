// Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987): rows enter one
// at a time, each by a Dijkstra search over reduced costs, where cost = −value.
#include "cluster/metrics/assignment.h"

#include <limits>

#include "engine/check.h"

namespace m2st::cluster {
namespace {

constexpr std::int32_t kNone = -1;

class AugmentingPaths {
 public:
  explicit AugmentingPaths(MatrixView<const std::int64_t> value)
      : value_(value),
        row_potential_(static_cast<std::size_t>(value.rows), 0),
        column_potential_(static_cast<std::size_t>(value.cols), 0),
        row_of_(static_cast<std::size_t>(value.cols), kNone) {}

  void enter(std::int32_t row) {
    const std::size_t columns = row_of_.size();
    distance_.assign(columns, std::numeric_limits<std::int64_t>::max());
    previous_.assign(columns, kNone);
    reached_.assign(columns, false);
    std::int32_t last = kNone;  // the column whose row is scanned; kNone: the entering row
    do {
      last = scan(row, last);
    } while (row_of_[static_cast<std::size_t>(last)] != kNone);
    augment(row, last);
  }

  std::vector<std::int32_t> columns_of_rows() const {
    std::vector<std::int32_t> result(row_potential_.size(), kNone);
    for (std::size_t column = 0; column < row_of_.size(); ++column) {
      if (row_of_[column] != kNone) {
        result[static_cast<std::size_t>(row_of_[column])] = static_cast<std::int32_t>(column);
      }
    }
    return result;
  }

 private:
  std::int64_t reduced_cost(std::int32_t row, std::size_t column) const {
    return -value_(row, static_cast<std::int64_t>(column)) -
           row_potential_[static_cast<std::size_t>(row)] - column_potential_[column];
  }

  // Relaxes the edges of the row matched to `last`, moves the potentials so that the nearest
  // unreached column is at distance 0, and returns that column.
  std::int32_t scan(std::int32_t entering, std::int32_t last) {
    const std::int32_t row = last == kNone ? entering : row_of_[static_cast<std::size_t>(last)];
    std::int64_t step = std::numeric_limits<std::int64_t>::max();
    std::int32_t nearest = kNone;
    for (std::size_t column = 0; column < row_of_.size(); ++column) {
      if (reached_[column]) continue;
      const std::int64_t cost = reduced_cost(row, column);
      if (cost < distance_[column]) {
        distance_[column] = cost;
        previous_[column] = last;
      }
      if (distance_[column] < step) {
        step = distance_[column];
        nearest = static_cast<std::int32_t>(column);
      }
    }
    row_potential_[static_cast<std::size_t>(entering)] += step;
    for (std::size_t column = 0; column < row_of_.size(); ++column) {
      if (reached_[column]) {
        row_potential_[static_cast<std::size_t>(row_of_[column])] += step;
        column_potential_[column] -= step;
      } else {
        distance_[column] -= step;
      }
    }
    reached_[static_cast<std::size_t>(nearest)] = true;
    return nearest;
  }

  void augment(std::int32_t entering, std::int32_t column) {
    while (column != kNone) {
      const std::int32_t before = previous_[static_cast<std::size_t>(column)];
      row_of_[static_cast<std::size_t>(column)] =
          before == kNone ? entering : row_of_[static_cast<std::size_t>(before)];
      column = before;
    }
  }

  MatrixView<const std::int64_t> value_;
  std::vector<std::int64_t> row_potential_, column_potential_;
  std::vector<std::int32_t> row_of_;  // by column
  std::vector<std::int64_t> distance_;
  std::vector<std::int32_t> previous_;  // the column before this one on the shortest path
  std::vector<bool> reached_;
};

}  // namespace

std::vector<std::int32_t> maximum_assignment(MatrixView<const std::int64_t> value) {
  M2ST_CHECK(value.rows <= value.cols, "maximum_assignment: ", value.rows, " rows for ", value.cols,
             " columns, needs at most as many");
  AugmentingPaths paths(value);
  for (std::int64_t row = 0; row < value.rows; ++row) paths.enter(static_cast<std::int32_t>(row));
  return paths.columns_of_rows();
}

}  // namespace m2st::cluster
