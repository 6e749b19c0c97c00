// S of every view and H of eq. 12 as linear maps of z (stacked_gram.h): the block updates written
// as maps, all products of X = map · Z, and the maps for the pass over the cells. Batches are one
// matrix an option set, on any backend. No normalisation here beyond what linear_map is told.
#pragma once

#include <vector>

#include "cluster/solver_state.h"
#include "cluster/stacked_gram.h"
#include "engine/batch.h"
#include "engine/view.h"
#include "kernels/cell_sweep.h"

namespace m2st::cluster {

// X = map · Z and what it makes. `seen` is X Zᵀ = [X D.. | X Hᵀ | X Uᵀ] side by side: all the
// products of X that an update can ask for.
struct LinearMap {
  Batch<double> map;   // (rows, entries of z, or those that a view sees)
  Batch<double> seen;  // X Zᵀ, of the same shape
  Batch<double> gram;  // X Xᵀ
};

// gram: Z Zᵀ over the map's entries. With normalise_rows the rows of X become unit vectors; a row
// whose square is all rounding is a zero row, and stays one.
template <class Backend>
LinearMap linear_map(Backend& context, Batch<double> map, BatchView<const double> gram,
                     bool normalise_rows);

// S = (ridge I + P Pᵀ)⁻¹ [P | −P Wᵀ | α V] [Dᵀ; H; U] over the entries that the view sees.
template <class Backend>
Batch<double> specific_map(Backend& context, const ViewMaps& view, Span<const double> ridges,
                           Span<const double> alphas);

// H = (ridge I + Σ W Wᵀ)⁻¹ (Σ W (Dᵀ − Pᵀ S) + α V U) over all entries, each S being a map itself.
template <class Backend>
Batch<double> common_map(Backend& context, const StackedEntries& entries, const StateMaps& state,
                         const std::vector<LinearMap>& specific, Span<const double> ridges,
                         Span<const double> alphas);

// The K scores and the d_c entries of H, one below the other, as kernels/cell_sweep.h has them.
struct SweepMaps {
  Batch<double> data, common, labels;
};

// Scores Σ α (‖v_c‖² − 2 v_cᵀ x), that is Σ α ‖x − v_c‖² without what all clusters share, and H.
template <class Backend>
SweepMaps sweep_maps(Backend& context, const StackedEntries& entries, const StateMaps& state,
                     const std::vector<LinearMap>& specific, const LinearMap& common);

// A map over all entries of z cut into its three parts.
template <class Backend>
SweepMaps cut_for_sweep(Backend& context, const StackedEntries& entries,
                        BatchView<const double> map);

}  // namespace m2st::cluster
