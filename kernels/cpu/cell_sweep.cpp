// Chunks keep sums of their own, added up in chunk order; inside a chunk cells go by tiles that
// stay in cache between the product and what is made of it.
#include "kernels/cell_sweep.h"

#include <algorithm>
#include <iterator>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/sweep_shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kCellsPerTile = 336;  // two row blocks of the matrix product
constexpr std::int64_t kMostChunks = 64;
constexpr std::int64_t kDoublesOfAllChunks = 8 << 20;  // 64 MB for the chunks' sums of one set
constexpr std::int64_t kColumnsPerChunk = 4096;

// Cells a chunk: few enough chunks that their sums stay small, each a whole number of tiles. A
// matter of one option set alone, as the order of its sums must be.
std::int64_t cells_per_chunk(std::int64_t cells, std::int64_t sums) {
  const std::int64_t most = std::clamp<std::int64_t>(
      kDoublesOfAllChunks / std::max<std::int64_t>(sums, 1), 1, kMostChunks);
  const std::int64_t tiles = chunk_count(cells, kCellsPerTile);
  return std::max<std::int64_t>(chunk_count(tiles, most), 1) * kCellsPerTile;
}

template <class T>
void add_to(Span<const T> x, double* out) {
  for (std::size_t j = 0; j < x.size(); ++j) out[j] += static_cast<double>(x[j]);
}

template <class T>
Matrix<T> converted(CpuContext& context, MatrixView<const double> x) {
  Matrix<T> result(context.pool(), x.rows, x.cols);
  std::transform(x.span().begin(), x.span().end(), result.span().begin(),
                 [](double value) { return static_cast<T>(value); });
  return result;
}

// One option set's maps in T, and where its part of a tile is.
template <class T>
class Member {
 public:
  Member(CpuContext& context, const SweptCells<T>& part, std::int64_t set, std::int64_t first)
      : labels_(part.labels.row(set)),
        common_(part.common.member(set)),
        sums_(part.sums.member(set)),
        counts_(part.counts.row(set)),
        data_map_(part.data_map.member(set)),
        first_(first),
        common_map_(converted<T>(context, part.common_map.member(set))),
        label_map_(converted<T>(context, part.label_map.member(set))) {}

  std::int64_t rows() const { return label_map_.cols(); }
  std::int64_t first() const { return first_; }
  MatrixView<const double> data_map() const { return data_map_; }
  MatrixView<double> sums() const { return sums_; }

  // New labels, new H, and their sums added to `sums`, of the cells from `begin` on, one for each
  // row of `scores`. data_part: what D adds to the scores of all members; scores: scratch.
  void settle(CpuContext& context, const std::vector<MatrixView<const T>>& data, std::int64_t begin,
              MatrixView<const T> data_part, MatrixView<T> scores, MatrixView<double> sums) const {
    for (std::int64_t i = 0; i < scores.rows; ++i) {
      const T* from_data = data_part.row(i).data() + first_;
      const T* from_label = label_map_.view().row(label(begin + i)).data();
      T* row = scores.row(i).data();
      for (std::int64_t r = 0; r < scores.cols; ++r) row[r] = from_label[r] + from_data[r];
    }
    gemm<T>(context, Layout::kPlain, Layout::kTransposed, T(1), common_.slice(begin, scores.rows),
            common_map_.view(), T(1), scores);
    for (std::int64_t i = 0; i < scores.rows; ++i) {
      settle_cell(data, begin + i, scores.row(i).data(), sums);
    }
  }

  // From the sums of the one-hot labels, which are whole numbers.
  void count() const {
    const std::int64_t clusters = label_map_.rows();
    const std::int64_t first = sums_.cols - clusters - common_.cols;
    for (std::int64_t c = 0; c < clusters; ++c) {
      double cells = 0;
      for (std::int64_t old = 0; old < clusters; ++old) cells += sums_(c, first + old);
      counts_[static_cast<std::size_t>(c)] = static_cast<std::int64_t>(cells);
    }
  }

 private:
  std::int32_t& label(std::int64_t i) const { return labels_[static_cast<std::size_t>(i)]; }

  void settle_cell(const std::vector<MatrixView<const T>>& data, std::int64_t i, const T* scores,
                   MatrixView<double> sums) const {
    const std::int64_t clusters = label_map_.rows();
    const std::int64_t best = std::min_element(scores, scores + clusters) - scores;
    double* sum = sums.row(best).data();
    for (const MatrixView<const T>& view : data) {
      add_to<T>(view.row(i), sum);
      sum += view.cols;
    }
    const Span<T> common = common_.row(i);
    add_to<T>(common, sum);
    sum += common.size();
    sum[label(i)] += 1;
    sum += clusters;
    std::copy_n(scores + clusters, common.size(), common.begin());
    add_to<T>(common, sum);
    label(i) = static_cast<std::int32_t>(best);
  }

  Span<std::int32_t> labels_;
  MatrixView<T> common_;
  MatrixView<double> sums_;
  Span<std::int64_t> counts_;
  MatrixView<const double> data_map_;
  std::int64_t first_;
  Matrix<T> common_map_, label_map_;
};

template <class T>
class Sweep {
 public:
  Sweep(CpuContext& context, const std::vector<MatrixView<const T>>& data,
        const std::vector<SweptCells<T>>& parts)
      : context_(context), data_(data) {
    for (const SweptCells<T>& part : parts) {
      for (std::int64_t set = 0; set < part.labels.rows; ++set) {
        members_.emplace_back(context, part, set, rows_);
        rows_ += members_.back().rows();
        most_rows_ = std::max(most_rows_, members_.back().rows());
      }
    }
    std::int64_t first = 0;
    for (const MatrixView<const T>& view : data) {
      data_maps_.push_back(stacked(first, view.cols));
      first += view.cols;
    }
  }

  const std::vector<Member<T>>& members() const { return members_; }

  // Adds the sums of the cells [begin, end) to `parts`, one member's after the other's.
  void chunk(std::int64_t begin, std::int64_t end, double* parts) const {
    Matrix<T> data_part(context_.pool(), kCellsPerTile, rows_);
    Matrix<T> scores(context_.pool(), kCellsPerTile, most_rows_);
    for (std::int64_t first = begin; first < end; first += kCellsPerTile) {
      const std::int64_t count = std::min(kCellsPerTile, end - first);
      const MatrixView<T> tile = data_part.view().slice(0, count);
      for (std::size_t m = 0; m < data_.size(); ++m) {
        gemm<T>(context_, Layout::kPlain, Layout::kPlain, T(1), data_[m].slice(first, count),
                data_maps_[m].view(), m == 0 ? T(0) : T(1), tile);
      }
      double* part = parts;
      for (const Member<T>& member : members_) {
        const MatrixView<double> sums = member.sums();
        member.settle(context_, data_, first, tile, {scores.data(), count, member.rows()},
                      {part, sums.rows, sums.cols});
        part += sums.size();
      }
    }
  }

 private:
  // Columns [first, first + width) of all members' data maps side by side, turned: (width, rows).
  Matrix<T> stacked(std::int64_t first, std::int64_t width) const {
    Matrix<T> result(context_.pool(), width, rows_);
    for (const Member<T>& member : members_) {
      const MatrixView<const double> map = member.data_map();
      for (std::int64_t j = 0; j < width; ++j) {
        for (std::int64_t r = 0; r < map.rows; ++r) {
          result(j, member.first() + r) = static_cast<T>(map(r, first + j));
        }
      }
    }
    return result;
  }

  CpuContext& context_;
  const std::vector<MatrixView<const T>>& data_;
  std::vector<Member<T>> members_;
  std::vector<Matrix<T>> data_maps_;  // of each view (d_m, rows of all members)
  std::int64_t rows_ = 0, most_rows_ = 0;
};

// sums = Σ of the parts from `first` on in every row, in the order of the rows.
void add_up(CpuContext& context, const Matrix<double>& parts, std::int64_t first,
            Span<double> sums) {
  const std::int64_t size = static_cast<std::int64_t>(sums.size());
  parallel_for(context, size, kColumnsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    std::fill(sums.data() + begin, sums.data() + end, 0.0);
    for (std::int64_t part = 0; part < parts.rows(); ++part) {
      const double* values = parts.view().row(part).data() + first;
      for (std::int64_t j = begin; j < end; ++j) sums[static_cast<std::size_t>(j)] += values[j];
    }
  });
}

}  // namespace

template <class T>
void sweep_cells(CpuContext& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts) {
  check_swept_cells(data, parts);
  if (parts.empty()) return;
  const Sweep<T> sweep(context, data, parts);
  if (sweep.members().empty()) return;
  const std::int64_t cells = data.front().rows, size = sweep.members().front().sums().size();
  const std::int64_t grain = cells_per_chunk(cells, size);
  Matrix<double> sums(context.pool(), chunk_count(cells, grain),
                      std::ssize(sweep.members()) * size);
  parallel_for(context, cells, grain, [&](std::int64_t begin, std::int64_t end) {
    const Span<double> part = sums.view().row(begin / grain);
    std::fill(part.begin(), part.end(), 0.0);
    sweep.chunk(begin, end, part.data());
  });
  for (std::int64_t s = 0; s < std::ssize(sweep.members()); ++s) {
    const Member<T>& member = sweep.members()[static_cast<std::size_t>(s)];
    add_up(context, sums, s * size, member.sums().span());
    member.count();
  }
}

#define INSTANTIATE(T)                                                               \
  template void sweep_cells<T>(CpuContext&, const std::vector<MatrixView<const T>>&, \
                               const std::vector<SweptCells<T>>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
