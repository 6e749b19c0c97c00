// How coherent domains are in space; neighbours by k-d tree, O(N log N). Labels < 0 are left out:
// such cells are nobody's neighbours. Both figures are NaN when no cell is labelled.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// CHAOS (Shang and Zhou 2022) as the SDMBench benchmark computes it: coordinates standardised per
// axis (population deviation; a constant axis is only centred), then the distances of cells to the
// nearest other cell of their domain are summed and divided by the number of cells. Domains of
// fewer than three cells add nothing to the sum, but their cells count in the divisor. One
// difference: cells at the same place are at distance 0, where SDMBench looks for the next place.
double chaos(CpuContext& context, MatrixView<const double> coordinates,
             Span<const std::int32_t> labels);
// PAS as SDMBench: share of cells with at least six of their ten nearest other cells in another
// domain. Of cells equally far the one with the lower index is nearer; when there are fewer than
// ten others, all of them are looked at and the bound stays six.
double pas(CpuContext& context, MatrixView<const double> coordinates,
           Span<const std::int32_t> labels);

// The ten nearest others of every cell, or all others; found once for PAS of many labelings.
struct NearestCells {
  std::int64_t each = 0;
  std::vector<std::int32_t> cells;  // (N × each), each cell's nearest first
};
NearestCells nearest_cells(CpuContext& context, MatrixView<const double> coordinates);
// PAS where every cell has a label (none is left out, whatever its sign).
double pas(const NearestCells& nearest, Span<const std::int32_t> labels);

}  // namespace m2st::cluster
