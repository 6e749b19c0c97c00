// One iteration of the reduced reference clustering for several option sets of one shape, in the
// memory of the backend that it runs on: the order of the reference code's updates over the maps of
// stacked_maps.h. Nothing is asked back, and what an iteration leaves to the next stays where it
// is, so that a device can be given one after the other, or one captured for all.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/objective.h"
#include "cluster/solver_state.h"
#include "cluster/stacked_maps.h"
#include "engine/array.h"
#include "engine/batch.h"
#include "kernels/cell_sweep.h"
#include "kernels/gemm.h"

namespace m2st::cluster {

// What runs that begin alike share, made on the host: Z Zᵀ, H and the norms that the first weights
// are made of.
struct ReducedStart {
  ReducedStart(CpuContext& context, const std::vector<Matrix<double>>& data,
               MatrixView<const double> data_products, const ReferenceOptions& options,
               const ReferenceState& state);

  const ReferenceState& state;
  StackedEntries entries;
  std::vector<double> data_squares;  // ‖D‖² of each view
  Matrix<double> common;             // Hᵀ (N, d_c)
  Matrix<double> gram;
  std::vector<double> norms;  // ‖X − VU‖² of each view and of H
};

// T: of H and of the pass over the cells.
template <class Backend, class T>
class ReducedIteration {
 public:
  ReducedIteration(Backend& backend, const std::vector<ReferenceOptions>& sets,
                   const ReducedStart& start);

  // Up to the pass over the cells, which is asked for.
  kernels::SweptCells<T> before_sweep();
  // What follows the pass.
  void after_sweep();

  // Set s in host memory; S is left out, H too.
  ReferenceState state_of(CpuContext& host, std::int64_t s) const;
  Matrix<T> common_of(CpuContext& host, std::int64_t s) const;
  // After a step, from that state.
  ObjectiveTerms objective_of(CpuContext& host, std::int64_t s, const ReferenceState& state) const;

 private:
  void update_view(std::size_t m);
  void update_common();
  // out = gram⁻¹ (with_data − op(overlap) other_map).
  void next_map(BatchView<const double> gram, BatchView<const double> with_data,
                kernels::Layout layout, BatchView<const double> overlap,
                BatchView<const double> other_map, Batch<double>& out);
  LinearMap on_host(CpuContext& host, const LinearMap& map, std::int64_t s) const;

  Backend& backend_;
  std::vector<ReferenceOptions> sets_;
  const ReducedStart& start_;
  StackedEntries entries_;
  SolverState state_;
  Batch<T> common_;              // Hᵀ (N, d_c)
  Batch<double> gram_;           // Z Zᵀ
  Matrix<std::int64_t> counts_;  // cells by label (sets, K)
  Matrix<double> norms_;  // ‖X − VU‖² that the next weights are made of (views and H, sets)
  Matrix<double> lambda1_, ridges_;   // λ₁ and λ₁ + α, of the same shape
  Matrix<double> lambda2_, lambda3_;  // (1, sets)
  Batch<double> sums_;                // of the last pass, by new label
  std::vector<LinearMap> specific_;   // S of each view in this iteration
  LinearMap common_map_;              // H in this iteration
  SweepMaps maps_;
};

}  // namespace m2st::cluster
