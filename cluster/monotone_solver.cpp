// The order inside an iteration is that of the reference: α, then S, P, W, V of each view, H and
// its V, last U. Each block sees the others as they are, so each exact step can only descend.
#include "cluster/monotone_solver.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/centre_descent.h"
#include "cluster/reference_algebra.h"
#include "cluster/reseeding.h"
#include "cluster/stacked_gram.h"
#include "cluster/stacked_maps.h"
#include "engine/check.h"
#include "kernels/cell_sweep.h"

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

class MonotoneSolver {
 public:
  // delta 0: from the residuals.
  MonotoneSolver(CpuContext& context, const std::vector<Matrix<double>>& data,
                 MatrixView<const double> gram, const MonotoneOptions& options, double delta,
                 ReferenceState& state)
      : context_(context),
        data_(data),
        options_(options),
        state_(state),
        clusters_(options.clusters),
        common_dim_(state.common.rows()),
        common_(transposed(context, state.common.view())),
        entries_(data, common_dim_, clusters_),
        gram_(stacked_gram(context, data, gram, common_, state.labels, options.clusters)),
        counts_(cluster_sizes(state.labels, options.clusters)) {
    const auto cells = static_cast<double>(data.front().rows());
    factors_.beta = options.lambda1;
    factors_.lambda = options.lambda3 * cells / static_cast<double>(clusters_);
    factors_.delta = delta;
    factors_.data_squares = data_squares(data, gram);
    for (const double square : factors_.data_squares) {
      const double balanced = square > 0 ? factors_.beta * cells * (cells / square) : factors_.beta;
      factors_.map_penalties.push_back(options.map_penalty < 0 ? balanced : options.map_penalty);
    }
  }

  void step() {
    state_.weights =
        norms_.empty()
            ? std::vector<double>(data_.size() + 1, 1.0 / (1.0 + static_cast<double>(data_.size())))
            : entropy_weights(factors_.delta, norms_);
    specific_.clear();
    for (std::size_t m = 0; m < data_.size(); ++m) update_view(m);
    const LinearMap common = update_common();
    reseed(common);
    const Matrix<double> sums = update_labels(common);
    const BatchView<const double> by_label = batch_of(sums.view());
    norms_ = squared_distances_to_centres(context_, state_, specific_, common,
                                          label_crosses(context_, entries_, specific_, by_label),
                                          counts_);
    if (factors_.delta == 0) factors_.delta = delta_of_residuals();
    terms_ = objective_terms(context_, entries_, state_, specific_, common, norms_, factors_);
    update_gram(context_, entries_,
                {common.seen.view().columns(0, entries_.width()),
                 common.gram.view(),
                 by_label.columns(0, entries_.width()),
                 by_label.columns(entries_.count(), common_dim_),
                 {counts_.data(), 1, clusters_}},
                batch_of(gram_.view()));
  }

  const ObjectiveTerms& terms() const { return terms_; }
  double delta() const { return factors_.delta; }
  int reseeded() const { return reseeded_; }
  double data_square() const {
    double sum = 0;
    for (const double square : factors_.data_squares) sum += square;
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
    const double ridge = factors_.beta + alpha;
    const std::int64_t own = entries_.width(m);
    specific_.push_back(linear_map(
        context_, specific_map(context_, maps_of(view), {&ridge, 1}, {&alpha, 1}),
        gram_of(context_, entries_, m, batch_of(std::as_const(gram_).view())).view(), false));
    const LinearMap& specific = specific_.back();
    const MatrixView<const double> seen = specific.seen.stacked();
    const Matrix<double> overlap = columns(context_, seen, own, common_dim_);  // S Hᵀ

    // P = (S Sᵀ + μ I)⁻¹ (S D − S Hᵀ W), W = (H Hᵀ + μ I)⁻¹ (H D − H Sᵀ P).
    Matrix<double> rest = columns(context_, seen, 0, own);
    add_product(context_, -1.0, Layout::kPlain, overlap.view(), Layout::kPlain,
                view.common_map.view(), rest.view());
    fit_map(specific.gram.stacked(), rest, factors_.map_penalties[m], view.specific_map);
    const MatrixView<const double> common =
        gram_.view().slice(entries_.common_first(), common_dim_);
    rest = columns(context_, common, entries_.first(m), own);
    add_product(context_, -1.0, Layout::kTransposed, overlap.view(), Layout::kPlain,
                view.specific_map.view(), rest.view());
    fit_map(columns(context_, common, entries_.common_first(), common_dim_).view(), rest,
            factors_.map_penalties[m], view.common_map);
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
    centres = descended_centres(context_, {cross.view(), counts_, alpha, factors_.lambda},
                                centres.view(), kCentreSteps);
  }

  LinearMap update_common() {
    const double alpha = state_.weights.back();
    const double ridge = factors_.beta + alpha;
    LinearMap common = linear_map(
        context_,
        common_map(context_, entries_, maps_of(state_), specific_, {&ridge, 1}, {&alpha, 1}),
        batch_of(std::as_const(gram_).view()), false);
    descend(columns(context_, common.seen.stacked(), entries_.label_first(), clusters_), alpha,
            state_.common_centres);
    return common;
  }

  void reseed(const LinearMap& common) {
    for (std::int64_t c = 0; c < clusters_; ++c) {
      if (counts_[static_cast<std::size_t>(c)] > 0 || failures_ >= kReseedingAttempts) continue;
      const bool moved = reseed_cluster(context_, data_, entries_, specific_, common,
                                        common_.view(), factors_.lambda, c, state_);
      failures_ = moved ? 0 : failures_ + 1;
      if (moved) ++reseeded_;
    }
  }

  Matrix<double> update_labels(const LinearMap& common) {
    const SweepMaps sweep = sweep_maps(context_, entries_, maps_of(state_), specific_, common);
    Matrix<double> sums(context_.pool(), clusters_, entries_.count() + common_dim_);
    std::vector<MatrixView<const double>> cells;
    for (const Matrix<double>& view : data_) cells.push_back(view.view());
    kernels::sweep_cells<double>(context_, cells,
                                 {{sweep.data.view(),
                                   sweep.common.view(),
                                   sweep.labels.view(),
                                   {state_.labels.data(), 1, std::ssize(state_.labels)},
                                   batch_of(common_.view()),
                                   batch_of(sums.view()),
                                   {counts_.data(), 1, clusters_}}});
    return sums;
  }

  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const MonotoneOptions& options_;
  ReferenceState& state_;
  std::int64_t clusters_, common_dim_;
  Matrix<double> common_;  // Hᵀ (N, d_c)
  StackedEntries entries_;
  Matrix<double> gram_;  // Z Zᵀ
  std::vector<std::int64_t> counts_;
  ObjectiveFactors factors_;
  std::vector<LinearMap> specific_;  // S of each view in this iteration
  std::vector<double> norms_;        // ‖X − VU‖²
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
  start.start = options.start;
  start.seed = options.seed;
  start.restart = static_cast<std::uint32_t>(restart);
  return start;
}

MonotoneResult run(CpuContext& context, const std::vector<Matrix<double>>& data,
                   MatrixView<const double> gram, const MonotoneOptions& options, int restart,
                   double delta) {
  ReferenceState state = initial_state(context, data, start_options(options, restart));
  MonotoneSolver solver(context, data, gram, options, delta, state);
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
                              MatrixView<const double> gram, const MonotoneOptions& options) {
  if (options.restarts < 1 || !(options.tolerance >= 0) || std::isnan(options.map_penalty)) {
    fail(ExitCode::kParameterImpossible, "monotone clustering: restarts ", options.restarts,
         ", tolerance ", options.tolerance, ", map penalty ", options.map_penalty,
         "; need at least 1, at least 0 and a number");
  }
  double delta = options.lambda2 > 0 ? 1 / options.lambda2 : 0;
  MonotoneResult best;
  for (int restart = 0; restart < options.restarts; ++restart) {
    MonotoneResult result = run(context, data, gram, options, restart, delta);
    delta = result.delta;  // one objective for all restarts
    if (restart == 0 || result.objective.total() < best.objective.total()) best = std::move(result);
  }
  return best;
}

MonotoneResult monotone_clustering(CpuContext& context,
                                   const std::vector<MatrixView<const float>>& embeddings,
                                   const MonotoneOptions& options) {
  const std::vector<Matrix<double>> data =
      reference_data<float>(context, embeddings, options.scale_input);
  return solve_monotone(context, data, data_gram(context, data).view(), options);
}

}  // namespace m2st::cluster
