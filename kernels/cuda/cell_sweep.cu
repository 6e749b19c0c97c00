// The pass over the cells on CUDA. Scores of some cells for all option sets come from one product a
// view; a warp settles a cell of a set; sums by label are label_sums.cuh's.
#include <algorithm>
#include <cmath>

#include "engine/array.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cell_sweep.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/label_sums.cuh"
#include "kernels/cuda/warp.cuh"
#include "kernels/sweep_shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kScoreBytes = 64 << 20;

struct Zero {
  __device__ int operator()(std::int64_t) const { return 0; }
};

template <class T>
struct Converted {
  const double* x;
  __device__ T operator()(std::int64_t i) const { return static_cast<T>(x[i]); }
};

// A view's columns of all sets' maps side by side, turned: (width, sets · rows).
template <class T>
struct StackedMap {
  const double* maps;
  std::int64_t all_rows;  // of all sets
  std::int64_t width;     // of all views
  std::int64_t first;
  __device__ T operator()(std::int64_t i) const {
    return static_cast<T>(maps[i % all_rows * width + first + i / all_rows]);
  }
};

struct LabelRows {
  const std::int32_t* from;
  std::int64_t from_stride;
  std::int32_t* to;
  std::int64_t to_stride;
  __device__ std::int32_t* target(std::int64_t s) const { return to + s * to_stride; }
  __device__ std::int32_t value(std::int64_t s, std::int64_t i) const {
    return from[s * from_stride + i];
  }
};

template <class T>
struct SettleJob {
  std::int64_t cells;  // of this turn
  std::int64_t sets;
  std::int64_t clusters;
  std::int64_t common_dim;
  const T* scores;             // (cells, sets, rows)
  const double* label_map;     // (sets, K, rows)
  const std::int32_t* labels;  // (sets, ..), from this turn's first cell on
  std::int64_t label_stride;   // from set to set
  std::int32_t* next_labels;   // (sets, cells)
  T* next_common;              // (sets, cells, d_c)
  int* pairs;                  // (sets, K, K): cells by new and old label
};

// A warp a cell of a set. The counts are whole numbers, so that the order of adding does not
// matter.
template <class T>
__global__ void settle_kernel(SettleJob<T> job) {
  const std::int64_t item = thread_number() / kWarp;
  if (item >= job.cells * job.sets) return;  // the whole warp
  const int lane = threadIdx.x % kWarp;
  const std::int64_t cell = item / job.sets, s = item % job.sets;
  const std::int64_t rows = job.clusters + job.common_dim;
  const std::int32_t old = job.labels[s * job.label_stride + cell];
  const T* scores = job.scores + item * rows;
  const double* of_label = job.label_map + (s * job.clusters + old) * rows;
  T* common = job.next_common + (s * job.cells + cell) * job.common_dim;
  T best = INFINITY;
  auto label = static_cast<std::int32_t>(job.clusters);  // none yet
  for (std::int64_t r = lane; r < rows; r += kWarp) {
    const T score = scores[r] + static_cast<T>(of_label[r]);
    if (r >= job.clusters) {
      common[r - job.clusters] = score;
    } else if (score < best) {
      best = score;
      label = static_cast<std::int32_t>(r);
    }
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const T other = __shfl_xor_sync(kAllLanes, best, offset);
    const std::int32_t other_label = __shfl_xor_sync(kAllLanes, label, offset);
    if (other < best || (other == best && other_label < label)) {
      best = other;
      label = other_label;
    }
  }
  if (lane > 0) return;
  if (label == job.clusters) label = 0;  // no score was a number
  job.next_labels[s * job.cells + cell] = label;
  atomicAdd(job.pairs + (s * job.clusters + label) * job.clusters + old, 1);
}

// The parts' sums in order, or the counts of pairs where those belong.
struct SweepSums {
  const double* parts;
  const int* pairs;
  std::int64_t count;  // of parts
  std::int64_t clusters;
  std::int64_t width;
  std::int64_t first_pair;  // column
  __device__ double operator()(std::int64_t i) const {
    const std::int64_t row = i / width, column = i % width;  // row: of all sets
    if (column >= first_pair && column < first_pair + clusters) {
      return pairs[row * clusters + column - first_pair];
    }
    const std::int64_t s = row / clusters, size = clusters * width;
    double sum = 0;
    for (std::int64_t part = 0; part < count; ++part) {
      sum += parts[(s * count + part) * size + row % clusters * width + column];
    }
    return sum;
  }
};

struct SumOfPairs {
  const int* pairs;
  std::int64_t clusters;
  __device__ std::int64_t operator()(std::int64_t i) const {
    std::int64_t sum = 0;
    for (std::int64_t old = 0; old < clusters; ++old) sum += pairs[i * clusters + old];
    return sum;
  }
};

template <class T>
class Sweep {
 public:
  Sweep(CudaContext& context, const std::vector<MatrixView<const T>>& data,
        const SweptCells<T>& cells)
      : context_(context),
        data_(data),
        cells_(cells),
        sets_(cells.labels.rows),
        clusters_(cells.label_map.rows),
        common_dim_(cells.common.cols),
        rows_(clusters_ + common_dim_),
        count_(cells.labels.cols),
        part_cells_(cells_of_part(count_)),
        parts_((count_ + part_cells_ - 1) / part_cells_),
        sums_(context.pool(), parts_ * cells.sums.size()),
        pairs_(context.pool(), sets_ * clusters_ * clusters_),
        common_map_(context.pool(), sets_, rows_, common_dim_) {
    write_elements(context, pairs_.size(), pairs_.data(), Accumulate::kOverwrite, Zero{});
    write_elements(context, cells.common_map.size(), common_map_.data(), Accumulate::kOverwrite,
                   Converted<T>{cells.common_map.data});
    std::int64_t first = 0;
    for (const MatrixView<const T>& view : data) {
      maps_.emplace_back(context.pool(), view.cols, sets_ * rows_);
      write_elements(context, maps_.back().size(), maps_.back().data(), Accumulate::kOverwrite,
                     StackedMap<T>{cells.data_map.data, sets_ * rows_, cells.data_map.cols, first});
      first += view.cols;
    }
  }

  void run() {
    const std::int64_t bytes = part_cells_ * sets_ * rows_ * static_cast<std::int64_t>(sizeof(T));
    const std::int64_t turn = std::max<std::int64_t>(kScoreBytes / bytes, 1) * part_cells_;
    for (std::int64_t begin = 0; begin < count_; begin += turn) {
      settle(begin, std::min(turn, count_ - begin));
    }
    const std::int64_t width = cells_.sums.cols;
    write_elements(context_, cells_.sums.size(), cells_.sums.data, Accumulate::kOverwrite,
                   SweepSums{sums_.data(), pairs_.data(), parts_, clusters_, width,
                             width - clusters_ - common_dim_});
    write_elements(context_, cells_.counts.size(), cells_.counts.data, Accumulate::kOverwrite,
                   SumOfPairs{pairs_.data(), clusters_});
  }

 private:
  void settle(std::int64_t begin, std::int64_t count) {
    Matrix<T> scores(context_.pool(), count, sets_ * rows_);
    for (std::size_t m = 0; m < data_.size(); ++m) {
      multiply<T>(context_, Layout::kPlain, Layout::kPlain, T(1),
                  batch_of(data_[m].slice(begin, count)), batch_of(std::as_const(maps_[m]).view()),
                  m == 0 ? T(0) : T(1), batch_of(scores.view()));
    }
    const BatchView<T> common = cells_.common.slice(begin, count);
    multiply<T>(context_, Layout::kPlain, Layout::kTransposed, T(1), common,
                std::as_const(common_map_).view(), T(1),
                {scores.data(), sets_, count, rows_, sets_ * rows_, rows_});
    Matrix<std::int32_t> labels(context_.pool(), sets_, count);
    Batch<T> next(context_.pool(), sets_, count, common_dim_);
    launch(settle_kernel<T>, blocks_for(count * sets_, kBlockThreads / kWarp), dim3(kBlockThreads),
           0, context_,
           SettleJob<T>{count, sets_, clusters_, common_dim_, scores.data(), cells_.label_map.data,
                        cells_.labels.data + begin, count_, labels.data(), next.data(),
                        pairs_.data()});
    add_sums(begin, labels, common, next);
    write_rows<std::int32_t>(context_, sets_, count, Accumulate::kOverwrite,
                             LabelRows{labels.data(), count, cells_.labels.data + begin, count_});
    copy_block<T>(context_, Layout::kPlain, T(1), {}, std::as_const(next).view(), common,
                  Accumulate::kOverwrite);
  }

  // By new label: of D, of H before, of H now.
  void add_sums(std::int64_t begin, const Matrix<std::int32_t>& labels, BatchView<const T> before,
                const Batch<T>& now) {
    std::int64_t first = 0;
    for (const MatrixView<const T>& view : data_) {
      add_sums_of(view.slice(begin, labels.cols()).data, 0, view.cols, begin, labels, first);
      first += view.cols;
    }
    add_sums_of(before.data, before.member_stride, common_dim_, begin, labels, first);
    add_sums_of(now.data(), now.view().member_stride, common_dim_, begin, labels,
                first + common_dim_ + clusters_);
  }

  void add_sums_of(const T* x, std::int64_t member_stride, std::int64_t cols, std::int64_t begin,
                   const Matrix<std::int32_t>& labels, std::int64_t first_column) {
    if (cols == 0) return;
    const std::int64_t size = clusters_ * cells_.sums.cols;
    const std::int64_t parts = (labels.cols() + part_cells_ - 1) / part_cells_;
    sum_labels(context_, LabelSumJob<T>{x, member_stride, cols, labels.data(), labels.cols(), sets_,
                                        part_cells_, parts, clusters_,
                                        sums_.data() + begin / part_cells_ * size + first_column,
                                        size, parts_ * size, cells_.sums.cols});
  }

  CudaContext& context_;
  const std::vector<MatrixView<const T>>& data_;
  SweptCells<T> cells_;
  std::int64_t sets_, clusters_, common_dim_, rows_;
  std::int64_t count_;  // of cells
  std::int64_t part_cells_, parts_;
  Array<double> sums_;  // (sets, parts, K, width)
  Array<int> pairs_;
  Batch<T> common_map_;
  std::vector<Matrix<T>> maps_;
};

}  // namespace

template <class T>
void sweep_cells(CudaContext& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts) {
  check_swept_cells(data, parts);
  for (const SweptCells<T>& part : parts) {
    if (part.labels.rows > 0) Sweep<T>(context, data, part).run();
  }
}

#define INSTANTIATE(T)                                                                \
  template void sweep_cells<T>(CudaContext&, const std::vector<MatrixView<const T>>&, \
                               const std::vector<SweptCells<T>>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
