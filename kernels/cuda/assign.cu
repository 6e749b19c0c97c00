// Nearest centres by differences on CUDA, ‖x − c‖² = Σ (x − c)² in order of the dimension: no
// cancellation and no device can flip a label. Tiles of rows and centres as in gemm.
#include <algorithm>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/assign.h"
#include "kernels/cuda/tile.cuh"

namespace m2st::kernels {

namespace {

constexpr int kOwnedRows = 4;
constexpr int kTileRows = kOwnedRows * kTileThreads;
constexpr std::int64_t kSumGrain = 2048;  // rows

template <class T>
struct DistanceJob {
  TileOperand<T> x;
  TileOperand<T> centres;
  std::int64_t rows;
  std::int64_t count;  // of centres
  std::int64_t dimensions;
};

// Distances of the block's rows to the centres from `first` on.
template <int kOwned, class T>
__device__ void tile_distances(const DistanceJob<T>& job, std::int64_t first,
                               T (&sums)[kOwnedRows][kOwned]) {
  for (int r = 0; r < kOwnedRows; ++r) {
    for (int c = 0; c < kOwned; ++c) sums[r][c] = T(0);
  }
  add_tile<SquaredDifference>(
      job.x, job.centres, TileRange{static_cast<std::int64_t>(blockIdx.x) * kTileRows, job.rows},
      TileRange{first, job.count}, TileRange{0, job.dimensions}, sums);
}

__device__ std::int64_t row_of_thread(int which) {
  return static_cast<std::int64_t>(blockIdx.x) * kTileRows +
         owned_index<kOwnedRows>(threadIdx.x / kTileThreads, which);
}

template <int kOwned, class T>
__global__ void assign_nearest_kernel(DistanceJob<T> job, std::int32_t* __restrict__ labels,
                                      T* __restrict__ distances) {
  T best[kOwnedRows];
  std::int32_t label[kOwnedRows];
  for (int r = 0; r < kOwnedRows; ++r) {
    best[r] = INFINITY;
    label[r] = 0;
  }
  for (std::int64_t first = 0; first < job.count; first += kOwned * kTileThreads) {
    T sums[kOwnedRows][kOwned];
    tile_distances<kOwned>(job, first, sums);
#pragma unroll
    for (int r = 0; r < kOwnedRows; ++r) {
#pragma unroll
      for (int c = 0; c < kOwned; ++c) {
        const std::int64_t k = first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
        if (k < job.count && sums[r][c] < best[r]) {
          best[r] = sums[r][c];
          label[r] = static_cast<std::int32_t>(k);
        }
      }
    }
  }
  // The sixteen threads of a row are neighbours in one warp; the lowest label wins ties.
#pragma unroll
  for (int r = 0; r < kOwnedRows; ++r) {
    for (int offset = kTileThreads / 2; offset > 0; offset /= 2) {
      const T other = __shfl_xor_sync(kAllLanes, best[r], offset);
      const std::int32_t other_label = __shfl_xor_sync(kAllLanes, label[r], offset);
      if (other < best[r] || (other == best[r] && other_label < label[r])) {
        best[r] = other;
        label[r] = other_label;
      }
    }
    const std::int64_t row = row_of_thread(r);
    if (threadIdx.x % kTileThreads == 0 && row < job.rows) {
      labels[row] = label[r];
      distances[row] = best[r];
    }
  }
}

template <int kOwned, class T>
__global__ void squared_distances_kernel(DistanceJob<T> job, T* __restrict__ distances) {
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * kOwned * kTileThreads;
  T sums[kOwnedRows][kOwned];
  tile_distances<kOwned>(job, first, sums);
  for (int r = 0; r < kOwnedRows; ++r) {
    for (int c = 0; c < kOwned; ++c) {
      const std::int64_t row = row_of_thread(r);
      const std::int64_t k = first + owned_index<kOwned>(threadIdx.x % kTileThreads, c);
      if (row < job.rows && k < job.count) distances[row * job.count + k] = sums[r][c];
    }
  }
}

template <class T>
DistanceJob<T> distance_job(MatrixView<const T> x, MatrixView<const T> centres) {
  return {{x.data, x.cols, true, nullptr},
          {centres.data, centres.cols, true, nullptr},
          x.rows,
          centres.rows,
          x.cols};
}

template <class T>
struct LabelSums {
  const T* x;
  const std::int32_t* labels;
  std::int64_t rows;
  std::int64_t cols;
  std::int64_t clusters;
  std::int64_t grain;  // rows of a chunk, blockIdx.y its number
};

// A thread owns a column: it adds the chunk's rows, in order, to the sums of their labels.
template <class T>
__global__ void sums_by_label_kernel(LabelSums<T> job, double* __restrict__ part_sums) {
  const std::int64_t c = thread_number();
  if (c >= job.cols) return;
  double* sums = part_sums + blockIdx.y * job.clusters * job.cols + c;
  for (std::int64_t k = 0; k < job.clusters; ++k) sums[k * job.cols] = 0;
  const std::int64_t begin = blockIdx.y * job.grain;
  const std::int64_t end = begin + job.grain < job.rows ? begin + job.grain : job.rows;
  for (std::int64_t n = begin; n < end; ++n) {
    const std::int64_t label = job.labels[n];
    if (label >= 0 && label < job.clusters) {
      sums[label * job.cols] += static_cast<double>(job.x[n * job.cols + c]);
    }
  }
}

template <class T>
__global__ void counts_by_label_kernel(LabelSums<T> job, std::int64_t* __restrict__ part_counts) {
  const std::int64_t k = thread_number();
  if (k >= job.clusters) return;
  const std::int64_t begin = blockIdx.y * job.grain;
  const std::int64_t end = begin + job.grain < job.rows ? begin + job.grain : job.rows;
  std::int64_t count = 0;
  for (std::int64_t n = begin; n < end; ++n) count += job.labels[n] == k ? 1 : 0;
  part_counts[blockIdx.y * job.clusters + k] = count;
}

// Σ of the chunks' parts, in order.
template <class V>
struct SumOfParts {
  const V* parts;
  std::int64_t size;
  std::int64_t chunks;
  __device__ V operator()(std::int64_t i) const {
    V sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += parts[chunk * size + i];
    return sum;
  }
};

template <class T>
void check_columns(const char* op, MatrixView<const T> x, MatrixView<const T> centres) {
  M2ST_CHECK(x.cols == centres.cols, op, ": columns of the centres (got ", centres.cols, ", need ",
             x.cols, ")");
}

}  // namespace

template <class T>
void assign_nearest(CudaContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                    Span<std::int32_t> labels, Span<T> distances) {
  check_columns("assign_nearest", x, centres);
  M2ST_CHECK(std::ssize(labels) == x.rows && std::ssize(distances) == x.rows,
             "assign_nearest: sizes of labels and distances (got ", labels.size(), " and ",
             distances.size(), ", need ", x.rows, ")");
  if (x.rows == 0) return;
  M2ST_CHECK(centres.rows > 0, "assign_nearest: no centres");
  const bool few = centres.rows <= kTileThreads;
  launch(few ? assign_nearest_kernel<1, T> : assign_nearest_kernel<4, T>,
         blocks_for(x.rows, kTileRows), dim3(kBlockThreads),
         few ? tile_bytes<T, kOwnedRows, 1>() : tile_bytes<T, kOwnedRows, 4>(), context,
         distance_job(x, centres), labels.data(), distances.data());
}

template <class T>
void squared_distances(CudaContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                       MatrixView<T> distances) {
  check_columns("squared_distances", x, centres);
  M2ST_CHECK(distances.rows == x.rows && distances.cols == centres.rows,
             "squared_distances: shape of distances (got ", distances.rows, " x ", distances.cols,
             ", need ", x.rows, " x ", centres.rows, ")");
  if (distances.size() == 0) return;
  const bool few = centres.rows <= kTileThreads;
  const std::int64_t width = few ? kTileThreads : 4 * kTileThreads;
  const dim3 grid(blocks_for(x.rows, kTileRows).x, blocks_for(centres.rows, width).x);
  launch(few ? squared_distances_kernel<1, T> : squared_distances_kernel<4, T>, grid,
         dim3(kBlockThreads), few ? tile_bytes<T, kOwnedRows, 1>() : tile_bytes<T, kOwnedRows, 4>(),
         context, distance_job(x, centres), distances.data);
}

template <class T>
void sums_by_label(CudaContext& context, MatrixView<const T> x, Span<const std::int32_t> labels,
                   MatrixView<double> sums, Span<std::int64_t> counts) {
  M2ST_CHECK(sums.cols == x.cols, "sums_by_label: columns of sums (got ", sums.cols, ", need ",
             x.cols, ")");
  M2ST_CHECK(std::ssize(labels) == x.rows, "sums_by_label: size of labels (got ", labels.size(),
             ", need ", x.rows, ")");
  M2ST_CHECK(std::ssize(counts) == sums.rows, "sums_by_label: size of counts (got ", counts.size(),
             ", need ", sums.rows, ")");
  if (sums.rows == 0) return;
  // A chunk has sums of its own; at least four rows a cluster keep them below a quarter of x.
  const std::int64_t grain = std::max(kSumGrain, 4 * sums.rows);
  const std::int64_t chunks = (x.rows + grain - 1) / grain;
  Array<double> part_sums(context.pool(), chunks * sums.size());
  Array<std::int64_t> part_counts(context.pool(), chunks * sums.rows);
  const LabelSums<T> job{x.data, labels.data(), x.rows, x.cols, sums.rows, grain};
  if (chunks > 0) {
    const auto rows_of_blocks = static_cast<unsigned>(chunks);
    if (x.cols > 0) {
      launch(sums_by_label_kernel<T>, dim3(blocks_for(x.cols, kBlockThreads).x, rows_of_blocks),
             dim3(kBlockThreads), 0, context, job, part_sums.data());
    }
    launch(counts_by_label_kernel<T>, dim3(blocks_for(sums.rows, kBlockThreads).x, rows_of_blocks),
           dim3(kBlockThreads), 0, context, job, part_counts.data());
  }
  write_elements(context, sums.size(), sums.data, Accumulate::kOverwrite,
                 SumOfParts<double>{part_sums.data(), sums.size(), chunks});
  write_elements(context, sums.rows, counts.data(), Accumulate::kOverwrite,
                 SumOfParts<std::int64_t>{part_counts.data(), sums.rows, chunks});
}

#define INSTANTIATE(T)                                                                        \
  template void assign_nearest<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>,     \
                                  Span<std::int32_t>, Span<T>);                               \
  template void squared_distances<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>,  \
                                     MatrixView<T>);                                          \
  template void sums_by_label<T>(CudaContext&, MatrixView<const T>, Span<const std::int32_t>, \
                                 MatrixView<double>, Span<std::int64_t>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
