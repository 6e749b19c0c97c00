// Labelled cells as double, grouped by cluster and centred on their mean: distances from expanded
// squares then lose nothing to a large common offset. Cells are named by position in the grouping.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/metrics/grouping.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

class CentredCells {
 public:
  CentredCells(CpuContext& context, MatrixView<const float> x, Span<const std::int32_t> labels);

  const Grouping& grouping() const { return grouping_; }
  std::int64_t count() const { return grouping_.count(); }
  std::int32_t clusters() const { return grouping_.groups(); }
  std::int64_t width() const { return x_.cols; }

  // out[r,:] = the cell at positions[r]; squares[r] its squared norm.
  void gather(Span<const std::int64_t> positions, MatrixView<double> out,
              Span<double> squares) const;
  // The cells at positions first .. first + out.rows.
  void gather(std::int64_t first, MatrixView<double> out, Span<double> squares) const;

 private:
  double copy_centred(std::int64_t position, Span<double> out) const;

  MatrixView<const float> x_;
  Grouping grouping_;
  std::vector<double> centre_;
};

}  // namespace m2st::cluster
