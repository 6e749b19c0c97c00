// The labels' rows first, then one product for every part of z.
#include "cluster/mapped_cells.h"

#include <algorithm>

#include "cluster/blocks.h"
#include "kernels/gemm.h"

namespace m2st::cluster {

using kernels::Layout;

MappedCells::MappedCells(CpuContext& context, const std::vector<Matrix<double>>& data,
                         const SweepMaps& maps)
    : context_(context), data_(data), maps_(maps) {
  std::int64_t first = 0;
  for (const Matrix<double>& view : data) {
    data_maps_.push_back(columns(context, maps.data.stacked(), first, view.cols()));
    first += view.cols();
  }
}

void MappedCells::map(Span<const std::int32_t> labels, MatrixView<const double> common,
                      std::int64_t begin, std::int64_t end, MatrixView<double> out) const {
  const std::int64_t count = end - begin;
  for (std::int64_t i = begin; i < end; ++i) {
    const Span<const double> row = maps_.labels.stacked().row(labels[static_cast<std::size_t>(i)]);
    std::copy(row.begin(), row.end(), out.row(i - begin).begin());
  }
  for (std::size_t m = 0; m < data_.size(); ++m) {
    kernels::gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0,
                          data_[m].view().slice(begin, count), data_maps_[m].view(), 1.0, out);
  }
  kernels::gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0,
                        common.slice(begin, count), maps_.common.stacked(), 1.0, out);
}

}  // namespace m2st::cluster
