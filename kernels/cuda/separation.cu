// Spreads and silhouettes of several labelings on CUDA, one launch for all of them a step.
// Distances are sums of squared differences from the plain means in double: nothing cancels,
// whatever offset the cells have in common. Sums go over parts of the cells whose size depends on
// the number of cells alone.
#include "engine/array.h"
#include "kernels/accumulate.h"
#include "kernels/cuda/label_sums.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/tile.cuh"
#include "kernels/separation.h"
#include "kernels/separation_shapes.h"

namespace m2st::kernels {

namespace {

constexpr int kOwnedRows = 4;
constexpr int kTileRows = kOwnedRows * kTileThreads;
constexpr int kSpreadLabels = 64;  // of a block: 8 KiB for its warps' sums

struct NoCells {
  __device__ std::int64_t operator()(std::int64_t) const { return 0; }
};

// Whole numbers, so that the order of adding does not matter.
__global__ void count_kernel(std::int64_t labels, std::int64_t cells, std::int64_t clusters,
                             const std::int32_t* __restrict__ label,
                             std::int64_t* __restrict__ counts) {
  const std::int64_t i = thread_number();
  if (i >= labels || label[i] < 0 || label[i] >= clusters) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(counts + i / cells * clusters + label[i]), 1ull);
}

struct Mean {
  const double* sums;  // (sets, parts, K, d)
  const std::int64_t* counts;
  std::int64_t parts;
  std::int64_t size;  // of a set's means
  std::int64_t width;
  __device__ double operator()(std::int64_t i) const {
    const std::int64_t count = counts[i / width];
    if (count == 0) return 0;
    double sum = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      sum += sums[(i / size * parts + part) * size + i % size];
    }
    return sum / static_cast<double>(count);
  }
};

struct MeanOfMeans {
  const double* means;
  const std::int64_t* counts;
  std::int64_t clusters;
  std::int64_t width;
  __device__ double operator()(std::int64_t i) const {
    const std::int64_t set = i / width, column = i % width;
    double sum = 0, cells = 0;
    for (std::int64_t k = set * clusters; k < (set + 1) * clusters; ++k) {
      const double count = static_cast<double>(counts[k]);
      sum += count * means[k * width + column];
      cells += count;
    }
    return cells > 0 ? sum / cells : 0;
  }
};

struct SpreadJob {
  const float* x;
  const std::int32_t* labels;  // (sets, N)
  const double* means;         // (sets, K, d)
  std::int64_t cells;
  std::int64_t width;
  std::int64_t sets;
  std::int64_t clusters;
  std::int64_t part_cells;
};

struct WarpSums {
  double squares[kBlockWarps][kSpreadLabels];
  double distances[kBlockWarps][kSpreadLabels];
};

// Of the cells of a part, blockIdx.x, that have one of some labels, blockIdx.y, in a labeling,
// blockIdx.z: a warp a cell. Both sums: (parts, sets, K).
__global__ void spreads_kernel(SpreadJob job, double* __restrict__ squares,
                               double* __restrict__ distances) {
  WarpSums& sums = block_shared<WarpSums>();
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  for (int k = lane; k < kSpreadLabels; k += kWarp) sums.squares[warp][k] = 0;
  for (int k = lane; k < kSpreadLabels; k += kWarp) sums.distances[warp][k] = 0;
  __syncwarp();
  const std::int64_t set = blockIdx.z;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * kSpreadLabels;
  const std::int64_t some = job.clusters - first;
  const std::int64_t begin = blockIdx.x * job.part_cells;
  const std::int64_t end = begin + job.part_cells < job.cells ? begin + job.part_cells : job.cells;
  for (std::int64_t n = begin + warp; n < end; n += kBlockWarps) {
    const std::int64_t label = job.labels[set * job.cells + n] - first;
    if (label < 0 || label >= some || label >= kSpreadLabels) continue;  // the whole warp
    const float* cell = job.x + n * job.width;
    const double* mean = job.means + (set * job.clusters + first + label) * job.width;
    double square = 0;
    for (std::int64_t c = lane; c < job.width; c += kWarp) {
      const double difference = static_cast<double>(cell[c]) - mean[c];
      square += difference * difference;
    }
    square = warp_sum(square, 1);
    if (lane > 0) continue;
    sums.squares[warp][label] += square;
    sums.distances[warp][label] += sqrt(square);
  }
  __syncthreads();
  const int k = threadIdx.x;
  if (k >= kSpreadLabels || k >= some) return;
  double square = 0, distance = 0;
  for (int w = 0; w < kBlockWarps; ++w) {
    square += sums.squares[w][k];
    distance += sums.distances[w][k];
  }
  const std::int64_t place = (blockIdx.x * job.sets + set) * job.clusters + first + k;
  squares[place] = square;
  distances[place] = distance;
}

struct SilhouetteJob {
  TileOperand<double, float> x;
  const double* means;         // (sets, K, d)
  const std::int64_t* counts;  // (sets, K)
  const double* squares;       // (sets, K)
  const std::int32_t* labels;  // (sets, N)
  std::int64_t cells;
  std::int64_t width;
  std::int64_t sets;
  std::int64_t clusters;
};

// inside: a cell's summed squared distance to its own cluster, itself at distance 0; nearest: the
// smallest mean of such a distance to another.
__device__ double silhouette_of(std::int64_t own_count, double inside, double nearest) {
  if (own_count == 1) return 0;
  inside /= static_cast<double>(own_count - 1);
  const double larger = inside > nearest ? inside : nearest;
  return larger > 0 ? (nearest - inside) / larger : 0;
}

// A block some cells of one labeling; sums: (tiles, sets). Σ over cluster k of ‖x − y‖² is
// n_k ‖x − mean_k‖² + Σ_k ‖y − mean_k‖². Two blocks a multiprocessor: with one more register than
// that leaves, there would be one.
__global__ void __launch_bounds__(kBlockThreads, 2)
    silhouettes_kernel(SilhouetteJob job, double* __restrict__ sums) {
  const std::int64_t set = blockIdx.x % job.sets;
  const TileRange rows{blockIdx.x / job.sets * kTileRows, job.cells};
  const TileOperand<double> means{job.means + set * job.clusters * job.width, job.width, true,
                                  nullptr};
  const std::int64_t row = rows.first + threadIdx.x / kTileThreads * kOwnedRows;
  int label[kOwnedRows];
  double inside[kOwnedRows], nearest[kOwnedRows];
#pragma unroll
  for (int r = 0; r < kOwnedRows; ++r) {
    label[r] = row + r < job.cells ? job.labels[set * job.cells + row + r] : -1;
    inside[r] = 0;
    nearest[r] = INFINITY;
  }
  for (std::int64_t first = 0; first < job.clusters; first += kTileThreads) {
    double squares[kOwnedRows][1] = {};
    add_tile<SquaredDifference>(job.x, means, rows, TileRange{first, job.clusters},
                                TileRange{0, job.width}, squares);
    const std::int64_t k = first + threadIdx.x % kTileThreads;
    if (k >= job.clusters || job.counts[set * job.clusters + k] == 0) continue;
    const double count = static_cast<double>(job.counts[set * job.clusters + k]);
    const double spread = job.squares[set * job.clusters + k];
#pragma unroll
    for (int r = 0; r < kOwnedRows; ++r) {
      const double sum = count * squares[r][0] + spread;
      if (k == label[r]) {
        inside[r] = sum;
      } else if (sum / count < nearest[r]) {
        nearest[r] = sum / count;
      }
    }
  }
  // The sixteen threads of a row are neighbours in one warp; one of them has met its own cluster.
  double sum = 0;
#pragma unroll
  for (int r = 0; r < kOwnedRows; ++r) {
    for (int offset = kTileThreads / 2; offset > 0; offset /= 2) {
      inside[r] += __shfl_xor_sync(kAllLanes, inside[r], offset);
      const double other = __shfl_xor_sync(kAllLanes, nearest[r], offset);
      if (other < nearest[r]) nearest[r] = other;
    }
    if (threadIdx.x % kTileThreads == 0 && label[r] >= 0 && label[r] < job.clusters) {
      sum += silhouette_of(job.counts[set * job.clusters + label[r]], inside[r], nearest[r]);
    }
  }
  sum = block_combine(sum, Plus{}, block_shared_dynamic<double>());
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// out[c] = Σ over rows of parts[r, c].
void add_parts(CudaContext& context, const Matrix<double>& parts, double* out) {
  combine_columns<double>(context, parts.rows(), parts.cols(),
                          ReadRowOfParts<double>{parts.data(), parts.cols()}, PlusDoubles{},
                          StoreSum<double>{out, false});
}

void find_means(CudaContext& context, MatrixView<const float> x,
                MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads) {
  const std::int64_t sets = labels.rows, clusters = spreads.counts.cols, width = x.cols;
  write_elements(context, sets * clusters, spreads.counts.data, Accumulate::kOverwrite, NoCells{});
  if (labels.size() > 0) {
    launch(count_kernel, blocks_for(labels.size(), kBlockThreads), dim3(kBlockThreads), 0, context,
           labels.size(), x.rows, clusters, labels.data, spreads.counts.data);
  }
  if (width == 0) return;
  const std::int64_t part_cells = cells_of_part(x.rows);
  const std::int64_t parts = (x.rows + part_cells - 1) / part_cells, size = clusters * width;
  Array<double> sums(context.pool(), sets * parts * size);
  if (parts > 0) {
    sum_labels(context,
               LabelSumJob<float>{x.data, 0, width, labels.data, x.rows, sets, part_cells, parts,
                                  clusters, sums.data(), size, parts * size, width});
  }
  write_elements(context, sets * size, spreads.means.data, Accumulate::kOverwrite,
                 Mean{sums.data(), spreads.counts.data, parts, size, width});
  write_elements(context, sets * width, spreads.centres.data, Accumulate::kOverwrite,
                 MeanOfMeans{spreads.means.data, spreads.counts.data, clusters, width});
}

}  // namespace

void cluster_spreads(CudaContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads) {
  check_spreads("cluster_spreads", x, labels, spreads);
  const std::int64_t sets = labels.rows, clusters = spreads.counts.cols;
  if (sets == 0 || clusters == 0) return;
  find_means(context, x, labels, spreads);
  const std::int64_t part_cells = cells_of_part(x.rows);
  const dim3 grid(blocks_for(x.rows, part_cells).x, blocks_for(clusters, kSpreadLabels).x,
                  static_cast<unsigned>(sets));
  Matrix<double> squares(context.pool(), grid.x, sets * clusters);
  Matrix<double> distances(context.pool(), grid.x, sets * clusters);
  if (grid.x > 0) {
    launch(spreads_kernel, grid, dim3(kBlockThreads), 0, context,
           SpreadJob{x.data, labels.data, spreads.means.data, x.rows, x.cols, sets, clusters,
                     part_cells},
           squares.data(), distances.data());
  }
  add_parts(context, squares, spreads.squares.data);
  add_parts(context, distances, spreads.distances.data);
}

void silhouette_sums(CudaContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads,
                     Span<double> sums) {
  check_silhouettes(x, labels, spreads, sums);
  const std::int64_t sets = labels.rows;
  if (sets == 0) return;
  Matrix<double> parts(context.pool(), blocks_for(x.rows, kTileRows).x, sets);
  if (parts.size() > 0) {
    launch(silhouettes_kernel, dim3(static_cast<unsigned>(parts.size())), dim3(kBlockThreads),
           tile_bytes<double, kOwnedRows, 1>(), context,
           SilhouetteJob{{x.data, x.cols, true, nullptr},
                         spreads.means.data,
                         spreads.counts.data,
                         spreads.squares.data,
                         labels.data,
                         x.rows,
                         x.cols,
                         sets,
                         spreads.counts.cols},
           parts.data());
  }
  add_parts(context, parts, sums.data());
}

}  // namespace m2st::kernels
