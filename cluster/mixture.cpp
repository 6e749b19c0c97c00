// The loop of EM and its restarts. Cells are centred first: means then are small numbers, and the
// scatter about them keeps its digits.
#include "cluster/mixture.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/kmeans.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 1024;

struct CentredCells {
  Matrix<double> x;           // (N, d), columns' means taken away
  std::vector<double> means;  // (d)
  Matrix<double> scatter;     // Σ x xᵀ, for a shared covariance
  double mean_variance = 0;   // of the columns, divided by N
};

CentredCells centre(CpuContext& context, MatrixView<const double> x, Covariance covariance) {
  CentredCells out;
  std::vector<double> variances(static_cast<std::size_t>(x.cols));
  out.means.resize(variances.size());
  kernels::column_moments<double>(context, x, 0, out.means, variances);
  for (double variance : variances) out.mean_variance += variance / static_cast<double>(x.cols);
  out.x = Matrix<double>(context.pool(), x.rows, x.cols);
  parallel_for(context, x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      for (std::int64_t c = 0; c < x.cols; ++c) {
        out.x(n, c) = x(n, c) - out.means[static_cast<std::size_t>(c)];
      }
    }
  });
  if (covariance == Covariance::kShared) {
    out.scatter = Matrix<double>(context.pool(), x.cols, x.cols);
    kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                          out.x.view(), out.x.view(), 0.0, out.scatter.view());
  }
  return out;
}

Gaussians start(CpuContext& context, const CentredCells& cells, const MixtureOptions& options) {
  Gaussians out = make_gaussians(context, options.covariance, options.domains, cells.x.cols());
  out.ridge = options.regularisation * cells.mean_variance;
  // Below this share of the mean variance there are only roundings; cells that all coincide have
  // none, and any positive number serves.
  constexpr double kRoundings = 1e-12;
  out.least_variance = cells.mean_variance > 0 ? kRoundings * cells.mean_variance : 1.0;
  return out;
}

// Each cell wholly its label's.
void one_hot(Span<const std::int32_t> labels, MatrixView<double> responsibilities) {
  std::fill(responsibilities.data, responsibilities.data + responsibilities.size(), 0.0);
  for (std::int64_t n = 0; n < responsibilities.rows; ++n) {
    responsibilities(n, labels[static_cast<std::size_t>(n)]) = 1;
  }
}

MixtureResult run(CpuContext& context, const CentredCells& cells, const MixtureOptions& options,
                  int restart) {
  const KMeansOptions start_options{.domains = options.domains,
                                    .restarts = options.initial_restarts,
                                    .seed = options.seed,
                                    .stream = static_cast<std::uint32_t>(restart)};
  MixtureResult result;
  result.responsibilities = Matrix<double>(context.pool(), cells.x.rows(), options.domains);
  one_hot(k_means(context, cells.x.view(), start_options).labels, result.responsibilities.view());
  Gaussians gaussians = start(context, cells, options);
  const double least_rise = options.tolerance * static_cast<double>(cells.x.rows());
  while (result.iterations < options.iterations && !result.converged) {
    ++result.iterations;
    maximise(context, cells.x.view(), result.responsibilities.view(), cells.scatter.view(),
             gaussians);
    log_joint_densities(context, cells.x.view(), gaussians, result.responsibilities.view());
    result.log_likelihood = to_responsibilities(context, result.responsibilities.view());
    result.converged =
        !result.history.empty() && result.log_likelihood - result.history.back() <= least_rise;
    result.history.push_back(result.log_likelihood);
  }
  result.weights = std::move(gaussians.weights);
  result.means = std::move(gaussians.means);
  return result;
}

std::vector<std::int32_t> most_responsible(MatrixView<const double> responsibilities) {
  std::vector<std::int32_t> labels;
  for (std::int64_t n = 0; n < responsibilities.rows; ++n) {
    const auto row = responsibilities.row(n);
    labels.push_back(
        static_cast<std::int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return labels;
}

}  // namespace

MixtureResult fit_mixture(CpuContext& context, MatrixView<const double> x,
                          const MixtureOptions& options) {
  M2ST_CHECK(options.domains >= 1 && options.domains <= x.rows, "fit_mixture: domains (got ",
             options.domains, ", need 1 to ", x.rows, ")");
  M2ST_CHECK(options.restarts >= 1 && options.iterations >= 1,
             "fit_mixture: restarts and iterations (got ", options.restarts, " and ",
             options.iterations, ", need at least 1)");
  const CentredCells cells = centre(context, x, options.covariance);
  MixtureResult best;
  for (int restart = 0; restart < options.restarts; ++restart) {
    MixtureResult result = run(context, cells, options, restart);
    if (restart == 0 || result.log_likelihood > best.log_likelihood) best = std::move(result);
  }
  for (std::int64_t k = 0; k < best.means.rows(); ++k) {
    for (std::int64_t c = 0; c < x.cols; ++c) {
      best.means(k, c) += cells.means[static_cast<std::size_t>(c)];
    }
  }
  best.labels = most_responsible(best.responsibilities.view());
  best.bic = -2 * best.log_likelihood +
             static_cast<double>(parameter_count(options.covariance, options.domains, x.cols)) *
                 std::log(static_cast<double>(x.rows));
  return best;
}

}  // namespace m2st::cluster
