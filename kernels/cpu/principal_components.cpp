// Principal components. The covariance is summed over fixed chunks of rows, centred before they are
// multiplied: E[x²] − E[x]² would lose the digits that matter when a mean is large.
#include "kernels/principal_components.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kMeanGrain = 4096;
constexpr std::int64_t kBlockRows = 8192;  // as doubles beside x: 8192 × 4000 are 262 MB
constexpr std::int64_t kRowGrain = 64;

template <class T>
void column_means(CpuContext& context, MatrixView<const T> x, Span<double> mean) {
  const std::int64_t chunks = chunk_count(x.rows, kMeanGrain);
  Matrix<double> sums(context.pool(), chunks, x.cols);
  parallel_for(context, x.rows, kMeanGrain, [&](std::int64_t begin, std::int64_t end) {
    double* sum = sums.data() + begin / kMeanGrain * x.cols;
    std::fill(sum, sum + x.cols, 0.0);
    for (std::int64_t n = begin; n < end; ++n) {
      const T* row = x.data + n * x.cols;
      for (std::int64_t c = 0; c < x.cols; ++c) sum[c] += static_cast<double>(row[c]);
    }
  });
  std::fill(mean.begin(), mean.end(), 0.0);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    for (std::int64_t c = 0; c < x.cols; ++c) mean[c] += sums(chunk, c);
  }
  for (double& value : mean) value /= static_cast<double>(x.rows);
}

// out = x − mean, as doubles.
template <class T>
void centre(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
            MatrixView<double> out) {
  parallel_for(context, x.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const T* row = x.data + n * x.cols;
      double* centred = out.data + n * x.cols;
      for (std::int64_t c = 0; c < x.cols; ++c) centred[c] = static_cast<double>(row[c]) - mean[c];
    }
  });
}

// Calls body(first row, centred rows) for block after block of x.
template <class T, class Body>
void for_centred_blocks(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
                        Body&& body) {
  Matrix<double> buffer(context.pool(), std::min(kBlockRows, x.rows), x.cols);
  for (std::int64_t first = 0; first < x.rows; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, x.rows - first);
    const MatrixView<double> block = buffer.view().slice(0, count);
    centre(context, x.slice(first, count), mean, block);
    body(first, MatrixView<const double>(block));
  }
}

template <class T>
void axes_of_covariance(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
                        MatrixView<double> axes, Span<double> variances) {
  const std::int64_t cols = x.cols;
  Matrix<double> scatter(context.pool(), cols, cols), vectors(context.pool(), cols, cols);
  for_centred_blocks(context, x, mean, [&](std::int64_t first, MatrixView<const double> block) {
    gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, block, block,
                 first == 0 ? 0.0 : 1.0, scatter.view());
  });
  Array<double> values(context.pool(), cols);
  symmetric_eigen<double>(context, scatter.view(), values.span(), vectors.view());
  for (std::int64_t i = 0; i < axes.rows; ++i) {
    variances[i] = values[cols - 1 - i];
    for (std::int64_t c = 0; c < cols; ++c) axes(i, c) = vectors(c, cols - 1 - i);
  }
}

// With fewer cells than dimensions: an axis is Xᵀu / σ for an eigenvector u of XXᵀ. Axes of little
// variance inherit the rounding of large ones, and those of none are undefined: a QR decomposition
// in falling order leaves the former where they are, cleaned, and completes the latter.
template <class T>
void axes_of_gram(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
                  MatrixView<double> axes, Span<double> variances) {
  const std::int64_t rows = x.rows;
  Matrix<double> centred(context.pool(), rows, x.cols);
  centre(context, x, mean, centred.view());
  Matrix<double> gram(context.pool(), rows, rows), vectors(context.pool(), rows, rows);
  gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, centred.view(), centred.view(),
               0.0, gram.view());
  Array<double> values(context.pool(), rows);
  symmetric_eigen<double>(context, gram.view(), values.span(), vectors.view());
  const double rounding = static_cast<double>(rows) * std::numeric_limits<double>::epsilon() *
                          std::max(values[rows - 1], 0.0);
  Matrix<double> leading(context.pool(), rows, axes.rows);
  for (std::int64_t i = 0; i < axes.rows; ++i) {
    const double value = values[rows - 1 - i];
    const double factor = value > rounding ? 1.0 / std::sqrt(value) : 0.0;
    variances[i] = value > rounding ? value : 0.0;
    for (std::int64_t n = 0; n < rows; ++n) leading(n, i) = vectors(n, rows - 1 - i) * factor;
  }
  Matrix<double> columns(context.pool(), x.cols, axes.rows),
      basis(context.pool(), x.cols, axes.rows);
  gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, centred.view(), leading.view(),
               0.0, columns.view());
  orthonormalise<double>(context, columns.view(), basis.view());
  for (std::int64_t i = 0; i < axes.rows; ++i) {
    for (std::int64_t c = 0; c < x.cols; ++c) axes(i, c) = basis(c, i);
  }
}

}  // namespace

template <class T>
void principal_components(CpuContext& context, MatrixView<const T> x, Span<double> mean,
                          MatrixView<double> axes, Span<double> variances) {
  M2ST_CHECK(axes.rows <= std::min(x.rows, x.cols), "principal_components: components (got ",
             axes.rows, ", need at most ", std::min(x.rows, x.cols), ")");
  M2ST_CHECK(axes.cols == x.cols && static_cast<std::int64_t>(mean.size()) == x.cols,
             "principal_components: columns of axes and mean (got ", axes.cols, " and ",
             mean.size(), ", need ", x.cols, ")");
  M2ST_CHECK(static_cast<std::int64_t>(variances.size()) == axes.rows,
             "principal_components: size of variances (got ", variances.size(), ", need ",
             axes.rows, ")");
  if (x.rows == 0) {
    std::fill(mean.begin(), mean.end(), 0.0);
    return;
  }
  column_means(context, x, mean);
  if (axes.rows == 0) return;
  if (x.cols <= x.rows) {
    axes_of_covariance(context, x, mean, axes, variances);
  } else {
    axes_of_gram(context, x, mean, axes, variances);
  }
  // One cell has no variance, and N − 1 = 0 would say so as NaN.
  const auto divisor = static_cast<double>(std::max<std::int64_t>(x.rows - 1, 1));
  for (double& variance : variances) variance = std::max(variance, 0.0) / divisor;
  for (std::int64_t i = 0; i < axes.rows; ++i) make_largest_positive<double>(axes.row(i));
}

template <class T, class S>
void project(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
             MatrixView<const double> axes, MatrixView<S> scores) {
  check_project(x, mean, axes, scores);
  if (scores.size() == 0) return;
  Matrix<double> products(context.pool(), std::min(kBlockRows, x.rows), axes.rows);
  for_centred_blocks(context, x, mean, [&](std::int64_t first, MatrixView<const double> block) {
    gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, block, axes, 0.0,
                 products.view().slice(0, block.rows));
    std::transform(products.data(), products.data() + block.rows * axes.rows,
                   scores.data + first * axes.rows,
                   [](double value) { return static_cast<S>(value); });
  });
}

#define INSTANTIATE(T)                                                                   \
  template void principal_components<T>(CpuContext&, MatrixView<const T>, Span<double>,  \
                                        MatrixView<double>, Span<double>);               \
  template void project<T, float>(CpuContext&, MatrixView<const T>, Span<const double>,  \
                                  MatrixView<const double>, MatrixView<float>);          \
  template void project<T, double>(CpuContext&, MatrixView<const T>, Span<const double>, \
                                   MatrixView<const double>, MatrixView<double>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
