// Norms of differences are expanded into traces of products; what rounding makes negative is zero.
#include "cluster/objective.h"

#include <algorithm>
#include <cmath>

#include "cluster/blocks.h"
#include "cluster/centre_descent.h"
#include "cluster/reference_algebra.h"
#include "engine/context.h"
#include "kernels/batch_blocks.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

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

double negative_entropy(const std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight > 0 ? weight * std::log(weight) : 0;
  return sum;
}

// ‖D − HᵀW − SᵀP‖² = ‖D‖² − 2⟨W, HD⟩ − 2⟨P, SD⟩ + ⟨W, HHᵀW⟩ + ⟨P, SSᵀP⟩ + 2⟨W, HSᵀP⟩.
double reconstruction(CpuContext& context, const StackedEntries& entries, std::size_t m,
                      double data_square, const ReferenceView& view, const LinearMap& of_view,
                      const LinearMap& common) {
  const std::int64_t own = entries.width(m);
  const MatrixView<const double> specific = view.specific_map.view();
  const MatrixView<const double> shared = view.common_map.view();
  const Matrix<double> overlap =
      product(context, Layout::kPlain, seen_by(context, entries, m, common.seen.view()).stacked(),
              Layout::kTransposed, of_view.map.stacked());  // H Sᵀ
  Matrix<double> with_common =
      product(context, Layout::kPlain, common.gram.stacked(), Layout::kPlain, shared);
  add_product(context, 2.0, Layout::kPlain, overlap.view(), Layout::kPlain, specific,
              with_common.view());
  const Matrix<double> with_specific =
      product(context, Layout::kPlain, of_view.gram.stacked(), Layout::kPlain, specific);
  const double with_data =
      inner(shared, columns(context, common.seen.stacked(), entries.first(m), own).view()) +
      inner(specific, columns(context, of_view.seen.stacked(), 0, own).view());
  const double fit = inner(shared, with_common.view()) + inner(specific, with_specific.view());
  return std::max(data_square - 2 * with_data + fit, 0.0);
}

double distance(CpuContext& context, const LinearMap& x, const Batch<double>& cross,
                Span<const std::int64_t> counts, const Matrix<double>& centres) {
  const CentreProblem problem{cross.stacked(), counts, 1.0, 0.0};
  return std::max(trace(x.gram.stacked()) + centre_objective(context, problem, centres.view()),
                  0.0);
}

}  // namespace

template <class Backend>
std::vector<Batch<double>> label_crosses(Backend& context, const StackedEntries& entries,
                                         const std::vector<LinearMap>& specific,
                                         BatchView<const double> sums) {
  std::vector<Batch<double>> crosses;
  for (std::size_t m = 0; m < specific.size(); ++m) {
    crosses.push_back(product<Backend>(context, Layout::kPlain, specific[m].map.view(),
                                       Layout::kTransposed,
                                       seen_by(context, entries, m, sums).view()));
  }
  crosses.emplace_back(context.pool(), sums.count, entries.common_dim(), entries.clusters());
  kernels::copy_block<double>(context, Layout::kTransposed, 1.0, {},
                              sums.columns(entries.count(), entries.common_dim()),
                              crosses.back().view(), kernels::Accumulate::kOverwrite);
  return crosses;
}

std::vector<double> squared_distances_to_centres(CpuContext& context, const ReferenceState& state,
                                                 const std::vector<LinearMap>& specific,
                                                 const LinearMap& common,
                                                 const std::vector<Batch<double>>& crosses,
                                                 Span<const std::int64_t> counts) {
  std::vector<double> distances;
  for (std::size_t m = 0; m < specific.size(); ++m) {
    distances.push_back(distance(context, specific[m], crosses[m], counts, state.views[m].centres));
  }
  distances.push_back(distance(context, common, crosses.back(), counts, state.common_centres));
  return distances;
}

ObjectiveTerms objective_terms(CpuContext& context, const StackedEntries& entries,
                               const ReferenceState& state, const std::vector<LinearMap>& specific,
                               const LinearMap& common, const std::vector<double>& distances,
                               const ObjectiveFactors& factors) {
  ObjectiveTerms terms;
  terms.size = factors.beta * trace(common.gram.stacked());
  terms.orthogonality = factors.lambda * orthogonality(context, state.common_centres.view());
  for (std::size_t m = 0; m < specific.size(); ++m) {
    const ReferenceView& view = state.views[m];
    terms.reconstruction +=
        reconstruction(context, entries, m, factors.data_squares[m], view, specific[m], common);
    terms.size += factors.beta * trace(specific[m].gram.stacked());
    terms.maps +=
        factors.map_penalties[m] * (inner(view.specific_map.view(), view.specific_map.view()) +
                                    inner(view.common_map.view(), view.common_map.view()));
    terms.orthogonality += factors.lambda * orthogonality(context, view.centres.view());
  }
  for (std::size_t i = 0; i < distances.size(); ++i) {
    terms.scatter += state.weights[i] * distances[i];
  }
  terms.entropy = factors.delta * negative_entropy(state.weights);
  return terms;
}

#define INSTANTIATE(Backend)                                  \
  template std::vector<Batch<double>> label_crosses<Backend>( \
      Backend&, const StackedEntries&, const std::vector<LinearMap>&, BatchView<const double>);
INSTANTIATE(CpuContext)
#if defined(M2ST_WITH_CUDA)
INSTANTIATE(CudaContext)
#endif
#undef INSTANTIATE

}  // namespace m2st::cluster
