// The updates, written once for every backend.
#include "cluster/reduced_iteration.h"

#include <utility>

#include "cluster/blocks.h"
#include "cluster/reference_algebra.h"
#include "engine/context.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cluster_steps.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Accumulate;
using kernels::Layout;

// rows × sets numbers of the host.
template <class Backend, class Value>
Matrix<double> placed(Backend& backend, std::int64_t rows, std::int64_t sets, const Value& value) {
  std::vector<double> host;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t s = 0; s < sets; ++s) host.push_back(value(row, s));
  }
  Matrix<double> result(backend.pool(), rows, sets);
  copy_in<double>(backend, host, result.span());
  return result;
}

template <class Backend, class T>
Matrix<T> placed_rows(Backend& backend, const std::vector<T>& row, std::int64_t sets) {
  Matrix<T> result(backend.pool(), sets, std::ssize(row));
  for (std::int64_t s = 0; s < sets; ++s) copy_in<T>(backend, row, result.view().row(s));
  return result;
}

template <class Backend>
SolverState placed_state(Backend& backend, const ReferenceState& start, std::int64_t sets) {
  const auto place = [&](const Matrix<double>& x) {
    return replicated<double>(backend, x.view(), sets);
  };
  SolverState state;
  for (const ReferenceView& view : start.views) {
    state.views.push_back({place(view.specific_map), place(view.common_map), place(view.centres)});
  }
  state.common_centres = place(start.common_centres);
  state.labels = placed_rows(backend, start.labels, sets);
  state.weights = Matrix<double>(backend.pool(), std::ssize(start.views) + 1, sets);
  return state;
}

}  // namespace

ReducedStart::ReducedStart(CpuContext& context, const std::vector<Matrix<double>>& data,
                           MatrixView<const double> data_products, const ReferenceOptions& options,
                           const ReferenceState& start)
    : state(start),
      entries(data, start.common_centres.rows(), options.clusters),
      data_squares(cluster::data_squares(data, data_products)),
      common(transposed(context, start.common.view())),
      gram(stacked_gram(context, data, data_products, common, start.labels, options.clusters)) {
  const std::vector<std::int64_t> counts = cluster_sizes(start.labels, options.clusters);
  const auto add_norm = [&](const Matrix<double>& x, const Matrix<double>& centres) {
    const Matrix<double> cells = transposed(context, x.view());
    const Matrix<double> sums = label_sums(context, cells, start.labels, options.clusters);
    norms.push_back(distance_norm(context, ridged_gram(context, x.view(), 0).view(),
                                  transposed(context, sums.view()).view(), centres.view(), counts,
                                  options.weight_norm));
  };
  for (const ReferenceView& view : start.views) add_norm(view.specific, view.centres);
  add_norm(start.common, start.common_centres);
}

template <class Backend, class T>
ReducedIteration<Backend, T>::ReducedIteration(Backend& backend,
                                               const std::vector<ReferenceOptions>& sets,
                                               const ReducedStart& start)
    : backend_(backend),
      sets_(sets),
      start_(start),
      entries_(start.entries),
      state_(placed_state(backend, start.state, std::ssize(sets))),
      gram_(replicated<double>(backend, start.gram.view(), std::ssize(sets))),
      sums_(backend.pool(), std::ssize(sets), entries_.clusters(),
            entries_.count() + entries_.common_dim()) {
  const std::int64_t count = std::ssize(sets), rows = std::ssize(start.norms);
  const std::vector<T> common(start.common.span().begin(), start.common.span().end());
  common_ = replicated<T>(
      backend, MatrixView<const T>{common.data(), start.common.rows(), start.common.cols()}, count);
  counts_ = placed_rows(backend, cluster_sizes(start.state.labels, sets.front().clusters), count);
  const auto set = [&](std::int64_t s) -> const ReferenceOptions& {
    return sets_[static_cast<std::size_t>(s)];
  };
  norms_ = placed(backend, rows, count, [&](std::int64_t row, std::int64_t) {
    return start.norms[static_cast<std::size_t>(row)];
  });
  lambda1_ =
      placed(backend, rows, count, [&](std::int64_t, std::int64_t s) { return set(s).lambda1; });
  lambda2_ =
      placed(backend, 1, count, [&](std::int64_t, std::int64_t s) { return set(s).lambda2; });
  lambda3_ =
      placed(backend, 1, count, [&](std::int64_t, std::int64_t s) { return set(s).lambda3; });
  ridges_ = Matrix<double>(backend.pool(), rows, count);
}

template <class Backend, class T>
kernels::SweptCells<T> ReducedIteration<Backend, T>::before_sweep() {
  // First of all what the iteration before has left: every iteration then takes the same memory.
  specific_.clear();
  common_map_ = {};
  maps_ = {};
  kernels::view_weights(backend_, std::as_const(lambda2_).span(), std::as_const(norms_).view(),
                        state_.weights.view());
  const auto put = [&](const Matrix<double>& x, Accumulate accumulate) {
    kernels::copy_block<double>(backend_, Layout::kPlain, 1.0, {}, batch_of(x.view()),
                                batch_of(ridges_.view()), accumulate);
  };
  put(lambda1_, Accumulate::kOverwrite);
  put(state_.weights, Accumulate::kAdd);
  for (std::size_t m = 0; m < entries_.views(); ++m) update_view(m);
  update_common();
  maps_ = sweep_maps(backend_, entries_, maps_of(state_), specific_, common_map_);
  return {maps_.data.view(), maps_.common.view(), maps_.labels.view(), state_.labels.view(),
          common_.view(),    sums_.view(),        counts_.view()};
}

template <class Backend, class T>
void ReducedIteration<Backend, T>::next_map(BatchView<const double> gram,
                                            BatchView<const double> with_data, Layout layout,
                                            BatchView<const double> overlap,
                                            BatchView<const double> other_map, Batch<double>& out) {
  Batch<double> right(backend_.pool(), out.count(), out.rows(), out.cols());
  kernels::copy_block<double>(backend_, Layout::kPlain, 1.0, {}, with_data, right.view(),
                              Accumulate::kOverwrite);
  kernels::multiply<double>(backend_, layout, Layout::kPlain, -1.0, overlap, other_map, 1.0,
                            right.view());
  kernels::solve_symmetric<double>(backend_, gram, std::as_const(right).view(), out.view());
  clean(backend_, out.span());
  if (sets_.front().normalise_rows) kernels::normalise_rows<double>(backend_, out.stacked());
}

// S, P, W, V of view m; S as a map of z.
template <class Backend, class T>
void ReducedIteration<Backend, T>::update_view(std::size_t m) {
  SolverView& view = state_.views[m];
  const auto row = static_cast<std::int64_t>(m);
  const Span<const double> alphas = state_.weights.view().row(row);
  const std::int64_t own = entries_.width(m), dim = entries_.common_dim();
  const BatchView<const double> gram = gram_.view();
  specific_.push_back(linear_map(
      backend_,
      specific_map(backend_,
                   {view.specific_map.view(), view.common_map.view(), view.centres.view()},
                   ridges_.view().row(row), alphas),
      gram_of(backend_, entries_, m, gram).view(), sets_.front().normalise_rows));
  const LinearMap& specific = specific_.back();
  const BatchView<const double> seen = specific.seen.view();
  const BatchView<const double> overlap = seen.columns(own, dim);  // S Hᵀ

  // P = (S Sᵀ)⁻¹ (S D − S Hᵀ W).
  next_map(specific.gram.view(), seen.columns(0, own), Layout::kPlain, overlap,
           view.common_map.view(), view.specific_map);
  // W = (H Hᵀ)⁻¹ (H D − H Sᵀ P).
  const BatchView<const double> common = gram.slice(entries_.common_first(), dim);
  next_map(common.columns(entries_.common_first(), dim), common.columns(entries_.first(m), own),
           Layout::kTransposed, overlap, view.specific_map.view(), view.common_map);
  next_centres(backend_, alphas, std::as_const(lambda3_).span(),
               seen.columns(own + dim, entries_.clusters()), std::as_const(counts_).view(),
               view.centres.view());
}

// H and its centres, H as a map of z.
template <class Backend, class T>
void ReducedIteration<Backend, T>::update_common() {
  const auto row = static_cast<std::int64_t>(entries_.views());
  const Span<const double> alphas = state_.weights.view().row(row);
  common_map_ = linear_map(
      backend_,
      common_map(backend_, entries_, maps_of(state_), specific_, ridges_.view().row(row), alphas),
      std::as_const(gram_).view(), sets_.front().normalise_rows);
  next_centres(
      backend_, alphas, std::as_const(lambda3_).span(),
      std::as_const(common_map_.seen).view().columns(entries_.label_first(), entries_.clusters()),
      std::as_const(counts_).view(), state_.common_centres.view());
}

// The norms of the next weights, with the new U; H D and H Hᵀ follow from the map of H, products
// with U were summed over the cells.
template <class Backend, class T>
void ReducedIteration<Backend, T>::after_sweep() {
  const BatchView<const double> sums = sums_.view();
  const MatrixView<const std::int64_t> counts = counts_.view();
  const std::vector<Batch<double>> crosses = label_crosses(backend_, entries_, specific_, sums);
  const auto find_norm = [&](std::size_t m, const LinearMap& x, const Batch<double>& centres) {
    distance_norms(backend_, std::as_const(x.gram).view(), crosses[m].view(), centres.view(),
                   counts, sets_.front().weight_norm,
                   norms_.view().row(static_cast<std::int64_t>(m)));
  };
  for (std::size_t m = 0; m < specific_.size(); ++m) {
    find_norm(m, specific_[m], state_.views[m].centres);
  }
  find_norm(specific_.size(), common_map_, state_.common_centres);
  update_gram(backend_, entries_,
              {std::as_const(common_map_.seen).view().columns(0, entries_.width()),
               std::as_const(common_map_.gram).view(), sums.columns(0, entries_.width()),
               sums.columns(entries_.count(), entries_.common_dim()), counts},
              gram_.view());
}

template <class Backend, class T>
ReferenceState ReducedIteration<Backend, T>::state_of(CpuContext& host, std::int64_t s) const {
  const auto bring = [&](const Batch<double>& x) { return member_on_host(host, backend_, x, s); };
  ReferenceState state;
  for (const SolverView& view : state_.views) {
    state.views.push_back(
        {{}, bring(view.specific_map), bring(view.common_map), bring(view.centres)});
  }
  state.common_centres = bring(state_.common_centres);
  state.labels.resize(static_cast<std::size_t>(state_.labels.cols()));
  copy_out<std::int32_t>(backend_, state_.labels.view().row(s), state.labels);
  std::vector<double> weights(static_cast<std::size_t>(state_.weights.size()));
  copy_out<double>(backend_, state_.weights.span(), weights);
  for (std::int64_t m = 0; m < state_.weights.rows(); ++m) {
    state.weights.push_back(weights[static_cast<std::size_t>(m * state_.weights.cols() + s)]);
  }
  return state;
}

template <class Backend, class T>
Matrix<T> ReducedIteration<Backend, T>::common_of(CpuContext& host, std::int64_t s) const {
  return member_on_host(host, backend_, common_, s);
}

template <class Backend, class T>
LinearMap ReducedIteration<Backend, T>::on_host(CpuContext& host, const LinearMap& map,
                                                std::int64_t s) const {
  const auto bring = [&](const Batch<double>& x) {
    return Batch<double>(member_on_host(host, backend_, x, s));
  };
  return {bring(map.map), bring(map.seen), bring(map.gram)};
}

template <class Backend, class T>
ObjectiveTerms ReducedIteration<Backend, T>::objective_of(CpuContext& host, std::int64_t s,
                                                          const ReferenceState& state) const {
  const ReferenceOptions& options = sets_[static_cast<std::size_t>(s)];
  std::vector<LinearMap> specific;
  for (const LinearMap& map : specific_) specific.push_back(on_host(host, map, s));
  const LinearMap common = on_host(host, common_map_, s);
  const Batch<double> sums(member_on_host(host, backend_, sums_, s));
  const std::vector<std::int64_t> counts = cluster_sizes(state.labels, options.clusters);
  ObjectiveFactors factors;
  factors.beta = options.lambda1;
  factors.map_penalties.assign(specific.size(), 0.0);
  factors.data_squares = start_.data_squares;
  factors.lambda = 0.5 * options.lambda3;
  factors.delta = options.lambda2 > 0 ? 1 / options.lambda2 : 0;
  const std::vector<double> distances = squared_distances_to_centres(
      host, state, specific, common, label_crosses(host, entries_, specific, sums.view()), counts);
  return objective_terms(host, entries_, state, specific, common, distances, factors);
}

template class ReducedIteration<CpuContext, float>;
template class ReducedIteration<CpuContext, double>;
#if defined(M2ST_WITH_CUDA)
template class ReducedIteration<CudaContext, float>;
template class ReducedIteration<CudaContext, double>;
#endif

}  // namespace m2st::cluster
