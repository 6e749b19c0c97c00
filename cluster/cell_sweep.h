// The one pass over the cells that an iteration of the reduced clustering makes. A cell is seen as
// z = [D_i; H_i; one-hot of its label]; the pass gives its new label and its new H_i, both linear
// in z, and the sums of z and of the new H by new label.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// The K scores (smallest wins) and the d_c entries of H, one below the other, as functions of z.
struct SweepMaps {
  Matrix<double> data;    // (K + d_c, d), d the widths of all views together
  Matrix<double> common;  // (K + d_c, d_c)
  Matrix<double> labels;  // (K, K + d_c): what each old label adds, constants included
};

// out (end − begin, rows of the maps) = map · z of the cells [begin, end).
class MappedCells {
 public:
  MappedCells(CpuContext& context, const std::vector<Matrix<double>>& data, const SweepMaps& maps);

  // labels (N) and common (N, d_c) as they are now.
  void map(Span<const std::int32_t> labels, MatrixView<const double> common, std::int64_t begin,
           std::int64_t end, MatrixView<double> out) const;

 private:
  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const SweepMaps& maps_;
  std::vector<Matrix<double>> data_maps_;
};

constexpr std::int64_t kCellsPerTile = 128;  // 128 × 400 doubles: 400 KB, in the second cache

// labels (N) and common (N, d_c) in place. sums (K, d + d_c + K + d_c): by new label the sums of z,
// then of the new H. Lowest label on ties. Same bytes for any number of threads.
void sweep_cells(CpuContext& context, const std::vector<Matrix<double>>& data,
                 const SweepMaps& maps, Span<std::int32_t> labels, MatrixView<double> common,
                 MatrixView<double> sums);

}  // namespace m2st::cluster
