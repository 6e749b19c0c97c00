// The clustering's own steps on CUDA: a thread an entry.
#include <cmath>
#include <limits>

#include "kernels/cluster_shapes.h"
#include "kernels/cluster_steps.h"
#include "kernels/cuda/elementwise.cuh"

namespace m2st::kernels {

namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

// Where entry `at` of all members' entries is.
__device__ inline std::int64_t offset_of(const BatchView<double>& x, std::int64_t at) {
  return at / (x.rows * x.cols) * x.member_stride + at / x.cols % x.rows * x.row_stride +
         at % x.cols;
}

// A thread an option set.
__global__ void view_weights_kernel(std::int64_t views, std::int64_t sets,
                                    const double* __restrict__ lambda2,
                                    const double* __restrict__ norms,
                                    double* __restrict__ weights) {
  const std::int64_t s = thread_number();
  if (s >= sets) return;
  double sum = 0;
  for (std::int64_t v = 0; v < views; ++v) {
    const double given = norms[v * sets + s];
    const double norm = !isfinite(given) ? kLargest : given > 0 ? given : 0.0;
    const double weight = exp(-lambda2[s] * norm);
    weights[v * sets + s] = weight;
    sum += weight;
  }
  for (std::int64_t v = 0; v < views; ++v) {
    double& weight = weights[v * sets + s];
    weight = sum > 0 ? weight / sum : 1.0 / static_cast<double>(views);
  }
}

__global__ void centre_systems_kernel(const double* __restrict__ alphas,
                                      const double* __restrict__ lambda3,
                                      const std::int64_t* __restrict__ counts,
                                      BatchView<double> gram) {
  const std::int64_t at = thread_number();
  if (at >= gram.count * gram.rows * gram.cols) return;
  const std::int64_t s = at / (gram.rows * gram.cols), i = at / gram.cols % gram.rows;
  double& value = gram.data[offset_of(gram, at)];
  value *= lambda3[s];
  if (i == at % gram.cols) {
    value += alphas[s] * static_cast<double>(counts[s * gram.rows + i]) - lambda3[s];
  }
}

struct HalfDistances {
  const std::int64_t* counts;
  BatchView<const double> centres, cross;
  double* out;
  std::int64_t out_member, out_row;
  __device__ double* target(std::int64_t r) const {
    return out + r / centres.rows * out_member + r % centres.rows * out_row;
  }
  __device__ double value(std::int64_t r, std::int64_t c) const {
    const std::int64_t s = r / centres.rows, i = r % centres.rows;
    return 0.5 * static_cast<double>(counts[s * centres.cols + c]) *
               centres.data[s * centres.member_stride + i * centres.row_stride + c] -
           cross.data[s * cross.member_stride + i * cross.row_stride + c];
  }
};

// A thread a centre of a member: (count · K) of them.
__global__ void add_centre_squares_kernel(const double* __restrict__ alphas,
                                          BatchView<const double> centres,
                                          BatchView<double> table) {
  const std::int64_t at = thread_number();
  if (at >= centres.count * centres.cols) return;
  const std::int64_t s = at / centres.cols, c = at % centres.cols;
  double square = 0;
  for (std::int64_t i = 0; i < centres.rows; ++i) {
    const double value = centres.data[s * centres.member_stride + i * centres.row_stride + c];
    square += value * value;
  }
  for (std::int64_t i = 0; i < table.rows; ++i) {
    table.data[s * table.member_stride + i * table.row_stride + c] += alphas[s] * square;
  }
}

__global__ void put_counts_kernel(const std::int64_t* __restrict__ counts, BatchView<double> gram) {
  const std::int64_t at = thread_number();
  if (at >= gram.count * gram.rows) return;
  gram.data[at / gram.rows * gram.member_stride + at % gram.rows * (gram.row_stride + 1)] =
      static_cast<double>(counts[at]);
}

}  // namespace

void view_weights(CudaContext& context, Span<const double> lambda2, MatrixView<const double> norms,
                  MatrixView<double> weights) {
  check_view_weights(lambda2, norms, weights);
  if (norms.size() == 0) return;
  launch(view_weights_kernel, blocks_for(norms.cols, kBlockThreads), dim3(kBlockThreads), 0,
         context, norms.rows, norms.cols, lambda2.data(), norms.data, weights.data);
}

void centre_systems(CudaContext& context, Span<const double> alphas, Span<const double> lambda3,
                    MatrixView<const std::int64_t> counts, BatchView<double> gram) {
  check_centre_systems(alphas, lambda3, counts, gram);
  if (gram.size() == 0) return;
  launch(centre_systems_kernel, blocks_for(gram.size(), kBlockThreads), dim3(kBlockThreads), 0,
         context, alphas.data(), lambda3.data(), counts.data, gram);
}

void half_distances(CudaContext& context, MatrixView<const std::int64_t> counts,
                    BatchView<const double> centres, BatchView<const double> cross,
                    BatchView<double> out) {
  check_half_distances(counts, centres, cross, out);
  write_rows<double>(
      context, out.count * out.rows, out.cols, Accumulate::kOverwrite,
      HalfDistances{counts.data, centres, cross, out.data, out.member_stride, out.row_stride});
}

void add_centre_squares(CudaContext& context, Span<const double> alphas,
                        BatchView<const double> centres, BatchView<double> table) {
  check_centre_squares(alphas, centres, table);
  const std::int64_t size = centres.count * centres.cols;
  if (size == 0) return;
  launch(add_centre_squares_kernel, blocks_for(size, kBlockThreads), dim3(kBlockThreads), 0,
         context, alphas.data(), centres, table);
}

void put_counts(CudaContext& context, MatrixView<const std::int64_t> counts,
                BatchView<double> gram) {
  check_put_counts(counts, gram);
  if (counts.size() == 0) return;
  launch(put_counts_kernel, blocks_for(counts.size(), kBlockThreads), dim3(kBlockThreads), 0,
         context, counts.data, gram);
}

}  // namespace m2st::kernels
