// Counted from what an iteration takes: its state, the maps of S and H with all their products, and
// what single steps need, all of them, because a pool keeps blocks of one size from those of
// another. Likewise of scores.
#include "cluster/solver_memory.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/device_memory.h"

namespace m2st::cluster {
namespace {

constexpr std::int64_t kDouble = 8;
constexpr std::int64_t kMostParts = 128;  // sums of the pass over the cells that are added up
constexpr std::int64_t kLeastCellsOfPart = 1024;  // of such a part
constexpr std::int64_t kScoreBytes = 64 << 20;    // of the scores of one turn of that pass
// Blocks are larger than asked for, small ones by most.
constexpr double kPoolShare = 1.25;
constexpr std::int64_t kSmallBlocks = 64 << 10;

constexpr std::int64_t kCellsOfTile = 64;  // whose silhouettes are added up by one block
constexpr std::int64_t kMostTileParts = 256;

std::int64_t square(std::int64_t n) { return n * n; }

// In which sums over the cells are made.
std::int64_t parts_of(std::int64_t cells) {
  return std::min(kMostParts, cells / kLeastCellsOfPart + 1);
}

std::int64_t with_pool(std::int64_t bytes) {
  return static_cast<std::int64_t>(kPoolShare * static_cast<double>(bytes)) + kSmallBlocks;
}

}  // namespace

std::int64_t cell_bytes(const SolverShape& shape) {
  std::int64_t width = 0;
  for (const std::int64_t view : shape.widths) width += view;
  return shape.cells * width * shape.scalar_bytes;
}

std::int64_t solver_bytes(const SolverShape& shape, std::int64_t sets) {
  const std::int64_t dim = shape.common_dim, clusters = shape.clusters, rows = clusters + dim;
  std::int64_t width = 0, kept = 0, step = 0;
  for (const std::int64_t view : shape.widths) {
    const std::int64_t own = std::min(shape.specific_dim, view), seen = view + dim + clusters;
    width += view;
    kept += own * (view + clusters) + dim * view;  // P, V, W
    kept += 2 * own * seen + square(own);          // S as a map, its products
    // Right side, solution, system with its factors, and Z Zᵀ as the view sees it.
    step += 2 * own * seen + 4 * square(own) + square(seen) + own * view;
  }
  const std::int64_t entries = width + dim + clusters;
  kept += square(entries) + 3 * dim * entries + 2 * rows * entries + clusters * (entries + dim);
  step += 4 * dim * entries + 8 * square(std::max(dim, clusters));
  const std::int64_t pass = parts_of(shape.cells) * clusters * (entries + dim) + square(clusters);
  const std::int64_t small = sets * kDouble * (kept + step + pass);
  const std::int64_t scores = sets * shape.cells * rows * shape.scalar_bytes;
  const std::int64_t turn =
      std::min(scores, std::max(kScoreBytes, sets * (shape.cells / kMostParts + kLeastCellsOfPart) *
                                                 rows * shape.scalar_bytes));
  // H and labels, and the new ones of a turn.
  const std::int64_t by_cell = dim * shape.scalar_bytes + 4;
  const std::int64_t of_cells = sets * shape.cells * by_cell + 2 * turn;
  const std::int64_t maps = 2 * sets * rows * entries * shape.scalar_bytes;
  return with_pool(small + of_cells + maps);
}

std::int64_t score_bytes(const SolverShape& shape, std::int64_t sets) {
  const std::int64_t width = shape.widths.front(), parts = parts_of(shape.cells);
  const std::int64_t sums = (parts + 1) * shape.clusters * width + width;  // of the cells; means
  const std::int64_t spreads = (2 * parts + 8) * shape.clusters;
  const std::int64_t silhouettes = shape.cells / kCellsOfTile + kMostTileParts;
  return with_pool(sets * (kDouble * (sums + spreads + silhouettes) + 4 * shape.cells));
}

void check_room(Context& context, const std::string& what, std::int64_t bytes) {
  const std::int64_t free = free_device_bytes(context);
  if (bytes <= free) return;
  fail(ExitCode::kOutOfMemory, "clustering: ", what, " up to ", bytes,
       " bytes of the device's memory, of which ", free, " are free; use --device cpu");
}

}  // namespace m2st::cluster
