// The order inside an iteration is that of the reference: α, then S, P, W, V of each view, H and
// its V, last U. Each block sees the others as they are, so each exact step can only descend.
#include "cluster/monotone_solver.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/cell_sweep.h"
#include "cluster/centre_descent.h"
#include "cluster/reference_algebra.h"
#include "cluster/reseeding.h"
#include "cluster/stacked_gram.h"
#include "cluster/stacked_maps.h"
#include "engine/check.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr int kCentreSteps = 10;
constexpr int kReseedingAttempts = 3;  // in a row without success, then never again

double inner(MatrixView<const double> a, MatrixView<const double> b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += a.data[i] * b.data[i];
  return sum;
}

double trace(MatrixView<const double> a) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) sum += a(i, i);
  return sum;
}

// α = exp(−d/δ) / Σ exp(−d/δ): the minimiser of Σ α d + δ Σ α ln α with Σ α = 1. Shifted by the
// least d, so that one weight at least never underflows.
std::vector<double> entropy_weights(double delta, const std::vector<double>& distances) {
  const double least = *std::min_element(distances.begin(), distances.end());
  std::vector<double> weights;
  double sum = 0;
  for (const double distance : distances) {
    weights.push_back(std::exp(-(distance - least) / delta));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

double negative_entropy(const std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight > 0 ? weight * std::log(weight) : 0;
  return sum;
}

class MonotoneSolver {
 public:
  // delta 0: from the residuals.
  MonotoneSolver(CpuContext& context, const std::vector<Matrix<double>>& data,
                 const MonotoneOptions& options, double delta, ReferenceState& state)
      : context_(context),
        data_(data),
        options_(options),
        state_(state),
        clusters_(options.clusters),
        common_dim_(state.common.rows()),
        delta_(delta),
        common_(transposed(context, state.common.view())),
        gram_(context, data, common_, state.labels, options.clusters),
        counts_(cluster_sizes(state.labels, options.clusters)) {
    const auto cells = static_cast<double>(data.front().rows());
    lambda_ = options.lambda3 * cells / static_cast<double>(clusters_);
    for (std::size_t m = 0; m < data.size(); ++m) {
      data_squares_.push_back(inner(data[m].view(), data[m].view()));
      const double balanced = data_squares_[m] > 0
                                  ? options.lambda1 * cells * (cells / data_squares_[m])
                                  : options.lambda1;
      map_penalties_.push_back(options.map_penalty < 0 ? balanced : options.map_penalty);
    }
  }

  void step() {
    state_.weights =
        norms_.empty()
            ? std::vector<double>(data_.size() + 1, 1.0 / (1.0 + static_cast<double>(data_.size())))
            : entropy_weights(delta_, norms_);
    specific_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) update_view(m);
    const LinearMap common = update_common();
    reseed(common);
    const Matrix<double> sums = update_labels(common);
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    update_norms(common, sums);
    if (delta_ == 0) delta_ = delta_of_residuals();
    terms_ = measured(common);
    gram_.update(columns(context_, common.seen.view(), 0, gram_.width()).view(), common.gram.view(),
                 columns(context_, sums.view(), 0, gram_.width()).view(),
                 columns(context_, sums.view(), gram_.entries(), common_dim_).view(), counts_);
  }

  const ObjectiveTerms& terms() const { return terms_; }
  double delta() const { return delta_; }
  int reseeded() const { return reseeded_; }
  double data_square() const {
    double sum = 0;
    for (const double square : data_squares_) sum += square;
    return sum;
  }

 private:
  // So that weights move by factors of about e where residuals differ by their mean.
  double delta_of_residuals() const {
    double sum = 0;
    for (const double norm : norms_) sum += norm;
    return sum > 0 ? sum / static_cast<double>(norms_.size()) : 1.0;
  }

  void update_view(std::size_t m) {
    ReferenceView& view = state_.views[m];
    const double alpha = state_.weights[m];
    const std::int64_t own = gram_.width(m);
    specific_.push_back(linear_map(context_,
                                   specific_map(context_, view, options_.lambda1 + alpha, alpha),
                                   gram_.gram_of(m).view(), false));
    const LinearMap& specific = specific_.back();
    const MatrixView<const double> seen = specific.seen.view();
    const Matrix<double> overlap = columns(context_, seen, own, common_dim_);  // S Hᵀ

    // P = (S Sᵀ + μ I)⁻¹ (S D − S Hᵀ W), W = (H Hᵀ + μ I)⁻¹ (H D − H Sᵀ P).
    Matrix<double> rest = columns(context_, seen, 0, own);
    add_product(context_, -1.0, Layout::kPlain, overlap.view(), Layout::kPlain,
                view.common_map.view(), rest.view());
    fit_map(specific.gram.view(), rest, map_penalties_[m], view.specific_map);
    const MatrixView<const double> common = gram_.common_rows();
    rest = columns(context_, common, gram_.first(m), own);
    add_product(context_, -1.0, Layout::kTransposed, overlap.view(), Layout::kPlain,
                view.specific_map.view(), rest.view());
    fit_map(columns(context_, common, gram_.common_first(), common_dim_).view(), rest,
            map_penalties_[m], view.common_map);
    descend(columns(context_, seen, own + common_dim_, clusters_), alpha, view.centres);
  }

  // The least squares map, unless what is left of a singular system fits worse than the old one.
  void fit_map(MatrixView<const double> gram, const Matrix<double>& rest, double penalty,
               Matrix<double>& map) {
    Matrix<double> left(context_.pool(), gram.rows, gram.cols);
    std::copy(gram.span().begin(), gram.span().end(), left.span().begin());
    for (std::int64_t i = 0; i < left.rows(); ++i) left(i, i) += penalty;
    const auto misfit = [&](const Matrix<double>& candidate) {
      const Matrix<double> mapped =
          product(context_, Layout::kPlain, left.view(), Layout::kPlain, candidate.view());
      return inner(candidate.view(), mapped.view()) - 2 * inner(candidate.view(), rest.view());
    };
    Matrix<double> next = solved(context_, left.view(), rest.view());
    if (misfit(next) <= misfit(map)) map = std::move(next);
  }

  void descend(const Matrix<double>& cross, double alpha, Matrix<double>& centres) {
    centres = descended_centres(context_, {cross.view(), counts_, alpha, lambda_}, centres.view(),
                                kCentreSteps);
  }

  LinearMap update_common() {
    const double alpha = state_.weights.back();
    LinearMap common = linear_map(
        context_, common_map(context_, gram_, state_, specific_, options_.lambda1 + alpha, alpha),
        gram_.all(), false);
    descend(columns(context_, common.seen.view(), gram_.label_first(), clusters_), alpha,
            state_.common_centres);
    return common;
  }

  void reseed(const LinearMap& common) {
    for (std::int64_t c = 0; c < clusters_; ++c) {
      if (counts_[static_cast<std::size_t>(c)] > 0 || failures_ >= kReseedingAttempts) continue;
      const bool moved = reseed_cluster(context_, data_, gram_, specific_, common, common_.view(),
                                        lambda_, c, state_);
      failures_ = moved ? 0 : failures_ + 1;
      if (moved) ++reseeded_;
    }
  }

  Matrix<double> update_labels(const LinearMap& common) {
    const SweepMaps sweep = sweep_maps(context_, gram_, state_, specific_, common);
    Matrix<double> sums(context_.pool(), clusters_, gram_.entries() + common_dim_);
    sweep_cells(context_, data_, sweep, state_.labels, common_.view(), sums.view());
    return sums;
  }

  // ‖X − VU‖² with the new U.
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

  double norm_of(const Matrix<double>& gram, const Matrix<double>& cross,
                 const Matrix<double>& centres) {
    const double with_centres =
        centre_objective(context_, {cross.view(), counts_, 1.0, 0.0}, centres.view());
    return std::max(trace(gram.view()) + with_centres, 0.0);
  }

  ObjectiveTerms measured(const LinearMap& common) {
    ObjectiveTerms terms;
    terms.size = options_.lambda1 * trace(common.gram.view());
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const ReferenceView& view = state_.views[m];
      terms.reconstruction += reconstruction(m, common);
      terms.size += options_.lambda1 * trace(specific_[m].gram.view());
      terms.maps += map_penalties_[m] * (inner(view.specific_map.view(), view.specific_map.view()) +
                                         inner(view.common_map.view(), view.common_map.view()));
    }
    for (std::size_t i = 0; i < norms_.size(); ++i) terms.scatter += state_.weights[i] * norms_[i];
    terms.orthogonality = lambda_ * total_orthogonality(context_, state_);
    terms.entropy = delta_ * negative_entropy(state_.weights);
    return terms;
  }

  // ‖D − HᵀW − SᵀP‖² = ‖D‖² − 2⟨W, HD⟩ − 2⟨P, SD⟩ + ⟨W, HHᵀW⟩ + ⟨P, SSᵀP⟩ + 2⟨W, HSᵀP⟩.
  double reconstruction(std::size_t m, const LinearMap& common) {
    const ReferenceView& view = state_.views[m];
    const std::int64_t own = gram_.width(m);
    const MatrixView<const double> specific = view.specific_map.view();
    const MatrixView<const double> shared = view.common_map.view();
    const Matrix<double> overlap =
        product(context_, Layout::kPlain, gram_.seen_by(m, common.seen.view()).view(),
                Layout::kTransposed, specific_[m].map.view());  // H Sᵀ
    Matrix<double> of_common =
        product(context_, Layout::kPlain, common.gram.view(), Layout::kPlain, shared);
    add_product(context_, 2.0, Layout::kPlain, overlap.view(), Layout::kPlain, specific,
                of_common.view());
    const Matrix<double> of_specific =
        product(context_, Layout::kPlain, specific_[m].gram.view(), Layout::kPlain, specific);
    const double with_data =
        inner(shared, columns(context_, common.seen.view(), gram_.first(m), own).view()) +
        inner(specific, columns(context_, specific_[m].seen.view(), 0, own).view());
    const double fit = inner(shared, of_common.view()) + inner(specific, of_specific.view());
    return std::max(data_squares_[m] - 2 * with_data + fit, 0.0);
  }

  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const MonotoneOptions& options_;
  ReferenceState& state_;
  std::int64_t clusters_, common_dim_;
  double delta_, lambda_ = 0;
  Matrix<double> common_;  // Hᵀ (N, d_c)
  StackedGram gram_;
  std::vector<std::int64_t> counts_;
  std::vector<double> data_squares_, map_penalties_;  // ‖D‖² and μ of each view
  std::vector<LinearMap> specific_;                   // S of each view in this iteration
  std::vector<double> norms_;                         // ‖X − VU‖²
  ObjectiveTerms terms_;
  int failures_ = 0, reseeded_ = 0;
};

ReferenceOptions start_options(const MonotoneOptions& options, int restart) {
  ReferenceOptions start;
  start.clusters = options.clusters;
  start.iterations = options.iterations;
  start.lambda1 = options.lambda1;
  start.lambda2 = options.lambda2;
  start.lambda3 = options.lambda3;
  start.specific_dim = options.specific_dim;
  start.common_dim = options.common_dim;
  start.seed = options.seed;
  start.restart = static_cast<std::uint32_t>(restart);
  return start;
}

MonotoneResult run(CpuContext& context, const std::vector<Matrix<double>>& data,
                   const MonotoneOptions& options, int restart, double delta) {
  ReferenceState state = initial_state(context, data, start_options(options, restart));
  MonotoneSolver solver(context, data, options, delta, state);
  MonotoneResult result;
  while (result.iterations < options.iterations && !result.converged) {
    solver.step();
    ++result.iterations;
    const double now = solver.terms().total();
    if (!result.history.empty()) {
      const double before = result.history.back();
      const double least = -solver.delta() * std::log(static_cast<double>(data.size() + 1));
      result.converged = before - now <= options.tolerance * (before - least);
    }
    result.history.push_back(now);
  }
  result.labels = std::move(state.labels);
  result.weights = std::move(state.weights);
  result.objective = solver.terms();
  result.delta = solver.delta();
  result.data_square = solver.data_square();
  result.reseeded = solver.reseeded();
  result.restart = restart;
  return result;
}

}  // namespace

MonotoneResult solve_monotone(CpuContext& context, const std::vector<Matrix<double>>& data,
                              const MonotoneOptions& options) {
  if (options.restarts < 1 || !(options.tolerance >= 0) || std::isnan(options.map_penalty)) {
    fail(ExitCode::kParameterImpossible, "monotone clustering: restarts ", options.restarts,
         ", tolerance ", options.tolerance, ", map penalty ", options.map_penalty,
         "; need at least 1, at least 0 and a number");
  }
  double delta = options.lambda2 > 0 ? 1 / options.lambda2 : 0;
  MonotoneResult best;
  for (int restart = 0; restart < options.restarts; ++restart) {
    MonotoneResult result = run(context, data, options, restart, delta);
    delta = result.delta;  // one objective for all restarts
    if (restart == 0 || result.objective.total() < best.objective.total()) best = std::move(result);
  }
  return best;
}

MonotoneResult monotone_clustering(CpuContext& context,
                                   const std::vector<MatrixView<const float>>& embeddings,
                                   const MonotoneOptions& options) {
  return solve_monotone(context, reference_data<float>(context, embeddings, options.scale_input),
                        options);
}

}  // namespace m2st::cluster
