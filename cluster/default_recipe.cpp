// The default method: an ensemble of spatial mixtures and its consensus. No step draws a random
// number: a start by division replaces restarts, and variety comes from looking at the tissue at
// several scales, with several numbers of components. The constants and what they are worth:
// docs/domains.md.
#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "cluster/component_merging.h"
#include "cluster/consensus.h"
#include "cluster/divisive_start.h"
#include "cluster/kmeans.h"
#include "cluster/recipes.h"
#include "cluster/spatial_components.h"
#include "cluster/spatial_mixture.h"
#include "engine/check.h"

namespace m2st::cluster {

namespace {

using Labels = std::vector<std::int32_t>;

constexpr int kWidths[] = {8, 12, 20};            // components a member looks at
constexpr double kMultiples[] = {1, 1.34, 1.67};  // mixture components for each domain
constexpr double kStartTolerance = 1e-5;          // of k-means: a mixture follows
constexpr int kWidest = 20;
constexpr double kEmbeddingWeight = 0.1;
constexpr double kField = 1.5;        // of all neighbours together
constexpr double kTemperature = 2.0;  // neighbours averaged together repeat each other's evidence
constexpr int kIterations = 120;      // of a mixture: it converges slowly where components compete

// The tissue averaged over `steps`, from the features alone or with the embeddings.
struct View {
  int steps;
  bool embeddings;
};
constexpr View kViews[] = {{2, false}, {3, true}, {4, false}};

Matrix<double> leading_columns(CpuContext& context, MatrixView<const double> x, int columns) {
  Matrix<double> out(context.pool(), x.rows, std::min<std::int64_t>(columns, x.cols));
  for (std::int64_t n = 0; n < x.rows; ++n) {
    std::copy_n(x.data + n * x.cols, out.cols(), out.data() + n * out.cols());
  }
  return out;
}

// One member's partition, and the k-means it started from.
struct Member {
  Labels labels;
  Labels start;
};

Member member(CpuContext& context, MatrixView<const double> x, CsrView graph, int domains,
              double multiple) {
  const int components = static_cast<int>(
      std::min<std::int64_t>(x.rows, static_cast<std::int64_t>(std::ceil(multiple * domains))));
  const KMeansOptions lloyd_options{.domains = components, .tolerance = kStartTolerance};
  Member out;
  out.start = lloyd(context, x, divisive_centres(context, x, components), lloyd_options).labels;
  SpatialMixtureResult found = fit_spatial_mixture(context, x, graph, out.start,
                                                   {.domains = components,
                                                    .field = kField,
                                                    .iterations = kIterations,
                                                    .temperature = kTemperature});
  if (components == domains) {
    out.labels = std::move(found.labels);
    return out;
  }
  const auto groups = merge_components(context, found.responsibilities.view(), domains);
  out.labels = labels_of_groups(context, found.responsibilities.view(), groups, domains);
  return out;
}

std::size_t distinct(const Labels& labels) {
  return std::set<std::int32_t>(labels.begin(), labels.end()).size();
}

}  // namespace

DomainResult default_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options) {
  const bool features = input.features.size() > 0;
  const double exponent = features ? length_exponent_of(context, input.features) : 1.0;
  std::vector<Labels> partitions;
  Labels fallback;
  for (const View& view : kViews) {
    const double weight = view.embeddings ? kEmbeddingWeight : 0.0;
    const Matrix<double> scores =
        spatial_components(context, input.embeddings, input.features, input.graph,
                           {.steps = view.steps,
                            .components = kWidest,
                            .length_exponent = exponent,
                            .embedding_weight = weight});
    for (const int width : kWidths) {
      const Matrix<double> x = leading_columns(context, scores.view(), width);
      for (const double multiple : kMultiples) {
        Member found = member(context, x.view(), input.graph, options.domains, multiple);
        if (multiple == 1 && fallback.empty()) fallback = std::move(found.start);
        partitions.push_back(std::move(found.labels));
      }
    }
  }
  const auto domains = static_cast<std::size_t>(options.domains);
  DomainResult result;
  if (std::none_of(partitions.begin(), partitions.end(),
                   [&](const Labels& labels) { return distinct(labels) == domains; })) {
    result.labels = std::move(fallback);
    result.method = "k-means (every mixture emptied a domain)";
    return result;
  }
  Consensus consensus = find_consensus(context, partitions, options.domains);
  result.labels = std::move(consensus.labels);
  result.confidence = std::move(consensus.share);
  result.method =
      concat("consensus of ", partitions.size(), " spatial mixtures (2, 3 and 4 averagings; ",
             "8, 12 and 20 components; 1, 1.34 and 1.67 Gaussians a domain; row length exponent ",
             exponent, ", embedding weight ", kEmbeddingWeight, ", field ", kField,
             ", temperature ", kTemperature, "; mean agreement ", consensus.agreement, ")");
  return result;
}

}  // namespace m2st::cluster
