// Cluster means come from the kernel that sums by label; the rest is gathering.
#include "cluster/metrics/centred_cells.h"

#include <algorithm>
#include <array>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/assign.h"

namespace m2st::cluster {
namespace {

constexpr std::int64_t kCellsPerChunk = 256;
constexpr std::size_t kLanes = 8;  // one AVX-512 register of doubles

double sum_of(const std::array<double, kLanes>& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// Σ term(i)² over i < size in eight interleaved partial sums.
template <class Term>
double sum_of_squares(std::size_t size, Term&& term) {
  std::array<double, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = term(i + lane);
      lanes[lane] += value * value;
    }
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) lanes[lane] += term(i) * term(i);
  return sum_of(lanes);
}

}  // namespace

double squared_distance(Span<const double> a, Span<const double> b) {
  return sum_of_squares(a.size(), [=](std::size_t i) { return a[i] - b[i]; });
}

std::vector<double> sums_by_group(const Grouping& grouping, Span<const double> values) {
  std::vector<double> sums(static_cast<std::size_t>(grouping.groups()), 0.0);
  for (std::size_t g = 0; g < sums.size(); ++g) {
    for (std::int64_t p = grouping.offsets[g]; p < grouping.offsets[g + 1]; ++p) {
      sums[g] += values[static_cast<std::size_t>(p)];
    }
  }
  return sums;
}

CentredCells::CentredCells(CpuContext& context, MatrixView<const float> x,
                           Span<const std::int32_t> labels)
    : x_(x), grouping_(group_by_label(labels)), centre_(static_cast<std::size_t>(x.cols), 0.0) {
  M2ST_CHECK(static_cast<std::size_t>(x.rows) == labels.size(), "separation: ", x.rows,
             " cells, but ", labels.size(), " labels");
  means_ = Matrix<double>(context.pool(), clusters(), width());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters()));
  kernels::sums_by_label<float>(context, x, grouping_.group, means_.view(), counts);
  for (std::int32_t g = 0; g < clusters(); ++g) {
    for (std::int64_t c = 0; c < width(); ++c) {
      centre_[static_cast<std::size_t>(c)] += means_(g, c) / static_cast<double>(count());
    }
  }
  for (std::int32_t g = 0; g < clusters(); ++g) {
    const double size = static_cast<double>(grouping_.size(g));
    for (std::int64_t c = 0; c < width(); ++c) {
      means_(g, c) = means_(g, c) / size - centre_[static_cast<std::size_t>(c)];
    }
  }
}

double CentredCells::copy_centred(std::int64_t position, Span<double> out) const {
  const Span<const float> row = x_.row(grouping_.cells[static_cast<std::size_t>(position)]);
  for (std::size_t c = 0; c < out.size(); ++c) {
    out[c] = static_cast<double>(row[c]) - centre_[c];
  }
  return sum_of_squares(out.size(), [=](std::size_t c) { return out[c]; });
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

std::vector<double> CentredCells::squared_spreads(CpuContext& context) const {
  std::vector<double> result(static_cast<std::size_t>(count()));
  parallel_for(context, count(), kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> cell(static_cast<std::size_t>(width()));
    for (std::int64_t p = begin; p < end; ++p) {
      copy_centred(p, cell);
      result[static_cast<std::size_t>(p)] =
          squared_distance(cell, means_.view().row(grouping_.group_at(p)));
    }
  });
  return result;
}

}  // namespace m2st::cluster
