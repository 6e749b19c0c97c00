// A cluster without cells is moved onto the cell that fits worst, where that lowers the objective.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/reference_state.h"
#include "cluster/stacked_maps.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// One cluster that holds no cell: its centres become the representation of the cell farthest from
// its nearest centre if Σ_i min_c Σ α ‖x_i − v_c‖² + λ Σ ‖VᵀV − I‖² becomes less by it; the labels
// are left to the update of U that follows. Two passes over the cells. Whether it was moved.
bool reseed_cluster(CpuContext& context, const std::vector<Matrix<double>>& data,
                    const StackedEntries& entries, const std::vector<LinearMap>& specific,
                    const LinearMap& common_map, MatrixView<const double> common, double lambda,
                    std::int64_t cluster, ReferenceState& state);

// Σ ‖VᵀV − I‖² over all centres.
double total_orthogonality(CpuContext& context, const ReferenceState& state);

}  // namespace m2st::cluster
