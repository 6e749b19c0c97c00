// Right sides are put together block by block over the entries of z.
#include "cluster/stacked_maps.h"

#include <utility>

#include "cluster/reference_algebra.h"
#include "engine/context.h"
#include "kernels/batch_algebra.h"
#include "kernels/batch_blocks.h"
#include "kernels/cluster_steps.h"
#include "kernels/fill.h"

namespace m2st::cluster {
namespace {

using kernels::Accumulate;
using kernels::Layout;

template <class Backend>
Batch<double> zeros(Backend& context, std::int64_t count, std::int64_t rows, std::int64_t cols) {
  Batch<double> result(context.pool(), count, rows, cols);
  kernels::fill<double>(context, 0.0, result.span());
  return result;
}

// out = factors[set] · x, or += it.
template <class Backend>
void put(Backend& context, Span<const double> factors, BatchView<const double> x,
         Accumulate accumulate, BatchView<double> out) {
  kernels::copy_block<double>(context, Layout::kPlain, 1.0, factors, x, out, accumulate);
}

}  // namespace

template <class Backend>
LinearMap linear_map(Backend& context, Batch<double> map, BatchView<const double> gram,
                     bool normalise_rows) {
  clean(context, map.span());
  LinearMap result;
  result.seen = product<Backend>(context, Layout::kPlain, map.view(), Layout::kPlain, gram);
  result.map = std::move(map);
  if (normalise_rows) {
    kernels::unit_rows<double>(context, result.map.view(), result.seen.view());
  }
  result.gram = product<Backend>(context, Layout::kPlain, result.seen.view(), Layout::kTransposed,
                                 result.map.view());
  return result;
}

template <class Backend>
Batch<double> specific_map(Backend& context, const ViewMaps& view, Span<const double> ridges,
                           Span<const double> alphas) {
  const BatchView<const double> map = view.specific_map;
  const std::int64_t common_dim = view.common_map.rows, clusters = view.centres.cols;
  Batch<double> right(context.pool(), map.count, map.rows, map.cols + common_dim + clusters);
  const BatchView<double> out = right.view();
  put(context, {}, map, Accumulate::kOverwrite, out.columns(0, map.cols));
  kernels::multiply<double>(context, Layout::kPlain, Layout::kTransposed, -1.0, map,
                            view.common_map, 0.0, out.columns(map.cols, common_dim));
  put(context, alphas, view.centres, Accumulate::kOverwrite,
      out.columns(map.cols + common_dim, clusters));
  Batch<double> left = product<Backend>(context, Layout::kPlain, map, Layout::kTransposed, map);
  kernels::add_to_diagonals<double>(context, ridges, left.view());
  return solved<Backend>(context, left.view(), right.view());
}

template <class Backend>
Batch<double> common_map(Backend& context, const StackedEntries& entries, const StateMaps& state,
                         const std::vector<LinearMap>& specific, Span<const double> ridges,
                         Span<const double> alphas) {
  const std::int64_t sets = state.common_centres.count, common_dim = entries.common_dim();
  Batch<double> left = zeros(context, sets, common_dim, common_dim);
  Batch<double> right = zeros(context, sets, common_dim, entries.count());
  for (std::size_t m = 0; m < state.views.size(); ++m) {
    const BatchView<const double> map = state.views[m].common_map;
    kernels::multiply<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, map, map, 1.0,
                              left.view());
    put(context, {}, map, Accumulate::kAdd, right.view().columns(entries.first(m), map.cols));
    const Batch<double> maps = product<Backend>(context, Layout::kPlain, map, Layout::kTransposed,
                                                state.views[m].specific_map);
    const Batch<double> explained = product<Backend>(context, Layout::kPlain, maps.view(),
                                                     Layout::kPlain, specific[m].map.view());
    scatter<Backend>(context, entries, m, -1.0, {}, explained.view(), right.view());
  }
  kernels::add_to_diagonals<double>(context, ridges, left.view());
  put(context, alphas, state.common_centres, Accumulate::kAdd,
      right.view().columns(entries.label_first(), entries.clusters()));
  return solved<Backend>(context, left.view(), right.view());
}

template <class Backend>
SweepMaps sweep_maps(Backend& context, const StackedEntries& entries, const StateMaps& state,
                     const std::vector<LinearMap>& specific, const LinearMap& common) {
  const std::int64_t sets = state.common_centres.count;
  const std::int64_t clusters = entries.clusters(), common_dim = entries.common_dim();
  const auto last = static_cast<std::int64_t>(state.views.size());
  Batch<double> maps = zeros(context, sets, clusters + common_dim, entries.count());
  const BatchView<double> scores = maps.view().slice(0, clusters);
  const auto weights = [&](std::int64_t m) { return state.weights.row(m); };
  for (std::int64_t m = 0; m < last; ++m) {
    const auto view = static_cast<std::size_t>(m);
    const Batch<double> along =
        product<Backend>(context, Layout::kTransposed, state.views[view].centres, Layout::kPlain,
                         specific[view].map.view());
    scatter<Backend>(context, entries, view, -2.0, weights(m), along.view(), scores);
  }
  const Batch<double> along = product<Backend>(context, Layout::kTransposed, state.common_centres,
                                               Layout::kPlain, common.map.view());
  kernels::copy_block<double>(context, Layout::kPlain, -2.0, weights(last), along.view(), scores,
                              Accumulate::kAdd);
  put(context, {}, common.map.view(), Accumulate::kOverwrite,
      maps.view().slice(clusters, common_dim));
  SweepMaps sweep = cut_for_sweep<Backend>(context, entries, maps.view());
  for (std::int64_t m = 0; m < last; ++m) {
    kernels::add_centre_squares(
        context, weights(m), state.views[static_cast<std::size_t>(m)].centres, sweep.labels.view());
  }
  kernels::add_centre_squares(context, weights(last), state.common_centres, sweep.labels.view());
  return sweep;
}

template <class Backend>
SweepMaps cut_for_sweep(Backend& context, const StackedEntries& entries,
                        BatchView<const double> map) {
  const std::int64_t width = entries.width(), dim = entries.common_dim();
  SweepMaps sweep;
  sweep.data = Batch<double>(context.pool(), map.count, map.rows, width);
  sweep.common = Batch<double>(context.pool(), map.count, map.rows, dim);
  sweep.labels = Batch<double>(context.pool(), map.count, entries.clusters(), map.rows);
  put(context, {}, map.columns(0, width), Accumulate::kOverwrite, sweep.data.view());
  put(context, {}, map.columns(entries.common_first(), dim), Accumulate::kOverwrite,
      sweep.common.view());
  kernels::copy_block<double>(context, Layout::kTransposed, 1.0, {},
                              map.columns(entries.label_first(), entries.clusters()),
                              sweep.labels.view(), Accumulate::kOverwrite);
  return sweep;
}

#define INSTANTIATE(Backend)                                                                      \
  template LinearMap linear_map<Backend>(Backend&, Batch<double>, BatchView<const double>, bool); \
  template Batch<double> specific_map<Backend>(Backend&, const ViewMaps&, Span<const double>,     \
                                               Span<const double>);                               \
  template Batch<double> common_map<Backend>(Backend&, const StackedEntries&, const StateMaps&,   \
                                             const std::vector<LinearMap>&, Span<const double>,   \
                                             Span<const double>);                                 \
  template SweepMaps sweep_maps<Backend>(Backend&, const StackedEntries&, const StateMaps&,       \
                                         const std::vector<LinearMap>&, const LinearMap&);        \
  template SweepMaps cut_for_sweep<Backend>(Backend&, const StackedEntries&,                      \
                                            BatchView<const double>);
INSTANTIATE(CpuContext)
#if defined(M2ST_WITH_CUDA)
INSTANTIATE(CudaContext)
#endif
#undef INSTANTIATE

}  // namespace m2st::cluster
