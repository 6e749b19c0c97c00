// What each method consists of, with its constants. What ran is told in DomainResult::method.
#include "cluster/recipes.h"

#include <algorithm>
#include <utility>

#include "cluster/joined_components.h"
#include "cluster/kmeans.h"
#include "cluster/mixture.h"
#include "cluster/reduced_solver.h"
#include "cluster/refinement.h"
#include "engine/check.h"

namespace m2st::cluster {

namespace {

constexpr int kComponents = 20;  // of each scale
constexpr int kRestarts = 20;    // of k-means
constexpr RefinementOptions kRefinement{.share = 0.5, .iterations = 1};

}  // namespace

DomainResult kmeans_recipe(CpuContext& context, const DomainInput& input,
                           const DomainOptions& options) {
  const Matrix<double> x = joined_components(context, input.embeddings, kComponents);
  KMeansResult found = k_means(
      context, x.view(), {.domains = options.domains, .restarts = kRestarts, .seed = options.seed});
  DomainResult result;
  result.labels = std::move(found.labels);
  result.method =
      concat("k-means (", kComponents, " components a scale, ", kRestarts, " restarts)");
  return result;
}

DomainResult default_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options) {
  DomainResult result = kmeans_recipe(context, input, options);
  if (input.graph.offsets.empty()) return result;
  result.labels = refine_labels(context, input.graph, result.labels, kRefinement);
  result.method += concat(", majority refinement (share ", kRefinement.share, ", ",
                          kRefinement.iterations, " pass)");
  return result;
}

DomainResult mixture_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options) {
  const Matrix<double> x = joined_components(context, input.embeddings, kComponents);
  const MixtureOptions mixture{
      .domains = options.domains, .initial_restarts = kRestarts, .seed = options.seed};
  MixtureResult found = fit_mixture(context, x.view(), mixture);
  DomainResult result;
  result.labels = std::move(found.labels);
  for (std::int64_t n = 0; n < x.rows(); ++n) {
    const auto row = found.responsibilities.view().row(n);
    result.confidence.push_back(static_cast<float>(*std::max_element(row.begin(), row.end())));
  }
  result.method =
      concat("Gaussian mixture with one covariance (", kComponents, " components a scale, ridge ",
             mixture.regularisation, ", ", found.iterations, " iterations)");
  if (!found.converged) {
    result.warnings.push_back(concat("the mixture had not converged after ", found.iterations,
                                     " iterations; its labels are the last ones"));
  }
  return result;
}

DomainResult reference_recipe(CpuContext& context, const DomainInput& input,
                              const DomainOptions& options) {
  ReferenceOptions reference;
  reference.clusters = options.domains;
  reference.seed = options.seed;
  ReferenceState state = reference_clustering(context, input.embeddings, reference);
  DomainResult result;
  result.labels = std::move(state.labels);
  result.method =
      concat("reference matrix factorisation (", reference.iterations, " iterations, lambda1 ",
             reference.lambda1, ", lambda2 ", reference.lambda2, ", lambda3 ", reference.lambda3,
             ", specific dim ", reference.specific_dim, ")");
  return result;
}

}  // namespace m2st::cluster
