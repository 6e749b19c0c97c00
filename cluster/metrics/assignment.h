// The linear assignment problem, solved exactly: integer values, so no rounding decides a match.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/view.h"

namespace m2st::cluster {

// The column matched to each row so that the sum of value(row, column) is largest; every column is
// used at most once. Needs rows <= cols. O(rows² · cols).
std::vector<std::int32_t> maximum_assignment(MatrixView<const std::int64_t> value);

}  // namespace m2st::cluster
