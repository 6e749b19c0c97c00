// What the reduced reference clustering, and the scores of what it finds, take of the memory of the
// backend that they run on: known before anything is taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/context.h"

namespace m2st::cluster {

struct SolverShape {
  std::int64_t cells = 0;
  std::vector<std::int64_t> widths;  // of each view
  std::int64_t specific_dim = 0;     // capped by each view's width
  std::int64_t common_dim = 0;
  std::int64_t clusters = 0;
  std::int64_t scalar_bytes = 8;  // of H and of the passes over the cells
};

// At most, of `sets` option sets that go in step; the cells themselves are not in it.
std::int64_t solver_bytes(const SolverShape& shape, std::int64_t sets);

// At most, for the scores of `sets` labelings by the first view's cells, without those.
std::int64_t score_bytes(const SolverShape& shape, std::int64_t sets);

// Of the cells.
std::int64_t cell_bytes(const SolverShape& shape);

// Exit code 6, saying how much `what` takes and how much there is, where that is more than the
// context's device has left.
void check_room(Context& context, const std::string& what, std::int64_t bytes);

}  // namespace m2st::cluster
