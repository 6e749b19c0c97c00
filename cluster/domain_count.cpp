// −2 ln L · m / N + p ln m, with p the mixture's parameters that depend on K and m = N / f: after
// averaging, neighbours repeat each other, and N cells say as much as m independent ones.
#include "cluster/domain_count.h"

#include <algorithm>
#include <cmath>

#include "cluster/finite_input.h"
#include "cluster/gaussians.h"
#include "cluster/kmeans.h"
#include "cluster/spatial_components.h"
#include "cluster/spatial_mixture.h"
#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

constexpr int kRestarts = 3;  // of the k-means before each mixture
constexpr SpatialComponentOptions kView{
    .steps = 4, .components = 12, .length_exponent = 1.0, .embedding_weight = 0.1};
// The field lets a label listen one step further than the averages do.
constexpr int kStepsOfLabels = kView.steps + 1;

// ln L of the mixture of greatest likelihood for these responsibilities.
double log_likelihood(CpuContext& context, MatrixView<const double> x,
                      MatrixView<const double> scatter, double mean_variance,
                      const SpatialMixtureOptions& options,
                      MatrixView<const double> responsibilities) {
  Gaussians gaussians = make_gaussians(context, Covariance::kShared, responsibilities.cols, x.cols);
  gaussians.ridge = options.regularisation * mean_variance;
  gaussians.least_variance = mean_variance > 0 ? 1e-12 * mean_variance : 1.0;
  maximise(context, x, responsibilities, scatter, gaussians);
  Matrix<double> densities(context.pool(), x.rows, responsibilities.cols);
  log_joint_densities(context, x, gaussians, densities.view());
  return to_responsibilities(context, densities.view());
}

}  // namespace

DomainCount find_domain_count(CpuContext& context,
                              const std::vector<MatrixView<const float>>& embeddings,
                              MatrixView<const float> features, CsrView graph,
                              const DomainCountOptions& options) {
  M2ST_CHECK(!embeddings.empty(), "find_domain_count: no embeddings");
  const std::int64_t cells = embeddings.front().rows;
  M2ST_CHECK(options.least >= 1 && options.least <= options.most, "find_domain_count: range (got ",
             options.least, " to ", options.most, ", need at least 1, ascending)");
  if (options.least > cells) {
    fail(ExitCode::kParameterImpossible, "clustering: between ", options.least, " and ",
         options.most, " domains asked for, but there are ", cells,
         " cells; choose a range that begins below");
  }
  for (std::size_t m = 0; m < embeddings.size(); ++m) {
    check_finite(context, concat("the embedding of scale ", m + 1), embeddings[m]);
  }
  check_finite(context, "the feature matrix", features);
  Matrix<double> x = spatial_components(context, embeddings, features, graph, kView);
  std::vector<double> mean(static_cast<std::size_t>(x.cols())), variance(mean.size());
  kernels::column_moments<double>(context, x.view(), 0, mean, variance);
  kernels::affine_columns<double>(context, mean, std::vector<double>(mean.size(), 1.0), x.view());
  double mean_variance = 0;
  for (const double value : variance) mean_variance += value / static_cast<double>(x.cols());
  Matrix<double> scatter(context.pool(), x.cols(), x.cols());
  kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                        x.view(), x.view(), 0.0, scatter.view());

  DomainCount result;
  const double shared = cells_per_average(context, graph, kStepsOfLabels);
  result.independent_cells = std::max(static_cast<double>(cells) / shared, 1.0);
  const auto last = static_cast<int>(std::min<std::int64_t>(options.most, cells));
  for (int k = options.least; k <= last; ++k) result.curve.push_back({k, 0, 0});
  parallel_for(context, std::ssize(result.curve), 1, [&](std::int64_t i, std::int64_t) {
    DomainCountPoint& point = result.curve[static_cast<std::size_t>(i)];
    const KMeansResult start = k_means(
        context, x.view(), {.domains = point.domains, .restarts = kRestarts, .seed = options.seed});
    const SpatialMixtureOptions mixture{.domains = point.domains};
    const SpatialMixtureResult fit =
        fit_spatial_mixture(context, x.view(), graph, start.labels, mixture);
    point.log_likelihood = log_likelihood(context, x.view(), scatter.view(), mean_variance, mixture,
                                          fit.responsibilities.view());
    const double parameters = static_cast<double>(point.domains) * (x.cols() + 1) - 1;
    point.criterion =
        -2 * point.log_likelihood * result.independent_cells / static_cast<double>(cells) +
        parameters * std::log(result.independent_cells);
  });
  const auto best = std::min_element(result.curve.begin(), result.curve.end(),
                                     [](const DomainCountPoint& a, const DomainCountPoint& b) {
                                       return a.criterion < b.criterion;
                                     });
  result.domains = best->domains;
  return result;
}

}  // namespace m2st::cluster
