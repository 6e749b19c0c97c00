// Parameters from responsibilities. Scatter is taken about each component's mean where that costs
// N K d² anyway; the shared covariance comes from the total scatter less the scatter of the means.
#include "cluster/gaussians.h"

#include <algorithm>
#include <cmath>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

using kernels::Layout;

constexpr std::int64_t kBlockRows = 1 << 15;  // as many rows are weighted at a time
constexpr std::int64_t kRowGrain = 512;

// out[n,:] = √r[n,k] · (x[n,:] − mean) for the rows from `first`.
void weighted_rows(CpuContext& context, MatrixView<const double> x,
                   MatrixView<const double> responsibilities, std::int64_t k,
                   Span<const double> mean, std::int64_t first, MatrixView<double> out) {
  parallel_for(context, out.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double factor = std::sqrt(responsibilities(first + i, k));
      const double* row = x.data + (first + i) * x.cols;
      double* weighted = out.data + i * x.cols;
      for (std::int64_t c = 0; c < x.cols; ++c) weighted[c] = factor * (row[c] - mean[c]);
    }
  });
}

void full_covariances(CpuContext& context, MatrixView<const double> x,
                      MatrixView<const double> responsibilities, Span<const double> counts,
                      Gaussians& gaussians) {
  Matrix<double> buffer(context.pool(), std::min(kBlockRows, x.rows), x.cols);
  for (std::int64_t k = 0; k < responsibilities.cols; ++k) {
    const MatrixView<double> covariance = gaussians.covariances.view().slice(k * x.cols, x.cols);
    for (std::int64_t first = 0; first < x.rows; first += kBlockRows) {
      const MatrixView<double> block = buffer.view().slice(0, std::min(kBlockRows, x.rows - first));
      weighted_rows(context, x, responsibilities, k, gaussians.means.view().row(k), first, block);
      kernels::gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, block, block,
                            first == 0 ? 0.0 : 1.0, covariance);
    }
    for (double& value : covariance.span()) value /= std::max(counts[k], 1e-300);
    for (std::int64_t c = 0; c < x.cols; ++c) covariance(c, c) += gaussians.ridge;
  }
}

// Σ_k r (x − μ_k)(x − μ_k)ᵀ = Σ x xᵀ − Σ_k N_k μ_k μ_kᵀ when the responsibilities add up to 1.
void shared_covariance(CpuContext& context, MatrixView<const double> scatter, std::int64_t cells,
                       Span<const double> counts, Gaussians& gaussians) {
  const std::int64_t cols = scatter.cols;
  Matrix<double> scaled(context.pool(), gaussians.means.rows(), cols);
  for (std::int64_t k = 0; k < scaled.rows(); ++k) {
    for (std::int64_t c = 0; c < cols; ++c) {
      scaled(k, c) = std::sqrt(counts[k]) * gaussians.means(k, c);
    }
  }
  std::copy_n(scatter.data, scatter.size(), gaussians.covariances.data());
  const double share = 1.0 / static_cast<double>(cells);
  kernels::gemm<double>(context, Layout::kTransposed, Layout::kPlain, -share, scaled.view(),
                        scaled.view(), share, gaussians.covariances.view());
  for (std::int64_t c = 0; c < cols; ++c) gaussians.covariances(c, c) += gaussians.ridge;
}

void diagonal_covariances(CpuContext& context, MatrixView<const double> x,
                          MatrixView<const double> responsibilities, Span<const double> counts,
                          Gaussians& gaussians) {
  const std::int64_t components = responsibilities.cols, size = components * x.cols;
  const std::int64_t grain = std::max<std::int64_t>(2048, 4 * components);
  Matrix<double> parts(context.pool(), chunk_count(x.rows, grain), size);
  parallel_for(context, x.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    double* part = parts.data() + begin / grain * size;
    std::fill(part, part + size, 0.0);
    for (std::int64_t n = begin; n < end; ++n) {
      const double* row = x.data + n * x.cols;
      for (std::int64_t k = 0; k < components; ++k) {
        const double weight = responsibilities(n, k);
        const double* mean = gaussians.means.data() + k * x.cols;
        double* sum = part + k * x.cols;
        for (std::int64_t c = 0; c < x.cols; ++c) {
          sum[c] += weight * (row[c] - mean[c]) * (row[c] - mean[c]);
        }
      }
    }
  });
  kernels::column_sums<double>(context, parts.view(), gaussians.covariances.span(),
                               kernels::Accumulate::kOverwrite);
  for (std::int64_t k = 0; k < components; ++k) {
    for (double& value : gaussians.covariances.view().row(k)) {
      value = value / std::max(counts[k], 1e-300) + gaussians.ridge;
    }
  }
}

}  // namespace

Gaussians make_gaussians(CpuContext& context, Covariance covariance, std::int64_t components,
                         std::int64_t dimensions) {
  Gaussians out;
  out.covariance = covariance;
  out.weights.assign(static_cast<std::size_t>(components), 1.0 / static_cast<double>(components));
  out.means = Matrix<double>(context.pool(), components, dimensions);
  std::fill(out.means.span().begin(), out.means.span().end(), 0.0);
  const std::int64_t rows = covariance == Covariance::kFull     ? components * dimensions
                            : covariance == Covariance::kShared ? dimensions
                                                                : components;
  out.covariances = Matrix<double>(context.pool(), rows, dimensions);
  return out;
}

void maximise(CpuContext& context, MatrixView<const double> x,
              MatrixView<const double> responsibilities, MatrixView<const double> scatter,
              Gaussians& gaussians) {
  const std::int64_t components = responsibilities.cols;
  M2ST_CHECK(responsibilities.rows == x.rows && gaussians.means.rows() == components &&
                 gaussians.means.cols() == x.cols,
             "maximise: shape of responsibilities (got ", responsibilities.rows, " x ", components,
             ", need ", x.rows, " x ", gaussians.means.rows(), ")");
  Array<double> counts(context.pool(), components);
  kernels::column_sums<double>(context, responsibilities, counts.span(),
                               kernels::Accumulate::kOverwrite);
  Matrix<double> sums(context.pool(), components, x.cols);
  kernels::gemm<double>(context, Layout::kTransposed, Layout::kPlain, 1.0, responsibilities, x, 0.0,
                        sums.view());
  for (std::int64_t k = 0; k < components; ++k) {
    gaussians.weights[static_cast<std::size_t>(k)] = counts[k] / static_cast<double>(x.rows);
    if (counts[k] < 1e-12) continue;
    for (std::int64_t c = 0; c < x.cols; ++c) gaussians.means(k, c) = sums(k, c) / counts[k];
  }
  switch (gaussians.covariance) {
    case Covariance::kFull:
      return full_covariances(context, x, responsibilities, counts.span(), gaussians);
    case Covariance::kShared:
      return shared_covariance(context, scatter, x.rows, counts.span(), gaussians);
    case Covariance::kDiagonal:
      return diagonal_covariances(context, x, responsibilities, counts.span(), gaussians);
  }
}

std::int64_t parameter_count(Covariance covariance, std::int64_t components,
                             std::int64_t dimensions) {
  const std::int64_t one = dimensions * (dimensions + 1) / 2;
  const std::int64_t of_covariances = covariance == Covariance::kFull     ? components * one
                                      : covariance == Covariance::kShared ? one
                                                                          : components * dimensions;
  return components - 1 + components * dimensions + of_covariances;
}

}  // namespace m2st::cluster
