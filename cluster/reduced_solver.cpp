// The algebra of the reduced form. A map is a matrix over the entries of z, or of those that a view
// sees: its own columns of D, then H, then U. `seen` below is X Zᵀ for X = map · Z, that is
// [X Dᵀ.. | X Hᵀ | X Uᵀ] side by side: all the products of X that an update can ask for.
#include "cluster/reduced_solver.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/cell_sweep.h"
#include "cluster/reference_algebra.h"
#include "cluster/stacked_gram.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

// X = map · Z with the rows of X normalised, and what it makes.
struct LinearMap {
  Matrix<double> map;   // (rows, entries of z)
  Matrix<double> seen;  // X Zᵀ, of the same shape
  Matrix<double> gram;  // X Xᵀ
};

class ReducedSolver {
 public:
  ReducedSolver(CpuContext& context, const std::vector<Matrix<double>>& data,
                const ReferenceOptions& options, ReferenceState& state)
      : context_(context),
        data_(data),
        options_(options),
        state_(state),
        clusters_(options.clusters),
        common_dim_(state.common.rows()),
        common_(transposed(context, state.common.view())),
        gram_(context, data, common_, state.labels, options.clusters),
        counts_(cluster_sizes(state.labels, options.clusters)) {
    for (const ReferenceView& view : state_.views) {
      norms_.push_back(norm_of_cells(view.specific, view.centres));
    }
    norms_.push_back(norm_of_cells(state_.common, state_.common_centres));
  }

  void step() {
    state_.weights = view_weights(options_.lambda2, norms_);
    specific_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) update_view(m);
    const LinearMap common = update_common();
    const Matrix<double> sums = update_labels(common);
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    update_norms(common, sums);
    update_gram(common, sums);
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

  // Norms of the rows of map · Z follow from the Gram matrix. A row whose square is all rounding is
  // a zero row, and stays one.
  LinearMap linear_map(Matrix<double> map, MatrixView<const double> gram) {
    clean(map.span());
    LinearMap result;
    result.seen = product(context_, Layout::kPlain, map.view(), Layout::kPlain, gram);
    result.map = std::move(map);
    if (options_.normalise_rows) {
      for (std::int64_t i = 0; i < result.map.rows(); ++i) {
        scale_to_unit(result.map.view().row(i), result.seen.view().row(i));
      }
    }
    result.gram = product(context_, Layout::kPlain, result.seen.view(), Layout::kTransposed,
                          result.map.view());
    return result;
  }

  static void scale_to_unit(Span<double> map, Span<double> seen) {
    double square = 0, size = 0;
    for (std::size_t j = 0; j < map.size(); ++j) {
      square += map[j] * seen[j];
      size += std::abs(map[j] * seen[j]);
    }
    const double rounding =
        static_cast<double>(map.size()) * std::numeric_limits<double>::epsilon() * size;
    const double factor = square > rounding ? 1 / std::sqrt(square) : 0;
    for (double& value : map) value *= factor;
    for (double& value : seen) value *= factor;
  }

  // S, P, W, V of view m; S as a map of z.
  void update_view(std::size_t m) {
    ReferenceView& view = state_.views[m];
    const double alpha = state_.weights[m];
    const std::int64_t own = gram_.width(m);
    specific_.push_back(linear_map(next_specific(view, alpha), gram_.gram_of(m).view()));
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

  // S = ((β + α) I + P Pᵀ)⁻¹ [P | −P Wᵀ | α V] [Dᵀ; H; U].
  Matrix<double> next_specific(const ReferenceView& view, double alpha) {
    const MatrixView<const double> map = view.specific_map.view();
    Matrix<double> right = zeros(context_, map.rows, map.cols + common_dim_ + clusters_);
    add_to_columns(1.0, map, 0, right.view());
    add_to_columns(
        -1.0,
        product(context_, Layout::kPlain, map, Layout::kTransposed, view.common_map.view()).view(),
        map.cols, right.view());
    add_to_columns(alpha, view.centres.view(), map.cols + common_dim_, right.view());
    return solved(context_, ridged_gram(context_, map, options_.lambda1 + alpha).view(),
                  right.view());
  }

  // H and its centres, H as a map of z.
  LinearMap update_common() {
    const double alpha = state_.weights.back();
    LinearMap common = linear_map(next_common(alpha), gram_.all());
    const Matrix<double> cross =
        columns(context_, common.seen.view(), gram_.label_first(), clusters_);
    state_.common_centres = next_centres(context_, alpha, options_.lambda3, cross.view(), counts_,
                                         state_.common_centres.view());
    return common;
  }

  // ((β + α) I + Σ W Wᵀ)⁻¹ (Σ W (Dᵀ − Pᵀ S) + α V U), S being a map of z itself.
  Matrix<double> next_common(double alpha) {
    Matrix<double> left = zeros(context_, common_dim_, common_dim_);
    Matrix<double> right = zeros(context_, common_dim_, gram_.entries());
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const ReferenceView& view = state_.views[m];
      const MatrixView<const double> map = view.common_map.view();
      add_product(context_, 1.0, Layout::kPlain, map, Layout::kTransposed, map, left.view());
      add_to_columns(1.0, map, gram_.first(m), right.view());
      const Matrix<double> maps =
          product(context_, Layout::kPlain, map, Layout::kTransposed, view.specific_map.view());
      const Matrix<double> explained =
          product(context_, Layout::kPlain, maps.view(), Layout::kPlain, specific_[m].map.view());
      gram_.scatter(m, -1.0, explained.view(), right.view());
    }
    for (std::int64_t i = 0; i < common_dim_; ++i) left(i, i) += options_.lambda1 + alpha;
    add_to_columns(alpha, state_.common_centres.view(), gram_.label_first(), right.view());
    return solved(context_, left.view(), right.view());
  }

  // The pass over the cells; its sums by new label.
  Matrix<double> update_labels(const LinearMap& common) {
    const std::int64_t outputs = clusters_ + common_dim_;
    Matrix<double> maps = zeros(context_, outputs, gram_.entries());
    std::vector<double> constants(static_cast<std::size_t>(clusters_), 0.0);
    const MatrixView<double> scores = maps.view().slice(0, clusters_);
    // Σ α ‖x − v_c‖² without Σ α ‖x‖²: α ‖v_c‖² − 2 α v_cᵀ x.
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const Matrix<double>& centres = state_.views[m].centres;
      add_squares(state_.weights[m], centres, constants);
      const Matrix<double> along = product(context_, Layout::kTransposed, centres.view(),
                                           Layout::kPlain, specific_[m].map.view());
      gram_.scatter(m, -2.0 * state_.weights[m], along.view(), scores);
    }
    add_squares(state_.weights.back(), state_.common_centres, constants);
    add_product(context_, -2.0 * state_.weights.back(), Layout::kTransposed,
                state_.common_centres.view(), Layout::kPlain, common.map.view(), scores);
    add_to_columns(1.0, common.map.view(), 0, maps.view().slice(clusters_, common_dim_));

    SweepMaps sweep;
    sweep.data = columns(context_, maps.view(), 0, gram_.width());
    sweep.common = columns(context_, maps.view(), gram_.common_first(), common_dim_);
    sweep.labels =
        transposed(context_, columns(context_, maps.view(), gram_.label_first(), clusters_).view());
    for (std::int64_t old = 0; old < clusters_; ++old) {
      for (std::int64_t c = 0; c < clusters_; ++c) {
        sweep.labels(old, c) += constants[static_cast<std::size_t>(c)];
      }
    }
    Matrix<double> sums(context_.pool(), clusters_, gram_.entries() + common_dim_);
    sweep_cells(context_, data_, sweep, state_.labels, common_.view(), sums.view());
    return sums;
  }

  static void add_squares(double alpha, const Matrix<double>& centres,
                          std::vector<double>& constants) {
    for (std::int64_t i = 0; i < centres.rows(); ++i) {
      for (std::int64_t c = 0; c < centres.cols(); ++c) {
        constants[static_cast<std::size_t>(c)] += alpha * centres(i, c) * centres(i, c);
      }
    }
  }

  // For the next weights: S Uᵀ with the new U is the map of S over the sums of z by new label.
  void update_norms(const LinearMap& common, const Matrix<double>& sums) {
    norms_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const Matrix<double> cross =
          product(context_, Layout::kPlain, specific_[m].map.view(), Layout::kTransposed,
                  gram_.seen_by(m, sums.view()).view());
      norms_.push_back(norm_of(specific_[m].gram, cross, state_.views[m].centres));
    }
    const Matrix<double> cross =
        transposed(context_, columns(context_, sums.view(), gram_.entries(), common_dim_).view());
    norms_.push_back(norm_of(common.gram, cross, state_.common_centres));
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

void solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                   const ReferenceOptions& options, ReferenceState& state,
                   const IterationObserver& observer) {
  check_state(data, options, state);
  ReducedSolver solver(context, data, options, state);
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    solver.step();
    if (observer) observer({iteration, state});
  }
  solver.finish();
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
