// S of every view and H of eq. 12 as linear maps of z (stacked_gram.h): the block updates written
// as maps, all products of X = map · Z, and the maps for the pass over the cells. No normalisation
// here beyond what linear_map is told.
#pragma once

#include <vector>

#include "cluster/cell_sweep.h"
#include "cluster/reference_state.h"
#include "cluster/stacked_gram.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// X = map · Z and what it makes. `seen` is X Zᵀ = [X D.. | X Hᵀ | X Uᵀ] side by side: all the
// products of X that an update can ask for.
struct LinearMap {
  Matrix<double> map;   // (rows, entries of z, or those that a view sees)
  Matrix<double> seen;  // X Zᵀ, of the same shape
  Matrix<double> gram;  // X Xᵀ
};

// gram: Z Zᵀ over the map's entries. With normalise_rows the rows of X become unit vectors; a row
// whose square is all rounding is a zero row, and stays one.
LinearMap linear_map(CpuContext& context, Matrix<double> map, MatrixView<const double> gram,
                     bool normalise_rows);

// S = (ridge I + P Pᵀ)⁻¹ [P | −P Wᵀ | α V] [Dᵀ; H; U] over the entries that the view sees.
Matrix<double> specific_map(CpuContext& context, const ReferenceView& view, double ridge,
                            double alpha);

// H = (ridge I + Σ W Wᵀ)⁻¹ (Σ W (Dᵀ − Pᵀ S) + α V U) over all entries, each S being a map itself.
Matrix<double> common_map(CpuContext& context, const StackedGram& gram, const ReferenceState& state,
                          const std::vector<LinearMap>& specific, double ridge, double alpha);

// Scores Σ α (‖v_c‖² − 2 v_cᵀ x), that is Σ α ‖x − v_c‖² without what all clusters share, and H.
SweepMaps sweep_maps(CpuContext& context, const StackedGram& gram, const ReferenceState& state,
                     const std::vector<LinearMap>& specific, const LinearMap& common);

// A map over all entries of z cut into its three parts; `constants` is added for every old label.
SweepMaps cut_for_sweep(CpuContext& context, const StackedGram& gram, MatrixView<const double> map,
                        Span<const double> constants);

}  // namespace m2st::cluster
