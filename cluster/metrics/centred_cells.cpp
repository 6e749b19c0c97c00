// The mean comes from the kernel that sums by label; the rest is gathering.
#include "cluster/metrics/centred_cells.h"

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/assign.h"
#include "kernels/math/interleaved_squares.h"

namespace m2st::cluster {

CentredCells::CentredCells(CpuContext& context, MatrixView<const float> x,
                           Span<const std::int32_t> labels)
    : x_(x), grouping_(group_by_label(labels)), centre_(static_cast<std::size_t>(x.cols), 0.0) {
  M2ST_CHECK(static_cast<std::size_t>(x.rows) == labels.size(), "separation: ", x.rows,
             " cells, but ", labels.size(), " labels");
  Matrix<double> sums(context.pool(), clusters(), width());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters()));
  kernels::sums_by_label<float>(context, x, grouping_.group, sums.view(), counts);
  for (std::int32_t g = 0; g < clusters(); ++g) {
    for (std::int64_t c = 0; c < width(); ++c) {
      centre_[static_cast<std::size_t>(c)] += sums(g, c) / static_cast<double>(count());
    }
  }
}

double CentredCells::copy_centred(std::int64_t position, Span<double> out) const {
  const Span<const float> row = x_.row(grouping_.cells[static_cast<std::size_t>(position)]);
  for (std::size_t c = 0; c < out.size(); ++c) {
    out[c] = static_cast<double>(row[c]) - centre_[c];
  }
  return kernels::sum_of_squares(out.size(), [=](std::size_t c) { return out[c]; });
}

void CentredCells::gather(Span<const std::int64_t> positions, MatrixView<double> out,
                          Span<double> squares) const {
  for (std::size_t r = 0; r < positions.size(); ++r) {
    squares[r] = copy_centred(positions[r], out.row(static_cast<std::int64_t>(r)));
  }
}

void CentredCells::gather(std::int64_t first, MatrixView<double> out, Span<double> squares) const {
  for (std::int64_t r = 0; r < out.rows; ++r) {
    squares[static_cast<std::size_t>(r)] = copy_centred(first + r, out.row(r));
  }
}

}  // namespace m2st::cluster
