// The ways from embeddings to domains behind find_domains. A recipe gets validated input and
// returns labels in any order; find_domains renumbers them.
#pragma once

#include <vector>

#include "cluster/domains.h"
#include "engine/context.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct DomainInput {
  const std::vector<MatrixView<const float>>& embeddings;  // at least one, (N, d_m), finite
  MatrixView<const float> features;                        // (N, d), finite, or empty
  CsrView graph;                                           // N nodes, or empty
};

// Several views of features and embeddings averaged in space, several mixtures with a Potts field
// on each, and their consensus: the best of what docs/domains.md compares.
DomainResult default_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options);
DomainResult kmeans_recipe(CpuContext& context, const DomainInput& input,
                           const DomainOptions& options);
DomainResult mixture_recipe(CpuContext& context, const DomainInput& input,
                            const DomainOptions& options);
// Eq. 12 as the reference code solves it, with its options' defaults.
DomainResult reference_recipe(CpuContext& context, const DomainInput& input,
                              const DomainOptions& options);
DomainResult reference_recipe(Context& context, const DomainInput& input,
                              const DomainOptions& options);

}  // namespace m2st::cluster
