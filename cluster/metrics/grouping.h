// Cells grouped by label: what every metric here starts from. Negative labels (unlabelled) are left
// out; groups are numbered by ascending label, so that label values may be anything.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/view.h"

namespace m2st::cluster {

struct Grouping {
  std::vector<std::int32_t> cells;    // labelled cells by group, ascending inside a group
  std::vector<std::int64_t> offsets;  // (groups + 1): group g is cells[offsets[g], offsets[g+1])
  std::vector<std::int32_t> group;    // (N): the group of a cell, -1 when unlabelled

  std::int32_t groups() const { return static_cast<std::int32_t>(offsets.size()) - 1; }
  std::int64_t count() const { return static_cast<std::int64_t>(cells.size()); }
  std::int64_t size(std::int32_t g) const {
    return offsets[static_cast<std::size_t>(g) + 1] - offsets[static_cast<std::size_t>(g)];
  }
  // Group of the cell at a position in `cells`.
  std::int32_t group_at(std::int64_t position) const {
    return group[static_cast<std::size_t>(cells[static_cast<std::size_t>(position)])];
  }
};

Grouping group_by_label(Span<const std::int32_t> labels);

}  // namespace m2st::cluster
