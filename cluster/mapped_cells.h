// Linear functions of z = [D_i; H_i; one-hot of its label] over a range of cells, for maps of any
// number of rows.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/stacked_maps.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

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

}  // namespace m2st::cluster
