// Shapes that callers of sweep_cells must keep, on every backend.
#pragma once

#include <vector>

#include "engine/check.h"
#include "kernels/cell_sweep.h"

namespace m2st::kernels {

template <class T>
void check_swept_cells(const std::vector<MatrixView<const T>>& data,
                       const std::vector<SweptCells<T>>& parts) {
  M2ST_CHECK(!data.empty(), "sweep_cells: no cells given");
  const std::int64_t cells = data.front().rows;
  std::int64_t width = 0;
  for (const MatrixView<const T>& view : data) {
    M2ST_CHECK(view.rows == cells, "sweep_cells: views of ", cells, " and ", view.rows, " cells");
    width += view.cols;
  }
  for (const SweptCells<T>& part : parts) {
    const std::int64_t clusters = part.label_map.rows, dim = part.common.cols;
    const std::int64_t rows = clusters + dim, sets = part.labels.rows;
    const auto is = [sets](const auto& batch, std::int64_t height, std::int64_t columns) {
      return batch.count == sets && batch.rows == height && batch.cols == columns &&
             batch.contiguous();
    };
    M2ST_CHECK(
        is(part.data_map, rows, width) && is(part.common_map, rows, dim) &&
            is(part.label_map, clusters, rows) && is(part.common, cells, dim) &&
            part.labels.cols == cells && part.counts.rows == sets && part.counts.cols == clusters &&
            clusters > 0 && is(part.sums, clusters, width + dim + clusters + dim),
        "sweep_cells: shapes of ", sets, " option sets do not fit ", cells, " cells of width ",
        width, ", ", clusters, " clusters and ", dim, " common dimensions");
    M2ST_CHECK(part.sums.rows * part.sums.cols == parts.front().sums.rows * parts.front().sums.cols,
               "sweep_cells: option sets of other sizes");
  }
}

}  // namespace m2st::kernels
