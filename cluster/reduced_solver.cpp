// The order of the reference code's updates over the maps of stacked_maps.h.
#include "cluster/reduced_solver.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/cell_sweep.h"
#include "cluster/objective.h"
#include "cluster/reference_algebra.h"
#include "cluster/stacked_gram.h"
#include "cluster/stacked_maps.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

// What runs that begin alike share: Z Zᵀ, H and the norms that the first weights are made of.
struct ReducedStart {
  ReducedStart(CpuContext& context, const std::vector<Matrix<double>>& data,
               MatrixView<const double> data_products, const ReferenceOptions& options,
               const ReferenceState& state)
      : common(transposed(context, state.common.view())),
        gram(context, data, data_products, common, state.labels, options.clusters) {
    const std::vector<std::int64_t> counts = cluster_sizes(state.labels, options.clusters);
    const auto add_norm = [&](const Matrix<double>& x, const Matrix<double>& centres) {
      const Matrix<double> cells = transposed(context, x.view());
      const Matrix<double> sums = label_sums(context, cells, state.labels, options.clusters);
      norms.push_back(distance_norm(context, ridged_gram(context, x.view(), 0).view(),
                                    transposed(context, sums.view()).view(), centres.view(), counts,
                                    options.weight_norm));
    };
    for (const ReferenceView& view : state.views) add_norm(view.specific, view.centres);
    add_norm(state.common, state.common_centres);
  }

  Matrix<double> common;  // Hᵀ (N, d_c)
  StackedGram gram;
  std::vector<double> norms;  // ‖X − VU‖² of each view and of H
};

// T: of H and of the pass over the cells.
template <class T>
class ReducedSolver {
 public:
  ReducedSolver(CpuContext& context, const ReferenceOptions& options, const ReducedStart& start,
                ReferenceState& state)
      : context_(context),
        options_(options),
        state_(state),
        clusters_(options.clusters),
        common_dim_(state.common_centres.rows()),
        common_(context.pool(), start.common.rows(), start.common.cols()),
        gram_(start.gram.copy()),
        counts_(cluster_sizes(state.labels, options.clusters)),
        norms_(start.norms) {
    std::transform(start.common.span().begin(), start.common.span().end(), common_.span().begin(),
                   [](double value) { return static_cast<T>(value); });
    sums_ = Matrix<double>(context.pool(), clusters_, gram_.entries() + common_dim_);
  }

  // An iteration up to its pass over the cells, which is asked for.
  SweptCells<T> before_sweep() {
    state_.weights = view_weights(options_.lambda2, norms_);
    specific_.clear();
    for (std::size_t m = 0; m < state_.views.size(); ++m) update_view(m);
    common_map_ = update_common();
    maps_ = sweep_maps(context_, gram_, state_, specific_, common_map_);
    return {maps_, state_.labels, common_.view(), sums_.view()};
  }

  // What follows the pass. The objective's value, when asked for.
  ObjectiveTerms after_sweep(bool measured) {
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    const std::vector<Matrix<double>> crosses =
        label_crosses(context_, gram_, specific_, sums_.view());
    update_norms(crosses);
    const ObjectiveTerms terms = measured ? terms_of(crosses) : ObjectiveTerms{};
    update_gram();
    return terms;
  }

  const Matrix<T>& common() const { return common_; }

 private:
  double norm_of(const Matrix<double>& gram, const Matrix<double>& cross,
                 const Matrix<double>& centres) {
    return distance_norm(context_, gram.view(), cross.view(), centres.view(), counts_,
                         options_.weight_norm);
  }

  // S, P, W, V of view m; S as a map of z.
  void update_view(std::size_t m) {
    ReferenceView& view = state_.views[m];
    const double alpha = state_.weights[m];
    const std::int64_t own = gram_.width(m);
    specific_.push_back(linear_map(context_,
                                   specific_map(context_, view, options_.lambda1 + alpha, alpha),
                                   gram_.gram_of(m).view(), options_.normalise_rows));
    const LinearMap& specific = specific_.back();
    const MatrixView<const double> seen = specific.seen.view();
    const Matrix<double> overlap = columns(context_, seen, own, common_dim_);  // S Hᵀ

    // P = (S Sᵀ)⁻¹ (S D − S Hᵀ W).
    view.specific_map = next_map(specific.gram.view(), columns(context_, seen, 0, own),
                                 Layout::kPlain, overlap.view(), view.common_map.view());
    // W = (H Hᵀ)⁻¹ (H D − H Sᵀ P).
    const MatrixView<const double> common = gram_.common_rows();
    view.common_map = next_map(columns(context_, common, gram_.common_first(), common_dim_).view(),
                               columns(context_, common, gram_.first(m), own), Layout::kTransposed,
                               overlap.view(), view.specific_map.view());
    view.centres = next_centres(context_, alpha, options_.lambda3,
                                columns(context_, seen, own + common_dim_, clusters_).view(),
                                counts_, view.centres.view());
  }

  // gram⁻¹ (with_data − op(overlap) other_map).
  Matrix<double> next_map(MatrixView<const double> gram, Matrix<double> with_data, Layout layout,
                          MatrixView<const double> overlap, MatrixView<const double> other_map) {
    add_product(context_, -1.0, layout, overlap, Layout::kPlain, other_map, with_data.view());
    Matrix<double> result = solved(context_, gram, with_data.view());
    clean(result.span());
    if (options_.normalise_rows) kernels::normalise_rows<double>(context_, result.view());
    return result;
  }

  // H and its centres, H as a map of z.
  LinearMap update_common() {
    const double alpha = state_.weights.back();
    LinearMap common = linear_map(
        context_, common_map(context_, gram_, state_, specific_, options_.lambda1 + alpha, alpha),
        gram_.all(), options_.normalise_rows);
    const Matrix<double> cross =
        columns(context_, common.seen.view(), gram_.label_first(), clusters_);
    state_.common_centres = next_centres(context_, alpha, options_.lambda3, cross.view(), counts_,
                                         state_.common_centres.view());
    return common;
  }

  // For the next weights, with the new U.
  void update_norms(const std::vector<Matrix<double>>& crosses) {
    norms_.clear();
    for (std::size_t m = 0; m < specific_.size(); ++m) {
      norms_.push_back(norm_of(specific_[m].gram, crosses[m], state_.views[m].centres));
    }
    norms_.push_back(norm_of(common_map_.gram, crosses.back(), state_.common_centres));
  }

  ObjectiveTerms terms_of(const std::vector<Matrix<double>>& crosses) {
    ObjectiveFactors factors;
    factors.beta = options_.lambda1;
    factors.map_penalties.assign(specific_.size(), 0.0);
    factors.lambda = 0.5 * options_.lambda3;
    factors.delta = options_.lambda2 > 0 ? 1 / options_.lambda2 : 0;
    return objective_terms(
        context_, gram_, state_, specific_, common_map_,
        squared_distances_to_centres(context_, state_, specific_, common_map_, crosses, counts_),
        factors);
  }

  // H D and H Hᵀ follow from the map of H; products with U were summed over the cells.
  void update_gram() {
    gram_.update(columns(context_, common_map_.seen.view(), 0, gram_.width()).view(),
                 common_map_.gram.view(), columns(context_, sums_.view(), 0, gram_.width()).view(),
                 columns(context_, sums_.view(), gram_.entries(), common_dim_).view(), counts_);
  }

  CpuContext& context_;
  const ReferenceOptions& options_;
  ReferenceState& state_;
  std::int64_t clusters_, common_dim_;
  Matrix<T> common_;  // Hᵀ (N, d_c)
  StackedGram gram_;
  std::vector<std::int64_t> counts_;  // cells by label
  std::vector<double> norms_;         // ‖X − VU‖² that the next weights are made of
  std::vector<LinearMap> specific_;   // S of each view in this iteration
  LinearMap common_map_;              // H in this iteration
  SweepMaps maps_;
  Matrix<double> sums_;  // of the last pass, by new label
};

// What a run changes; S is left out, H too.
ReferenceState without_cells(CpuContext& context, const ReferenceState& state) {
  ReferenceState copy;
  for (const ReferenceView& view : state.views) {
    copy.views.push_back({{},
                          copy_of(context, view.specific_map.view()),
                          copy_of(context, view.common_map.view()),
                          copy_of(context, view.centres.view())});
  }
  copy.common_centres = copy_of(context, state.common_centres.view());
  copy.labels = state.labels;
  return copy;
}

}  // namespace

ObjectiveTerms solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer) {
  check_state(data, options, state);
  const ReducedStart start(context, data, gram, options, state);
  ReducedSolver<double> solver(context, options, start, state);
  ObjectiveTerms terms;
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    sweep_cells<double>(context, data, {solver.before_sweep()});
    terms = solver.after_sweep(iteration == options.iterations);
    if (observer) observer({iteration, state});
  }
  state.common = transposed(context, solver.common().view());
  for (ReferenceView& view : state.views) view.specific.reset();
  return terms;
}

template <class T>
std::vector<ReducedResult> solve_together(CpuContext& context,
                                          const std::vector<Matrix<double>>& data,
                                          const std::vector<Matrix<T>>& swept,
                                          MatrixView<const double> gram,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReferenceState& start) {
  if (sets.empty()) return {};
  for (const ReferenceOptions& options : sets) check_state(data, options, start);
  const ReducedStart shared(context, data, gram, sets.front(), start);
  std::deque<ReferenceState> states;  // a solver refers to its own
  std::deque<ReducedSolver<T>> solvers;
  for (const ReferenceOptions& options : sets) {
    states.push_back(without_cells(context, start));
    solvers.emplace_back(context, options, shared, states.back());
  }
  std::vector<ReducedResult> results(sets.size());
  const int iterations = sets.front().iterations;
  for (int iteration = 1; iteration <= iterations; ++iteration) {
    std::vector<SweptCells<T>> cells;
    for (ReducedSolver<T>& solver : solvers) cells.push_back(solver.before_sweep());
    sweep_cells<T>(context, swept, cells);
    for (std::size_t s = 0; s < solvers.size(); ++s) {
      results[s].objective = solvers[s].after_sweep(iteration == iterations);
    }
  }
  for (std::size_t s = 0; s < solvers.size(); ++s) {
    results[s].labels = std::move(states[s].labels);
    results[s].weights = std::move(states[s].weights);
  }
  return results;
}

void solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                   const ReferenceOptions& options, ReferenceState& state,
                   const IterationObserver& observer) {
  solve_reduced(context, data, data_gram(context, data).view(), options, state, observer);
}

ReferenceState reference_clustering(CpuContext& context,
                                    const std::vector<MatrixView<const float>>& embeddings,
                                    const ReferenceOptions& options) {
  const std::vector<Matrix<double>> data =
      reference_data<float>(context, embeddings, options.scale_input);
  ReferenceState state = initial_state(context, data, options);
  solve_reduced(context, data, options, state, {});
  return state;
}

#define INSTANTIATE(T)                                                                \
  template std::vector<ReducedResult> solve_together<T>(                              \
      CpuContext&, const std::vector<Matrix<double>>&, const std::vector<Matrix<T>>&, \
      MatrixView<const double>, const std::vector<ReferenceOptions>&, const ReferenceState&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::cluster
