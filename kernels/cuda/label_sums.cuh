// Sums of cells by label for several labelings at once, over parts of the cells whose size depends
// on the number of cells alone: a thread owns a column of some labelings and keeps their sums in
// shared memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/cuda_launch.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::kernels {

inline constexpr std::int64_t kLeastCellsOfPart = 1024;
inline constexpr std::int64_t kMostCellParts = 128;  // bounds the memory of their sums
inline constexpr int kColumnThreads = 64;            // narrow blocks: H has few columns
// A cell that all sets share is read once for these, and their sums do not wait for one another.
inline constexpr int kSetsAThread = 4;
inline constexpr int kLabelsAThread = 24;  // with as many sets 48 KiB a block
inline constexpr int kCellsAtOnce = 4;     // loads under way

inline std::int64_t cells_of_part(std::int64_t cells) {
  const std::int64_t even = (cells + kMostCellParts - 1) / kMostCellParts;
  return (std::max(kLeastCellsOfPart, even) + kWarp - 1) / kWarp * kWarp;
}

template <class T>
struct LabelSumJob {
  const T* x;
  std::int64_t member_stride;  // 0: the same cells for all sets
  std::int64_t cols;
  const std::int32_t* labels;  // (sets, cells)
  std::int64_t cells;
  std::int64_t sets;
  std::int64_t part_cells;
  std::int64_t parts;
  std::int64_t clusters;
  double* sums;  // (sets, parts, K, width): of set 0, its first part, the first column
  std::int64_t part_stride;
  std::int64_t set_stride;
  std::int64_t width;
  int sets_of_block = 0;  // sum_labels says how a block cuts them
  int labels_of_block = 0;
};

// Of each set and cell the value, and where among the thread's sums it belongs; -1: nowhere.
template <class T>
struct CellsAtOnce {
  T values[kSetsAThread][kCellsAtOnce];
  int places[kSetsAThread][kCellsAtOnce];
};

// From cell `first` of the block's on; x and labels point to its first set, x to the column.
template <class T>
__device__ inline void read_cells(const LabelSumJob<T>& job, const T* x, const std::int32_t* labels,
                                  int sets, std::int64_t first, std::int64_t end,
                                  CellsAtOnce<T>& cells) {
#pragma unroll
  for (int j = 0; j < kSetsAThread; ++j) {
#pragma unroll
    for (int u = 0; u < kCellsAtOnce; ++u) {
      cells.places[j][u] = -1;
      if (j >= sets || first + u >= end) continue;
      const std::int32_t label =
          labels[j * job.cells + first + u] - static_cast<int>(blockIdx.y) * kLabelsAThread;
      if (label >= 0 && label < job.labels_of_block) {
        cells.places[j][u] = (j * job.labels_of_block + label) * kColumnThreads;
      }
      cells.values[j][u] = j > 0 && job.member_stride == 0
                               ? cells.values[0][u]
                               : x[j * job.member_stride + (first + u) * job.cols];
    }
  }
}

template <class T>
__device__ inline void add_cells(const CellsAtOnce<T>& cells, double* sums) {
#pragma unroll
  for (int u = 0; u < kCellsAtOnce; ++u) {
    double grown[kSetsAThread] = {};
#pragma unroll
    for (int j = 0; j < kSetsAThread; ++j) {
      if (cells.places[j][u] >= 0) grown[j] = sums[cells.places[j][u]] + cells.values[j][u];
    }
#pragma unroll
    for (int j = 0; j < kSetsAThread; ++j) {
      if (cells.places[j][u] >= 0) sums[cells.places[j][u]] = grown[j];
    }
  }
}

// blockIdx.y: a group of labels; blockIdx.z: a part of some sets. Sums are in shared memory because
// only at run time it is known which of them a cell belongs to; a thread's are no other thread's.
template <class T>
__global__ void label_sums_kernel(LabelSumJob<T> job) {
  const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * kColumnThreads + threadIdx.x;
  if (c >= job.cols) return;
  const std::int64_t set = blockIdx.z / job.parts * job.sets_of_block;
  const std::int64_t part = blockIdx.z % job.parts, begin = part * job.part_cells;
  const std::int64_t end = begin + job.part_cells < job.cells ? begin + job.part_cells : job.cells;
  const int labels = job.labels_of_block;
  const int sets =
      set + job.sets_of_block < job.sets ? job.sets_of_block : static_cast<int>(job.sets - set);
  double* sums = block_shared_dynamic<double>() + threadIdx.x;
  for (int k = 0; k < sets * labels; ++k) sums[k * kColumnThreads] = 0;
  CellsAtOnce<T> cells;
  for (std::int64_t i = begin; i < end; i += kCellsAtOnce) {
    read_cells(job, job.x + set * job.member_stride + c, job.labels + set * job.cells, sets, i, end,
               cells);
    add_cells(cells, sums);
  }
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * kLabelsAThread;
  double* out = job.sums + set * job.set_stride + part * job.part_stride + c;
  for (int j = 0; j < sets; ++j) {
    for (int k = 0; k < labels && first + k < job.clusters; ++k) {
      out[j * job.set_stride + (first + k) * job.width] = sums[(j * labels + k) * kColumnThreads];
    }
  }
}

// The job's sums; labels that are none of the K are left out.
template <class T>
void sum_labels(CudaContext& context, LabelSumJob<T> job) {
  job.sets_of_block = static_cast<int>(std::min<std::int64_t>(job.sets, kSetsAThread));
  job.labels_of_block = static_cast<int>(std::min<std::int64_t>(job.clusters, kLabelsAThread));
  const dim3 grid(blocks_for(job.cols, kColumnThreads).x,
                  blocks_for(job.clusters, kLabelsAThread).x,
                  blocks_for(job.sets, job.sets_of_block).x * static_cast<unsigned>(job.parts));
  const std::size_t bytes =
      sizeof(double) *
      static_cast<std::size_t>(job.sets_of_block * job.labels_of_block * kColumnThreads);
  launch(label_sums_kernel<T>, grid, dim3(kColumnThreads), bytes, context, job);
}

}  // namespace m2st::kernels
