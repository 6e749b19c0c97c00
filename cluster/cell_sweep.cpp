// Chunks keep sums of their own, added up in chunk order; inside a chunk cells go by tiles that
// stay in cache between the product and what is made of it.
#include "cluster/cell_sweep.h"

#include <algorithm>

#include "cluster/blocks.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr std::int64_t kMostChunks = 64;
constexpr std::int64_t kDoublesOfAllChunks = 8 << 20;  // 64 MB for the chunks' sums
constexpr std::int64_t kColumnsPerChunk = 4096;

// Cells a chunk: few enough chunks that their sums stay small, each a whole number of tiles.
std::int64_t cells_per_chunk(std::int64_t cells, std::int64_t sums) {
  const std::int64_t most = std::clamp<std::int64_t>(
      kDoublesOfAllChunks / std::max<std::int64_t>(sums, 1), 1, kMostChunks);
  const std::int64_t tiles = chunk_count(cells, kCellsPerTile);
  return std::max<std::int64_t>(chunk_count(tiles, most), 1) * kCellsPerTile;
}

void add_to(Span<const double> x, double* out) {
  for (std::size_t j = 0; j < x.size(); ++j) out[j] += x[j];
}

class Sweep {
 public:
  Sweep(CpuContext& context, const std::vector<Matrix<double>>& data, const SweepMaps& maps,
        Span<std::int32_t> labels, MatrixView<double> common)
      : data_(data), maps_(maps), mapped_(context, data, maps), labels_(labels), common_(common) {}

  // Cells [begin, end): new labels, new H, and their sums added to `sums`.
  void tile(std::int64_t begin, std::int64_t end, MatrixView<double> out,
            MatrixView<double> sums) const {
    mapped_.map(labels_, common_, begin, end, out);
    for (std::int64_t i = begin; i < end; ++i) settle(i, out.row(i - begin), sums);
  }

 private:
  void settle(std::int64_t i, Span<const double> out, MatrixView<double> sums) const {
    const std::int64_t clusters = maps_.labels.rows();
    std::int64_t best = 0;
    for (std::int64_t c = 1; c < clusters; ++c) {
      if (out[static_cast<std::size_t>(c)] < out[static_cast<std::size_t>(best)]) best = c;
    }
    std::int32_t& label = labels_[static_cast<std::size_t>(i)];
    double* sum = sums.row(best).data();
    for (const Matrix<double>& view : data_) {
      add_to(view.view().row(i), sum);
      sum += view.cols();
    }
    add_to(common_.row(i), sum);
    sum += common_.cols;
    sum[label] += 1;
    sum += clusters;
    const Span<const double> next = out.subspan(static_cast<std::size_t>(clusters));
    add_to(next, sum);
    std::copy(next.begin(), next.end(), common_.row(i).begin());
    label = static_cast<std::int32_t>(best);
  }

  const std::vector<Matrix<double>>& data_;
  const SweepMaps& maps_;
  MappedCells mapped_;
  Span<std::int32_t> labels_;
  MatrixView<double> common_;
};

// sums = Σ of the parts, in order.
void add_up(CpuContext& context, const Matrix<double>& parts, Span<double> sums) {
  const std::int64_t size = static_cast<std::int64_t>(sums.size());
  parallel_for(context, size, kColumnsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    std::fill(sums.data() + begin, sums.data() + end, 0.0);
    for (std::int64_t part = 0; part < parts.rows(); ++part) {
      const double* values = parts.view().row(part).data();
      for (std::int64_t j = begin; j < end; ++j) sums[static_cast<std::size_t>(j)] += values[j];
    }
  });
}

}  // namespace

MappedCells::MappedCells(CpuContext& context, const std::vector<Matrix<double>>& data,
                         const SweepMaps& maps)
    : context_(context), data_(data), maps_(maps) {
  std::int64_t first = 0;
  for (const Matrix<double>& view : data) {
    data_maps_.push_back(columns(context, maps.data.view(), first, view.cols()));
    first += view.cols();
  }
}

void MappedCells::map(Span<const std::int32_t> labels, MatrixView<const double> common,
                      std::int64_t begin, std::int64_t end, MatrixView<double> out) const {
  const std::int64_t count = end - begin;
  for (std::int64_t i = begin; i < end; ++i) {
    const Span<const double> row = maps_.labels.view().row(labels[static_cast<std::size_t>(i)]);
    std::copy(row.begin(), row.end(), out.row(i - begin).begin());
  }
  for (std::size_t m = 0; m < data_.size(); ++m) {
    kernels::gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0,
                          data_[m].view().slice(begin, count), data_maps_[m].view(), 1.0, out);
  }
  kernels::gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0,
                        common.slice(begin, count), maps_.common.view(), 1.0, out);
}

void sweep_cells(CpuContext& context, const std::vector<Matrix<double>>& data,
                 const SweepMaps& maps, Span<std::int32_t> labels, MatrixView<double> common,
                 MatrixView<double> sums) {
  const std::int64_t cells = common.rows;
  const std::int64_t grain = cells_per_chunk(cells, sums.size());
  const Sweep sweep(context, data, maps, labels, common);
  Matrix<double> parts(context.pool(), chunk_count(cells, grain), sums.size());
  parallel_for(context, cells, grain, [&](std::int64_t begin, std::int64_t end) {
    const Span<double> part = parts.view().row(begin / grain);
    std::fill(part.begin(), part.end(), 0.0);
    Matrix<double> out(context.pool(), kCellsPerTile, maps.data.rows());
    for (std::int64_t first = begin; first < end; first += kCellsPerTile) {
      const std::int64_t count = std::min(kCellsPerTile, end - first);
      sweep.tile(first, first + count, out.view().slice(0, count),
                 {part.data(), sums.rows, sums.cols});
    }
  });
  add_up(context, parts, sums.span());
}

}  // namespace m2st::cluster
