// Densities from parameters: x is mapped to where a covariance is the identity, W = Λ^(-1/2) Vᵀ of
// its eigenvectors, and the squared distance to the mean is taken there. Eigenvalues are floored,
// so that a direction without variance gives a large density, never an infinite one.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "cluster/gaussians.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/assign.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"

namespace m2st::cluster {

namespace {

using kernels::Layout;

constexpr std::int64_t kBlockRows = 256;  // with 60 dimensions two blocks stay in L2

// ln of a component's weight and its density's factor; an empty component's is −∞.
double log_factor(double weight, std::int64_t dimensions, double log_determinant) {
  return std::log(weight) -
         0.5 * (static_cast<double>(dimensions) * std::log(2 * std::numbers::pi) + log_determinant);
}

// map := W; returns ln det of the covariance.
double whiten(CpuContext& context, MatrixView<const double> covariance, double least_variance,
              MatrixView<double> map) {
  const std::int64_t size = covariance.rows;
  Array<double> values(context.pool(), size);
  Matrix<double> vectors(context.pool(), size, size);
  kernels::symmetric_eigen<double>(context, covariance, values.span(), vectors.view());
  double log_determinant = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    const double variance = std::max(values[i], least_variance);
    log_determinant += std::log(variance);
    for (std::int64_t c = 0; c < size; ++c) map(i, c) = vectors(c, i) / std::sqrt(variance);
  }
  return log_determinant;
}

void full_densities(CpuContext& context, MatrixView<const double> x, const Gaussians& gaussians,
                    MatrixView<double> out) {
  const std::int64_t components = out.cols, cols = x.cols;
  Matrix<double> maps(context.pool(), components * cols, cols);
  std::vector<double> factors(static_cast<std::size_t>(components));
  parallel_for(context, components, 1, [&](std::int64_t k, std::int64_t) {
    const double log_determinant =
        whiten(context, gaussians.covariances.view().slice(k * cols, cols),
               gaussians.least_variance, maps.view().slice(k * cols, cols));
    const auto i = static_cast<std::size_t>(k);
    factors[i] = log_factor(gaussians.weights[i], cols, log_determinant);
  });
  parallel_for(context, x.rows, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    Matrix<double> centred(context.pool(), end - begin, cols),
        mapped(context.pool(), end - begin, cols);
    for (std::int64_t k = 0; k < components; ++k) {
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t c = 0; c < cols; ++c) {
          centred(n - begin, c) = x(n, c) - gaussians.means(k, c);
        }
      }
      kernels::gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, centred.view(),
                            maps.view().slice(k * cols, cols), 0.0, mapped.view());
      for (std::int64_t n = begin; n < end; ++n) {
        double square = 0;
        for (double value : mapped.view().row(n - begin)) square += value * value;
        out(n, k) = factors[static_cast<std::size_t>(k)] - 0.5 * square;
      }
    }
  });
}

void shared_densities(CpuContext& context, MatrixView<const double> x, const Gaussians& gaussians,
                      MatrixView<double> out) {
  const std::int64_t cols = x.cols, components = out.cols;
  Matrix<double> map(context.pool(), cols, cols), mapped(context.pool(), x.rows, cols);
  Matrix<double> mapped_means(context.pool(), components, cols);
  const double log_determinant =
      whiten(context, gaussians.covariances.view(), gaussians.least_variance, map.view());
  kernels::gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, x, map.view(), 0.0,
                        mapped.view());
  kernels::gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, gaussians.means.view(),
                        map.view(), 0.0, mapped_means.view());
  kernels::squared_distances<double>(context, mapped.view(), mapped_means.view(), out);
  std::vector<double> factors;
  for (double weight : gaussians.weights) {
    factors.push_back(log_factor(weight, cols, log_determinant));
  }
  parallel_for(context, x.rows, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double* row = out.data + n * components;
      for (std::int64_t k = 0; k < components; ++k) row[k] = factors[k] - 0.5 * row[k];
    }
  });
}

void diagonal_densities(CpuContext& context, MatrixView<const double> x, const Gaussians& gaussians,
                        MatrixView<double> out) {
  const std::int64_t cols = x.cols, components = out.cols;
  // Transposed, so that the innermost loop runs over components.
  Matrix<double> means(context.pool(), cols, components),
      precisions(context.pool(), cols, components);
  std::vector<double> factors;
  for (std::int64_t k = 0; k < components; ++k) {
    double log_determinant = 0;
    for (std::int64_t c = 0; c < cols; ++c) {
      const double variance = std::max(gaussians.covariances(k, c), gaussians.least_variance);
      log_determinant += std::log(variance);
      means(c, k) = gaussians.means(k, c);
      precisions(c, k) = 1 / variance;
    }
    factors.push_back(
        log_factor(gaussians.weights[static_cast<std::size_t>(k)], cols, log_determinant));
  }
  parallel_for(context, x.rows, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double* row = out.data + n * components;
      std::copy(factors.begin(), factors.end(), row);
      for (std::int64_t c = 0; c < cols; ++c) {
        const double value = x(n, c);
        const double* mean = means.data() + c * components;
        const double* precision = precisions.data() + c * components;
        for (std::int64_t k = 0; k < components; ++k) {
          row[k] -= 0.5 * (value - mean[k]) * (value - mean[k]) * precision[k];
        }
      }
    }
  });
}

}  // namespace

void log_joint_densities(CpuContext& context, MatrixView<const double> x,
                         const Gaussians& gaussians, MatrixView<double> out) {
  M2ST_CHECK(out.rows == x.rows && out.cols == gaussians.means.rows(),
             "log_joint_densities: shape of out (got ", out.rows, " x ", out.cols, ", need ",
             x.rows, " x ", gaussians.means.rows(), ")");
  M2ST_CHECK(gaussians.least_variance > 0, "log_joint_densities: least variance (got ",
             gaussians.least_variance, ", need more than 0)");
  switch (gaussians.covariance) {
    case Covariance::kFull:
      return full_densities(context, x, gaussians, out);
    case Covariance::kShared:
      return shared_densities(context, x, gaussians, out);
    case Covariance::kDiagonal:
      return diagonal_densities(context, x, gaussians, out);
  }
}

double to_responsibilities(CpuContext& context, MatrixView<double> log_densities) {
  const std::int64_t components = log_densities.cols;
  return parallel_reduce(
      context, log_densities.rows, kBlockRows, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        double log_likelihood = 0;
        for (std::int64_t n = begin; n < end; ++n) {
          double* row = log_densities.data + n * components;
          const double largest = *std::max_element(row, row + components);
          double sum = 0;
          for (std::int64_t k = 0; k < components; ++k) {
            row[k] = std::exp(row[k] - largest);
            sum += row[k];
          }
          for (std::int64_t k = 0; k < components; ++k) row[k] /= sum;
          log_likelihood += largest + std::log(sum);
        }
        return log_likelihood;
      },
      [](double a, double b) { return a + b; });
}

}  // namespace m2st::cluster
