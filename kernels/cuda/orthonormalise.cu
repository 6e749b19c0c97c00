// Householder QR on CUDA, in one block: a warp a column. Columns are kept as rows, so that a column
// is contiguous.
#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/linear_algebra.h"

namespace m2st::kernels {

namespace {

template <class T>
struct HouseholderJob {
  std::int64_t rows;
  std::int64_t cols;
  const T* a;     // (rows, cols)
  T* reflectors;  // (cols, rows)
  T* basis;       // (cols, rows)
  T* factors;     // (2, cols): of the reflectors; R's diagonal
  T* out;         // (rows, cols)
};

// The block's total, for all threads.
template <class T>
__device__ T block_total(T value, T* parts) {
  value = block_combine(value, Plus{}, parts);
  if (threadIdx.x == 0) parts[0] = value;
  __syncthreads();
  const T total = parts[0];
  __syncthreads();
  return total;
}

// column −= factor · (reflector · column) · reflector from `first` on, for columns [begin, end).
template <class T>
__device__ void reflect_columns(const HouseholderJob<T>& job, const T* reflector, T factor,
                                std::int64_t first, std::int64_t begin, T* columns) {
  const int lane = threadIdx.x % kWarp;
  for (std::int64_t j = begin + threadIdx.x / kWarp; j < job.cols; j += kBlockWarps) {
    T* column = columns + j * job.rows;
    T product = 0;
    for (std::int64_t i = first + lane; i < job.rows; i += kWarp)
      product += reflector[i] * column[i];
    product = factor * warp_sum(product, 1);
    for (std::int64_t i = first + lane; i < job.rows; i += kWarp)
      column[i] -= product * reflector[i];
  }
}

// Turns column k into the reflector that zeroes it below its diagonal.
template <class T>
__device__ void make_reflector(const HouseholderJob<T>& job, std::int64_t k, T* parts) {
  T* column = job.reflectors + k * job.rows;
  T square = 0;
  for (std::int64_t i = k + threadIdx.x; i < job.rows; i += kBlockThreads) {
    square += column[i] * column[i];
  }
  const T norm = sqrt(block_total(square, parts));
  const T head = column[k];
  __syncthreads();
  if (threadIdx.x == 0) {
    const T diagonal = head < T(0) ? norm : -norm;
    const T first = head - diagonal;
    column[k] = first;
    // 2 / ‖v‖², where ‖v‖² = ‖x‖² − head² + first² = 2 norm (norm + |head|).
    job.factors[k] = norm == T(0) ? T(0) : T(1) / (norm * (norm + fabs(head)));
    job.factors[job.cols + k] = diagonal;
  }
  __syncthreads();
}

template <class T>
__global__ void orthonormalise_kernel(HouseholderJob<T> job) {
  T* parts = block_shared_dynamic<T>();
  for (std::int64_t at = threadIdx.x; at < job.rows * job.cols; at += kBlockThreads) {
    const std::int64_t j = at / job.rows;
    const std::int64_t i = at % job.rows;
    job.reflectors[at] = job.a[i * job.cols + j];
    job.basis[at] = i == j ? T(1) : T(0);
  }
  __syncthreads();
  for (std::int64_t k = 0; k < job.cols; ++k) {
    make_reflector(job, k, parts);
    reflect_columns(job, job.reflectors + k * job.rows, job.factors[k], k, k + 1, job.reflectors);
    __syncthreads();
  }
  for (std::int64_t k = job.cols - 1; k >= 0; --k) {
    reflect_columns(job, job.reflectors + k * job.rows, job.factors[k], k, k, job.basis);
    __syncthreads();
  }
  for (std::int64_t at = threadIdx.x; at < job.rows * job.cols; at += kBlockThreads) {
    const std::int64_t j = at / job.rows;
    const std::int64_t i = at % job.rows;
    job.out[i * job.cols + j] = job.factors[job.cols + j] < T(0) ? -job.basis[at] : job.basis[at];
  }
}

}  // namespace

template <class T>
void orthonormalise(CudaContext& context, MatrixView<const T> a, MatrixView<T> out) {
  M2ST_CHECK(a.rows >= a.cols, "orthonormalise: more columns than rows (got ", a.rows, " x ",
             a.cols, ")");
  M2ST_CHECK(out.rows == a.rows && out.cols == a.cols, "orthonormalise: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", a.rows, " x ", a.cols, ")");
  if (a.size() == 0) return;
  Matrix<T> reflectors(context.pool(), a.cols, a.rows), basis(context.pool(), a.cols, a.rows);
  Matrix<T> factors(context.pool(), 2, a.cols);
  launch(orthonormalise_kernel<T>, dim3(1), dim3(kBlockThreads), kBlockWarps * sizeof(T), context,
         HouseholderJob<T>{a.rows, a.cols, a.data, reflectors.data(), basis.data(), factors.data(),
                           out.data});
}

#define INSTANTIATE(T) \
  template void orthonormalise<T>(CudaContext&, MatrixView<const T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
