// What each method consists of, with its constants. What ran is told in DomainResult::method.
#include "cluster/recipes.h"

#include <algorithm>
#include <utility>

#include "cluster/joined_components.h"
#include "cluster/kmeans.h"
#include "cluster/mixture.h"
#include "cluster/reduced_solver.h"
#include "engine/check.h"

namespace m2st::cluster {

namespace {

constexpr int kComponents = 20;  // of each scale
constexpr int kRestarts = 20;    // of k-means

std::vector<float> greatest_of_rows(MatrixView<const double> x) {
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(x.rows));
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const auto row = x.row(n);
    out.push_back(static_cast<float>(*std::max_element(row.begin(), row.end())));
  }
  return out;
}

std::string not_converged(int iterations) {
  return concat("the mixture had not converged after ", iterations,
                " iterations; its labels are the last ones");
}

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

DomainResult mixture_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options) {
  const Matrix<double> x = joined_components(context, input.embeddings, kComponents);
  const MixtureOptions mixture{
      .domains = options.domains, .initial_restarts = kRestarts, .seed = options.seed};
  MixtureResult found = fit_mixture(context, x.view(), mixture);
  DomainResult result;
  result.labels = std::move(found.labels);
  result.confidence = greatest_of_rows(found.responsibilities.view());
  result.method =
      concat("Gaussian mixture with one covariance (", kComponents, " components a scale, ridge ",
             mixture.regularisation, ", ", found.iterations, " iterations)");
  if (!found.converged) result.warnings.push_back(not_converged(found.iterations));
  return result;
}

namespace {

// `context`: the host's, or one with a device.
template <class AnyContext>
DomainResult reference_domains(AnyContext& context, const DomainInput& input,
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

}  // namespace

DomainResult reference_recipe(CpuContext& context, const DomainInput& input,
                              const DomainOptions& options) {
  return reference_domains(context, input, options);
}

DomainResult reference_recipe(Context& context, const DomainInput& input,
                              const DomainOptions& options) {
  return reference_domains(context, input, options);
}

}  // namespace m2st::cluster
