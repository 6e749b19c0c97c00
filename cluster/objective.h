// The value of eq. 12 term by term, from products of small matrices: no pass over the cells.
#pragma once

#include <vector>

#include "cluster/reference_state.h"
#include "cluster/stacked_maps.h"
#include "engine/batch.h"
#include "engine/cpu_context.h"

namespace m2st::cluster {

struct ObjectiveTerms {
  double reconstruction = 0;  // Σ ‖D − HᵀW − SᵀP‖²
  double size = 0;            // β (‖H‖² + Σ ‖S‖²)
  double maps = 0;            // Σ μ (‖P‖² + ‖W‖²)
  double scatter = 0;         // Σ α ‖X − VU‖²
  double orthogonality = 0;   // λ N/K Σ ‖VᵀV − I‖²
  double entropy = 0;         // δ Σ α ln α, never positive

  double total() const { return reconstruction + size + maps + scatter + orthogonality + entropy; }
};

// What the terms are multiplied with.
struct ObjectiveFactors {
  double beta = 0;
  std::vector<double> map_penalties;  // μ of each view
  std::vector<double> data_squares;   // ‖D‖² of each view
  double lambda = 0;                  // of ‖VᵀV − I‖², N/K counted in
  double delta = 0;
};

// X Uᵀ of every S and of H with the labels that a sweep gave; `sums` as sweep_cells makes them.
template <class Backend>
std::vector<Batch<double>> label_crosses(Backend& context, const StackedEntries& entries,
                                         const std::vector<LinearMap>& specific,
                                         BatchView<const double> sums);

// ‖X − VU‖² (Frobenius) of every S and of H of one option set; `counts` are the sizes by the labels
// of `crosses`.
std::vector<double> squared_distances_to_centres(CpuContext& context, const ReferenceState& state,
                                                 const std::vector<LinearMap>& specific,
                                                 const LinearMap& common,
                                                 const std::vector<Batch<double>>& crosses,
                                                 Span<const std::int64_t> counts);

// Of one option set; `distances` as above.
ObjectiveTerms objective_terms(CpuContext& context, const StackedEntries& entries,
                               const ReferenceState& state, const std::vector<LinearMap>& specific,
                               const LinearMap& common, const std::vector<double>& distances,
                               const ObjectiveFactors& factors);

}  // namespace m2st::cluster
