// Mixture components joined into domains. A domain need not be one Gaussian: components that claim
// the same cells are one thing (Hennig, Advances in Data Analysis and Classification 2010).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// The group 0 .. groups − 1 of each component. The pair with the largest
// Σ_n r[n,i] r[n,j] / min(Σ_n r[n,i], Σ_n r[n,j]), the share of the smaller one's cells that the
// larger one claims too, is joined, and again, until `groups` are left; the first of equals.
// responsibilities: (N, components), rows add up to 1; 1 <= groups <= components.
std::vector<std::int32_t> merge_components(CpuContext& context,
                                           MatrixView<const double> responsibilities, int groups);

// The group whose components together are most responsible for each cell, the lowest of equals.
std::vector<std::int32_t> labels_of_groups(CpuContext& context,
                                           MatrixView<const double> responsibilities,
                                           Span<const std::int32_t> group_of_component, int groups);

}  // namespace m2st::cluster
