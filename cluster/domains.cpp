// Validates what came in, runs the recipe asked for, and puts its labels into the promised order.
#include "cluster/domains.h"

#include <algorithm>
#include <numeric>

#include "cluster/finite_input.h"
#include "cluster/recipes.h"
#include "cluster/refinement.h"
#include "engine/check.h"

namespace m2st::cluster {

namespace {

void check_input(CpuContext& context, const DomainInput& input, const DomainOptions& options) {
  M2ST_CHECK(!input.embeddings.empty(), "find_domains: no embeddings");
  const std::int64_t cells = input.embeddings.front().rows;
  if (options.domains < 1 || options.domains > cells) {
    fail(ExitCode::kParameterImpossible, "clustering: ", options.domains,
         " domains asked for, but ", cells, " cells can form between 1 and ", cells,
         "; choose a number of domains in that range");
  }
  for (std::size_t i = 0; i < input.embeddings.size(); ++i) {
    M2ST_CHECK(input.embeddings[i].rows == cells, "find_domains: rows of embedding ", i + 1,
               " (got ", input.embeddings[i].rows, ", need ", cells, ")");
    check_finite(context, concat("the embedding of scale ", i + 1), input.embeddings[i]);
  }
  M2ST_CHECK(input.features.size() == 0 || input.features.rows == cells,
             "find_domains: rows of the features (got ", input.features.rows, ", need ", cells,
             ")");
  check_finite(context, "the feature matrix", input.features);
  M2ST_CHECK(input.graph.offsets.empty() || input.graph.nodes() == cells,
             "find_domains: nodes of the graph (got ", input.graph.nodes(), ", need ", cells, ")");
}

DomainResult run(CpuContext& context, const DomainInput& input, const DomainOptions& options) {
  switch (options.method) {
    case Method::kDefault:
      return default_recipe(context, input, options);
    case Method::kKMeans:
      return kmeans_recipe(context, input, options);
    case Method::kMixture:
      return mixture_recipe(context, input, options);
    case Method::kReference:
      return reference_recipe(context, input, options);
  }
  fail(ExitCode::kInternal, "find_domains: no such method");
}

// With the refinement asked for, and the labels in the promised order.
DomainResult finished(CpuContext& context, const DomainInput& input, const DomainOptions& options,
                      DomainResult result) {
  const CsrView graph = input.graph;
  if (options.refinement > 0 && !graph.offsets.empty()) {
    result.labels =
        refine_labels(context, graph, result.labels, {.iterations = options.refinement});
    result.method += concat(", ", options.refinement, " passes of majority refinement");
  }
  if (options.refinement > 0 && graph.offsets.empty()) {
    result.warnings.push_back("refinement was left out: no graph or coordinates were given");
  }
  result.labels = largest_first(result.labels);
  const int found = 1 + *std::max_element(result.labels.begin(), result.labels.end());
  if (found < options.domains) {
    result.warnings.push_back(
        concat("only ", found, " of the ", options.domains, " domains asked for hold cells"));
  }
  return result;
}

}  // namespace

std::vector<std::int32_t> largest_first(const std::vector<std::int32_t>& labels) {
  if (labels.empty()) return {};
  const auto [lowest, highest] = std::minmax_element(labels.begin(), labels.end());
  M2ST_CHECK(*lowest >= 0, "largest_first: label (got ", *lowest, ", need at least 0)");
  struct Cluster {
    std::int64_t size = 0;
    std::size_t first = 0;
  };
  std::vector<Cluster> clusters(static_cast<std::size_t>(*highest) + 1);
  for (std::size_t n = labels.size(); n-- > 0;) {
    Cluster& cluster = clusters[static_cast<std::size_t>(labels[n])];
    ++cluster.size;
    cluster.first = n;
  }
  std::vector<std::int32_t> order(clusters.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    const Cluster& left = clusters[static_cast<std::size_t>(a)];
    const Cluster& right = clusters[static_cast<std::size_t>(b)];
    return left.size != right.size ? left.size > right.size : left.first < right.first;
  });
  std::vector<std::int32_t> rank(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    rank[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
  }
  std::vector<std::int32_t> out(labels.size());
  std::transform(labels.begin(), labels.end(), out.begin(),
                 [&](std::int32_t label) { return rank[static_cast<std::size_t>(label)]; });
  return out;
}

DomainResult find_domains(CpuContext& context,
                          const std::vector<MatrixView<const float>>& embeddings,
                          MatrixView<const float> features, CsrView graph,
                          const DomainOptions& options) {
  const DomainInput input{embeddings, features, graph};
  check_input(context, input, options);
  return finished(context, input, options, run(context, input, options));
}

DomainResult find_domains(Context& context, const std::vector<MatrixView<const float>>& embeddings,
                          MatrixView<const float> features, CsrView graph,
                          const DomainOptions& options) {
  CpuContext& host = context.host();
  if (!uses_device(options.method)) {
    return find_domains(host, embeddings, features, graph, options);
  }
  const DomainInput input{embeddings, features, graph};
  check_input(host, input, options);
  return finished(host, input, options, reference_recipe(context, input, options));
}

bool uses_device(Method method) { return method == Method::kReference; }

}  // namespace m2st::cluster
