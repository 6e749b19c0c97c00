// The order of the reference code's updates over the maps of stacked_maps.h.
#include "cluster/reduced_solver.h"

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

class ReducedSolver {
 public:
  ReducedSolver(CpuContext& context, const std::vector<Matrix<double>>& data,
                MatrixView<const double> gram, const ReferenceOptions& options,
                ReferenceState& state)
      : context_(context),
        data_(data),
        options_(options),
        state_(state),
        clusters_(options.clusters),
        common_dim_(state.common.rows()),
        common_(transposed(context, state.common.view())),
        gram_(context, data, gram, common_, state.labels, options.clusters),
        counts_(cluster_sizes(state.labels, options.clusters)) {
    for (const ReferenceView& view : state_.views) {
      norms_.push_back(norm_of_cells(view.specific, view.centres));
    }
    norms_.push_back(norm_of_cells(state_.common, state_.common_centres));
  }

  // The objective's value afterwards, when asked for.
  ObjectiveTerms step(bool measured) {
    state_.weights = view_weights(options_.lambda2, norms_);
    specific_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) update_view(m);
    const LinearMap common = update_common();
    const Matrix<double> sums = update_labels(common);
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    const std::vector<Matrix<double>> crosses =
        label_crosses(context_, gram_, specific_, sums.view());
    update_norms(common, crosses);
    const ObjectiveTerms terms = measured ? terms_of(common, crosses) : ObjectiveTerms{};
    update_gram(common, sums);
    return terms;
  }

  void finish() {
    state_.common = transposed(context_, common_.view());
    for (ReferenceView& view : state_.views) view.specific.reset();
  }

 private:
  // ‖X − VU‖² from X itself.
  double norm_of_cells(const Matrix<double>& x, const Matrix<double>& centres) {
    const Matrix<double> cells = transposed(context_, x.view());
    const Matrix<double> sums = label_sums(context_, cells, state_.labels, options_.clusters);
    return norm_of(ridged_gram(context_, x.view(), 0), transposed(context_, sums.view()), centres);
  }

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

  // The pass over the cells; its sums by new label.
  Matrix<double> update_labels(const LinearMap& common) {
    const SweepMaps sweep = sweep_maps(context_, gram_, state_, specific_, common);
    Matrix<double> sums(context_.pool(), clusters_, gram_.entries() + common_dim_);
    sweep_cells(context_, data_, sweep, state_.labels, common_.view(), sums.view());
    return sums;
  }

  // For the next weights, with the new U.
  void update_norms(const LinearMap& common, const std::vector<Matrix<double>>& crosses) {
    norms_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) {
      norms_.push_back(norm_of(specific_[m].gram, crosses[m], state_.views[m].centres));
    }
    norms_.push_back(norm_of(common.gram, crosses.back(), state_.common_centres));
  }

  ObjectiveTerms terms_of(const LinearMap& common, const std::vector<Matrix<double>>& crosses) {
    ObjectiveFactors factors;
    factors.beta = options_.lambda1;
    factors.map_penalties.assign(data_.size(), 0.0);
    factors.lambda = 0.5 * options_.lambda3;
    factors.delta = options_.lambda2 > 0 ? 1 / options_.lambda2 : 0;
    return objective_terms(
        context_, gram_, state_, specific_, common,
        squared_distances_to_centres(context_, state_, specific_, common, crosses, counts_),
        factors);
  }

  // H D and H Hᵀ follow from the map of H; products with U were summed over the cells.
  void update_gram(const LinearMap& common, const Matrix<double>& sums) {
    gram_.update(columns(context_, common.seen.view(), 0, gram_.width()).view(), common.gram.view(),
                 columns(context_, sums.view(), 0, gram_.width()).view(),
                 columns(context_, sums.view(), gram_.entries(), common_dim_).view(), counts_);
  }

  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const ReferenceOptions& options_;
  ReferenceState& state_;
  std::int64_t clusters_, common_dim_;
  Matrix<double> common_;  // Hᵀ (N, d_c)
  StackedGram gram_;
  std::vector<std::int64_t> counts_;  // cells by label
  std::vector<LinearMap> specific_;   // S of each view in this iteration
  std::vector<double> norms_;         // ‖X − VU‖² that the next weights are made of
};

}  // namespace

ObjectiveTerms solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer) {
  check_state(data, options, state);
  ReducedSolver solver(context, data, gram, options, state);
  ObjectiveTerms terms;
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    terms = solver.step(iteration == options.iterations);
    if (observer) observer({iteration, state});
  }
  solver.finish();
  return terms;
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

}  // namespace m2st::cluster
