// Principal components on CUDA, by the CPU's two ways. The covariance is summed over fixed blocks
// of rows, centred before they are multiplied: E[x²] − E[x]² would lose the digits that matter when
// a mean is large.
#include <algorithm>
#include <limits>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"
#include "kernels/principal_components.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kBlockRows = 8192;  // as doubles beside x: 8192 × 4000 are 262 MB

template <class T>
struct EntryTerm {
  const T* x;
  std::int64_t cols;
  __device__ double operator()(std::int64_t r, std::int64_t c) const { return x[r * cols + c]; }
};

struct StoreMean {
  double* mean;
  double rows;
  __device__ void operator()(std::int64_t, std::int64_t c, double total) const {
    mean[c] = total / rows;
  }
};

struct NoRows {
  __device__ double operator()(std::int64_t) const { return 0; }
};

// x − mean, as doubles.
template <class T>
struct Centred {
  MatrixView<const T> x;
  const double* mean;
  double* out;
  __device__ double* target(std::int64_t r) const { return out + r * x.cols; }
  __device__ double value(std::int64_t r, std::int64_t c) const {
    return static_cast<double>(x.data[r * x.cols + c]) - mean[c];
  }
};

template <class T>
void centre(CudaContext& context, MatrixView<const T> x, Span<const double> mean, double* out) {
  write_rows<double>(context, x.rows, x.cols, Accumulate::kOverwrite,
                     Centred<T>{x, mean.data(), out});
}

// Calls body(first row, centred rows) for block after block of x.
template <class T, class Body>
void for_centred_blocks(CudaContext& context, MatrixView<const T> x, Span<const double> mean,
                        Body&& body) {
  Matrix<double> buffer(context.pool(), std::min(kBlockRows, x.rows), x.cols);
  for (std::int64_t first = 0; first < x.rows; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, x.rows - first);
    centre(context, x.slice(first, count), mean, buffer.data());
    body(first, MatrixView<const double>(buffer.view().slice(0, count)));
  }
}

// The last columns of `vectors` (n, n), from the last on, as rows of the axes.
struct LastColumns {
  const double* vectors;
  std::int64_t n;
  double* axes;
  __device__ double* target(std::int64_t i) const { return axes + i * n; }
  __device__ double value(std::int64_t i, std::int64_t c) const {
    return vectors[c * n + n - 1 - i];
  }
};

// The largest eigenvalues, falling, without what `rounding` of the largest makes meaningless.
struct Variance {
  const double* values;  // ascending
  std::int64_t count;
  double rounding;
  double divisor;
  __device__ double operator()(std::int64_t i) const {
    const double largest = values[count - 1] > 0 ? values[count - 1] : 0;
    const double value = values[count - 1 - i];
    return value > rounding * largest && value > 0 ? value / divisor : 0;
  }
};

void find_variances(CudaContext& context, const Array<double>& values, double rounding,
                    std::int64_t rows, Span<double> variances) {
  // One cell has no variance, and N − 1 = 0 would say so as NaN.
  const auto divisor = static_cast<double>(std::max<std::int64_t>(rows - 1, 1));
  write_elements(context, std::ssize(variances), variances.data(), Accumulate::kOverwrite,
                 Variance{values.data(), values.size(), rounding, divisor});
}

template <class T>
void axes_of_covariance(CudaContext& context, MatrixView<const T> x, Span<const double> mean,
                        MatrixView<double> axes, Span<double> variances) {
  const std::int64_t cols = x.cols;
  Matrix<double> scatter(context.pool(), cols, cols), vectors(context.pool(), cols, cols);
  for_centred_blocks(context, x, mean, [&](std::int64_t first, MatrixView<const double> block) {
    gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, block, block,
                 first == 0 ? 0.0 : 1.0, scatter.view());
  });
  Array<double> values(context.pool(), cols);
  symmetric_eigen<double>(context, scatter.view(), values.span(), vectors.view());
  find_variances(context, values, 0.0, x.rows, variances);
  write_rows<double>(context, axes.rows, cols, Accumulate::kOverwrite,
                     LastColumns{vectors.data(), cols, axes.data});
}

// The last columns of the Gram matrix's eigenvectors over the roots of their eigenvalues; zeros
// where there is no variance.
struct Leading {
  const double* vectors;
  const double* values;  // ascending
  std::int64_t rows;
  std::int64_t count;
  double rounding;
  double* leading;
  __device__ double* target(std::int64_t n) const { return leading + n * count; }
  __device__ double value(std::int64_t n, std::int64_t i) const {
    const double largest = values[rows - 1] > 0 ? values[rows - 1] : 0;
    const double of = values[rows - 1 - i];
    return of > rounding * largest ? vectors[n * rows + rows - 1 - i] / sqrt(of) : 0;
  }
};

struct ColumnsAsRows {
  const double* basis;  // (cols, count)
  std::int64_t cols;
  std::int64_t count;
  double* axes;
  __device__ double* target(std::int64_t i) const { return axes + i * cols; }
  __device__ double value(std::int64_t i, std::int64_t c) const { return basis[c * count + i]; }
};

// With fewer cells than dimensions: an axis is Xᵀu / σ for an eigenvector u of XXᵀ. Axes of little
// variance inherit the rounding of large ones, and those of none are undefined: a QR decomposition
// in falling order leaves the former where they are, cleaned, and completes the latter.
template <class T>
void axes_of_gram(CudaContext& context, MatrixView<const T> x, Span<const double> mean,
                  MatrixView<double> axes, Span<double> variances) {
  const std::int64_t rows = x.rows, count = axes.rows;
  Matrix<double> centred(context.pool(), rows, x.cols);
  centre(context, x, mean, centred.data());
  Matrix<double> gram(context.pool(), rows, rows), vectors(context.pool(), rows, rows);
  gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, centred.view(), centred.view(),
               0.0, gram.view());
  Array<double> values(context.pool(), rows);
  symmetric_eigen<double>(context, gram.view(), values.span(), vectors.view());
  const double rounding = static_cast<double>(rows) * std::numeric_limits<double>::epsilon();
  find_variances(context, values, rounding, rows, variances);
  Matrix<double> leading(context.pool(), rows, count);
  write_rows<double>(context, rows, count, Accumulate::kOverwrite,
                     Leading{vectors.data(), values.data(), rows, count, rounding, leading.data()});
  Matrix<double> columns(context.pool(), x.cols, count), basis(context.pool(), x.cols, count);
  gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, centred.view(), leading.view(),
               0.0, columns.view());
  orthonormalise<double>(context, columns.view(), basis.view());
  write_rows<double>(context, count, x.cols, Accumulate::kOverwrite,
                     ColumnsAsRows{basis.data(), x.cols, count, axes.data});
}

// A warp an axis: its entry of largest magnitude, the first of equals, becomes positive.
__global__ void orient_kernel(std::int64_t count, std::int64_t cols, double* __restrict__ axes) {
  const std::int64_t i = thread_number() / kWarp;
  if (i >= count) return;  // the whole warp
  double* axis = axes + i * cols;
  double largest = -1;
  std::int64_t at = cols;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    if (fabs(axis[c]) > largest) {
      largest = fabs(axis[c]);
      at = c;
    }
  }
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    const double other = __shfl_xor_sync(kAllLanes, largest, offset);
    const std::int64_t other_at = __shfl_xor_sync(kAllLanes, at, offset);
    if (other > largest || (other == largest && other_at < at)) {
      largest = other;
      at = other_at;
    }
  }
  const bool turn = axis[at] < 0;
  __syncwarp();
  if (!turn) return;  // the whole warp
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) axis[c] = -axis[c];
}

template <class S>
struct Rounded {
  const double* values;
  __device__ S operator()(std::int64_t i) const { return static_cast<S>(values[i]); }
};

}  // namespace

template <class T>
void principal_components(CudaContext& context, MatrixView<const T> x, Span<double> mean,
                          MatrixView<double> axes, Span<double> variances) {
  M2ST_CHECK(axes.rows <= std::min(x.rows, x.cols), "principal_components: components (got ",
             axes.rows, ", need at most ", std::min(x.rows, x.cols), ")");
  M2ST_CHECK(axes.cols == x.cols && std::ssize(mean) == x.cols,
             "principal_components: columns of axes and mean (got ", axes.cols, " and ",
             mean.size(), ", need ", x.cols, ")");
  M2ST_CHECK(std::ssize(variances) == axes.rows, "principal_components: size of variances (got ",
             variances.size(), ", need ", axes.rows, ")");
  if (x.rows == 0) {
    write_elements(context, x.cols, mean.data(), Accumulate::kOverwrite, NoRows{});
    return;
  }
  combine_columns<double>(context, x.rows, x.cols, EntryTerm<T>{x.data, x.cols}, PlusDoubles{},
                          StoreMean{mean.data(), static_cast<double>(x.rows)});
  if (axes.rows == 0) return;
  if (x.cols <= x.rows) {
    axes_of_covariance(context, x, mean, axes, variances);
  } else {
    axes_of_gram(context, x, mean, axes, variances);
  }
  launch(orient_kernel, blocks_for(axes.rows, kBlockWarps), dim3(kBlockThreads), 0, context,
         axes.rows, axes.cols, axes.data);
}

template <class T, class S>
void project(CudaContext& context, MatrixView<const T> x, Span<const double> mean,
             MatrixView<const double> axes, MatrixView<S> scores) {
  check_project(x, mean, axes, scores);
  if (scores.size() == 0) return;
  Matrix<double> products(context.pool(), std::min(kBlockRows, x.rows), axes.rows);
  for_centred_blocks(context, x, mean, [&](std::int64_t first, MatrixView<const double> block) {
    gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, block, axes, 0.0,
                 products.view().slice(0, block.rows));
    write_elements(context, block.rows * axes.rows, scores.data + first * axes.rows,
                   Accumulate::kOverwrite, Rounded<S>{products.data()});
  });
}

#define INSTANTIATE(T)                                                                    \
  template void principal_components<T>(CudaContext&, MatrixView<const T>, Span<double>,  \
                                        MatrixView<double>, Span<double>);                \
  template void project<T, float>(CudaContext&, MatrixView<const T>, Span<const double>,  \
                                  MatrixView<const double>, MatrixView<float>);           \
  template void project<T, double>(CudaContext&, MatrixView<const T>, Span<const double>, \
                                   MatrixView<const double>, MatrixView<double>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
