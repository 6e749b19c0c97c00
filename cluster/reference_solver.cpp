// One function per block update of eq. 12, in the order of the reference code: the weights' norms
// all come first, from the variables of the iteration before.
#include "cluster/reference_solver.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cluster/reference_algebra.h"
#include "engine/parallel.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr std::int64_t kCellsPerChunk = 512;
constexpr std::int64_t kRowsPerChunk = 1;

class DirectSolver {
 public:
  DirectSolver(CpuContext& context, const std::vector<Matrix<double>>& data,
               const ReferenceOptions& options, ReferenceState& state)
      : context_(context), data_(data), options_(options), state_(state) {}

  void step() {
    counts_ = cluster_sizes(state_.labels, options_.clusters);
    state_.weights = view_weights(context_, options_.lambda2, squared_norms());
    for (std::size_t m = 0; m < data_.size(); ++m) update_view(m);
    update_common();
    update_labels();
  }

 private:
  std::vector<double> squared_norms() {
    std::vector<double> norms;
    for (const ReferenceView& view : state_.views) {
      norms.push_back(distance_norm(view.specific, view.centres));
    }
    norms.push_back(distance_norm(state_.common, state_.common_centres));
    return norms;
  }

  // ‖X − VU‖².
  double distance_norm(const Matrix<double>& x, const Matrix<double>& centres) {
    Matrix<double> difference(context_.pool(), x.rows(), x.cols());
    std::copy(x.span().begin(), x.span().end(), difference.span().begin());
    add_centres(-1.0, centres, difference);
    const Matrix<double> gram = ridged_gram(context_, difference.view(), 0.0);
    return squared_norm(context_, gram.view(), options_.weight_norm);
  }

  // out += factor · V U.
  void add_centres(double factor, const Matrix<double>& centres, Matrix<double>& out) {
    parallel_for(context_, out.rows(), kRowsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t i = 0; i < out.cols(); ++i) {
          out(row, i) += factor * centres(row, state_.labels[static_cast<std::size_t>(i)]);
        }
      }
    });
  }

  // X Uᵀ (rows, K).
  Matrix<double> cross(const Matrix<double>& x) {
    Matrix<double> result(context_.pool(), x.rows(), options_.clusters);
    std::fill(result.span().begin(), result.span().end(), 0.0);
    parallel_for(context_, x.rows(), kRowsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::int64_t i = 0; i < x.cols(); ++i) {
          result(row, state_.labels[static_cast<std::size_t>(i)]) += x(row, i);
        }
      }
    });
    return result;
  }

  Matrix<double> centre_step(double alpha, const Matrix<double>& x, const Matrix<double>& centres) {
    const Matrix<double> sums = cross(x);
    return next_centres(context_, alpha, options_.lambda3, sums.view(), counts_, centres.view());
  }

  void normalise(Matrix<double>& x) {
    clean(context_, x.span());
    if (options_.normalise_rows) kernels::normalise_rows<double>(context_, x.view());
  }

  void update_view(std::size_t m) {
    ReferenceView& view = state_.views[m];
    const double alpha = state_.weights[m];
    view.specific = next_specific(data_[m], view, alpha);
    view.specific_map = next_specific_map(data_[m], view);
    view.common_map = next_common_map(data_[m], view);
    view.centres = centre_step(alpha, view.specific, view.centres);
  }

  // S = ((β + α) I + P Pᵀ)⁻¹ (P Dᵀ − P Wᵀ H + α V U).
  Matrix<double> next_specific(const Matrix<double>& data, const ReferenceView& view,
                               double alpha) {
    const auto map = view.specific_map.view();
    Matrix<double> right = product(context_, Layout::kPlain, map, Layout::kTransposed, data.view());
    const Matrix<double> maps =
        product(context_, Layout::kPlain, map, Layout::kTransposed, view.common_map.view());
    add_product(context_, -1.0, Layout::kPlain, maps.view(), Layout::kPlain, state_.common.view(),
                right.view());
    add_centres(alpha, view.centres, right);
    const Matrix<double> left = ridged_gram(context_, map, options_.lambda1 + alpha);
    Matrix<double> result = solved(context_, left.view(), right.view());
    normalise(result);
    return result;
  }

  // P = (S Sᵀ)⁻¹ (S D − S Hᵀ W).
  Matrix<double> next_specific_map(const Matrix<double>& data, const ReferenceView& view) {
    return next_map(data, view.specific, state_.common, view.common_map);
  }

  // W = (H Hᵀ)⁻¹ (H D − H Sᵀ P).
  Matrix<double> next_common_map(const Matrix<double>& data, const ReferenceView& view) {
    return next_map(data, state_.common, view.specific, view.specific_map);
  }

  // (X Xᵀ)⁻¹ (X D − X Yᵀ map of Y): the least-squares map of X to what Y leaves of the data.
  Matrix<double> next_map(const Matrix<double>& data, const Matrix<double>& x,
                          const Matrix<double>& other, const Matrix<double>& other_map) {
    Matrix<double> right = product(context_, Layout::kPlain, x.view(), Layout::kPlain, data.view());
    const Matrix<double> overlap =
        product(context_, Layout::kPlain, x.view(), Layout::kTransposed, other.view());
    add_product(context_, -1.0, Layout::kPlain, overlap.view(), Layout::kPlain, other_map.view(),
                right.view());
    const Matrix<double> left = ridged_gram(context_, x.view(), 0.0);
    Matrix<double> result = solved(context_, left.view(), right.view());
    normalise(result);
    return result;
  }

  // H = ((β + α) I + Σ W Wᵀ)⁻¹ (Σ (W Dᵀ − W Pᵀ S) + α V U), then its centres.
  void update_common() {
    const double alpha = state_.weights.back();
    Matrix<double> left(context_.pool(), state_.common.rows(), state_.common.rows());
    Matrix<double> right(context_.pool(), state_.common.rows(), state_.common.cols());
    std::fill(left.span().begin(), left.span().end(), 0.0);
    std::fill(right.span().begin(), right.span().end(), 0.0);
    for (std::size_t m = 0; m < data_.size(); ++m) {
      const ReferenceView& view = state_.views[m];
      const auto map = view.common_map.view();
      add_product(context_, 1.0, Layout::kPlain, map, Layout::kTransposed, map, left.view());
      add_product(context_, 1.0, Layout::kPlain, map, Layout::kTransposed, data_[m].view(),
                  right.view());
      const Matrix<double> maps =
          product(context_, Layout::kPlain, map, Layout::kTransposed, view.specific_map.view());
      add_product(context_, -1.0, Layout::kPlain, maps.view(), Layout::kPlain, view.specific.view(),
                  right.view());
    }
    for (std::int64_t i = 0; i < left.rows(); ++i) left(i, i) += options_.lambda1 + alpha;
    add_centres(alpha, state_.common_centres, right);
    state_.common = solved(context_, left.view(), right.view());
    normalise(state_.common);
    state_.common_centres = centre_step(alpha, state_.common, state_.common_centres);
  }

  // u_i = argmin_c Σ α ‖x_i − v_c‖², the lowest c on ties.
  void update_labels() {
    const std::int64_t cells = state_.common.cols();
    parallel_for(context_, cells, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      Matrix<double> distances(context_.pool(), options_.clusters, end - begin);
      std::fill(distances.span().begin(), distances.span().end(), 0.0);
      for (std::size_t m = 0; m < data_.size(); ++m) {
        add_distances(state_.weights[m], state_.views[m].specific, state_.views[m].centres, begin,
                      distances);
      }
      add_distances(state_.weights.back(), state_.common, state_.common_centres, begin, distances);
      for (std::int64_t i = begin; i < end; ++i) {
        std::int32_t best = 0;
        for (std::int32_t c = 1; c < options_.clusters; ++c) {
          if (distances(c, i - begin) < distances(best, i - begin)) best = c;
        }
        state_.labels[static_cast<std::size_t>(i)] = best;
      }
    });
  }

  // distances (K, some cells from `first` on) += α ‖x_i − v_c‖².
  static void add_distances(double alpha, const Matrix<double>& x, const Matrix<double>& centres,
                            std::int64_t first, Matrix<double>& distances) {
    for (std::int64_t row = 0; row < x.rows(); ++row) {
      const double* values = x.view().row(row).data() + first;
      for (std::int64_t c = 0; c < centres.cols(); ++c) {
        const double centre = centres(row, c);
        double* out = distances.view().row(c).data();
        for (std::int64_t i = 0; i < distances.cols(); ++i) {
          const double difference = values[i] - centre;
          out[i] += alpha * (difference * difference);
        }
      }
    }
  }

  CpuContext& context_;
  const std::vector<Matrix<double>>& data_;
  const ReferenceOptions& options_;
  ReferenceState& state_;
  std::vector<std::int64_t> counts_;
};

}  // namespace

void solve_reference(CpuContext& context, const std::vector<Matrix<double>>& data,
                     const ReferenceOptions& options, ReferenceState& state,
                     const IterationObserver& observer) {
  check_state(data, options, state);
  DirectSolver solver(context, data, options, state);
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    solver.step();
    if (observer) observer({iteration, state});
  }
}

}  // namespace m2st::cluster
