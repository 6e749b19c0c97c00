#include "cluster/spatial_mixture.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/gaussians.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/math/exponential.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 1024;
constexpr double kStartShare =
    0.9;  // of a cell that is its starting label's; the rest is everyone's
constexpr double kLeastWeight = 1e-300;  // of a component, under the logarithm

// scores[n,k] = ln w_k + ln N(x_n | k) / temperature, from ln w_k + ln N(x_n | k). A component
// whose weight has vanished stays at −∞.
void temper(CpuContext& context, const std::vector<double>& weights, double temperature,
            MatrixView<double> scores) {
  std::vector<double> shift;
  for (const double weight : weights) {
    shift.push_back((1 - 1 / temperature) * std::log(std::max(weight, kLeastWeight)));
  }
  parallel_for(context, scores.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double* row = scores.data + n * scores.cols;
      for (std::int64_t k = 0; k < scores.cols; ++k) {
        row[k] = row[k] / temperature + shift[static_cast<std::size_t>(k)];
      }
    }
  });
}

// next[n,:] = softmax(scores[n,:] + strength · Σ of the neighbours' responsibilities).
void sweep_field(CpuContext& context, CsrView graph, double strength,
                 MatrixView<const double> scores, MatrixView<const double> responsibilities,
                 MatrixView<double> next) {
  const std::int64_t components = scores.cols;
  parallel_for(context, scores.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double* row = next.data + n * components;
      std::fill_n(row, components, 0.0);
      if (!graph.offsets.empty()) {
        for (std::int64_t e = graph.offsets[n]; e < graph.offsets[n + 1]; ++e) {
          const double* other = responsibilities.data + graph.sources[e] * components;
          for (std::int64_t k = 0; k < components; ++k) row[k] += other[k];
        }
      }
      const double* score = scores.data + n * components;
      for (std::int64_t k = 0; k < components; ++k) row[k] = score[k] + strength * row[k];
      const double highest = *std::max_element(row, row + components);
      double total = 0;
      for (std::int64_t k = 0; k < components; ++k) row[k] = kernels::exponential(row[k] - highest);
      for (std::int64_t k = 0; k < components; ++k) total += row[k];
      for (std::int64_t k = 0; k < components; ++k) row[k] /= total;
    }
  });
}

// Labels of greatest responsibility; returns how many changed.
std::int64_t relabel(CpuContext& context, MatrixView<const double> responsibilities,
                     Span<std::int32_t> labels) {
  return parallel_reduce(
      context, responsibilities.rows, kGrain, std::int64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::int64_t changed = 0;
        for (std::int64_t n = begin; n < end; ++n) {
          const auto row = responsibilities.row(n);
          const auto label =
              static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
          changed += label != labels[n];
          labels[n] = label;
        }
        return changed;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
}

struct CentredCells {
  Matrix<double> x;
  Matrix<double> scatter;    // Σ x xᵀ
  double mean_variance = 0;  // of the columns
};

CentredCells centre(CpuContext& context, MatrixView<const double> x) {
  CentredCells out{Matrix<double>(context.pool(), x.rows, x.cols),
                   Matrix<double>(context.pool(), x.cols, x.cols), 0};
  std::vector<double> mean(static_cast<std::size_t>(x.cols)), variance(mean.size());
  kernels::column_moments<double>(context, x, 0, mean, variance);
  for (const double value : variance) out.mean_variance += value / static_cast<double>(x.cols);
  std::copy_n(x.data, x.size(), out.x.data());
  const std::vector<double> factor(mean.size(), 1.0);
  kernels::affine_columns<double>(context, mean, factor, out.x.view());
  kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                        out.x.view(), out.x.view(), 0.0, out.scatter.view());
  return out;
}

}  // namespace

SpatialMixtureResult fit_spatial_mixture(CpuContext& context, MatrixView<const double> x,
                                         CsrView graph, Span<const std::int32_t> start,
                                         const SpatialMixtureOptions& options) {
  M2ST_CHECK(options.domains >= 1 && options.domains <= x.rows,
             "fit_spatial_mixture: domains (got ", options.domains, ", need 1 to ", x.rows, ")");
  M2ST_CHECK(std::ssize(start) == x.rows, "fit_spatial_mixture: starting labels (got ",
             start.size(), ", need ", x.rows, ")");
  M2ST_CHECK(graph.offsets.empty() || graph.nodes() == x.rows,
             "fit_spatial_mixture: nodes of the graph (got ", graph.nodes(), ", need ", x.rows,
             ")");
  M2ST_CHECK(options.temperature >= 1, "fit_spatial_mixture: temperature (got ",
             options.temperature, ", need at least 1)");
  const CentredCells cells = centre(context, x);
  Gaussians gaussians =
      make_gaussians(context, Covariance::kShared, options.domains, cells.x.cols());
  gaussians.ridge = options.regularisation * cells.mean_variance;
  gaussians.least_variance = cells.mean_variance > 0 ? 1e-12 * cells.mean_variance : 1.0;
  // A graph of twice the degree repeats itself: its neighbours' votes count half.
  const std::int64_t edges = graph.offsets.empty() ? 0 : graph.edges();
  const double strength =
      edges > 0 ? options.field * static_cast<double>(x.rows) / static_cast<double>(edges) : 0.0;

  SpatialMixtureResult result;
  result.labels.assign(start.begin(), start.end());
  result.responsibilities = Matrix<double>(context.pool(), x.rows, options.domains);
  for (double& value : result.responsibilities.span()) value = (1 - kStartShare) / options.domains;
  for (std::int64_t n = 0; n < x.rows; ++n) result.responsibilities(n, start[n]) += kStartShare;
  Matrix<double> scores(context.pool(), x.rows, options.domains);
  Matrix<double> next(context.pool(), x.rows, options.domains);
  while (result.iterations < options.iterations && !result.converged) {
    ++result.iterations;
    maximise(context, cells.x.view(), result.responsibilities.view(), cells.scatter.view(),
             gaussians);
    log_joint_densities(context, cells.x.view(), gaussians, scores.view());
    if (options.temperature > 1) {
      temper(context, gaussians.weights, options.temperature, scores.view());
    }
    for (int sweep = 0; sweep < options.sweeps; ++sweep) {
      sweep_field(context, graph, strength, scores.view(), result.responsibilities.view(),
                  next.view());
      std::swap(result.responsibilities, next);
    }
    const std::int64_t changed = relabel(context, result.responsibilities.view(), result.labels);
    result.converged =
        static_cast<double>(changed) <= options.tolerance * static_cast<double>(x.rows);
  }
  return result;
}

}  // namespace m2st::cluster
