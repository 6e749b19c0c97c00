// Right sides are put together block by block over the entries of z.
#include "cluster/stacked_maps.h"

#include <cmath>
#include <limits>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/reference_algebra.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

// Norms of the rows of map · Z follow from the Gram matrix.
void scale_to_unit(Span<double> map, Span<double> seen) {
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

void add_squares(double alpha, const Matrix<double>& centres, std::vector<double>& constants) {
  for (std::int64_t i = 0; i < centres.rows(); ++i) {
    for (std::int64_t c = 0; c < centres.cols(); ++c) {
      constants[static_cast<std::size_t>(c)] += alpha * centres(i, c) * centres(i, c);
    }
  }
}

}  // namespace

LinearMap linear_map(CpuContext& context, Matrix<double> map, MatrixView<const double> gram,
                     bool normalise_rows) {
  clean(map.span());
  LinearMap result;
  result.seen = product(context, Layout::kPlain, map.view(), Layout::kPlain, gram);
  result.map = std::move(map);
  if (normalise_rows) {
    for (std::int64_t i = 0; i < result.map.rows(); ++i) {
      scale_to_unit(result.map.view().row(i), result.seen.view().row(i));
    }
  }
  result.gram =
      product(context, Layout::kPlain, result.seen.view(), Layout::kTransposed, result.map.view());
  return result;
}

Matrix<double> specific_map(CpuContext& context, const ReferenceView& view, double ridge,
                            double alpha) {
  const MatrixView<const double> map = view.specific_map.view();
  const std::int64_t common_dim = view.common_map.rows();
  Matrix<double> right = zeros(context, map.rows, map.cols + common_dim + view.centres.cols());
  add_to_columns(1.0, map, 0, right.view());
  const Matrix<double> maps =
      product(context, Layout::kPlain, map, Layout::kTransposed, view.common_map.view());
  add_to_columns(-1.0, maps.view(), map.cols, right.view());
  add_to_columns(alpha, view.centres.view(), map.cols + common_dim, right.view());
  return solved(context, ridged_gram(context, map, ridge).view(), right.view());
}

Matrix<double> common_map(CpuContext& context, const StackedGram& gram, const ReferenceState& state,
                          const std::vector<LinearMap>& specific, double ridge, double alpha) {
  const std::int64_t common_dim = state.common_centres.rows();
  Matrix<double> left = zeros(context, common_dim, common_dim);
  Matrix<double> right = zeros(context, common_dim, gram.entries());
  for (std::size_t m = 0; m < state.views.size(); ++m) {
    const ReferenceView& view = state.views[m];
    const MatrixView<const double> map = view.common_map.view();
    add_product(context, 1.0, Layout::kPlain, map, Layout::kTransposed, map, left.view());
    add_to_columns(1.0, map, gram.first(m), right.view());
    const Matrix<double> maps =
        product(context, Layout::kPlain, map, Layout::kTransposed, view.specific_map.view());
    const Matrix<double> explained =
        product(context, Layout::kPlain, maps.view(), Layout::kPlain, specific[m].map.view());
    gram.scatter(m, -1.0, explained.view(), right.view());
  }
  for (std::int64_t i = 0; i < common_dim; ++i) left(i, i) += ridge;
  add_to_columns(alpha, state.common_centres.view(), gram.label_first(), right.view());
  return solved(context, left.view(), right.view());
}

SweepMaps sweep_maps(CpuContext& context, const StackedGram& gram, const ReferenceState& state,
                     const std::vector<LinearMap>& specific, const LinearMap& common) {
  const std::int64_t clusters = state.common_centres.cols();
  const std::int64_t common_dim = state.common_centres.rows();
  Matrix<double> maps = zeros(context, clusters + common_dim, gram.entries());
  std::vector<double> constants(static_cast<std::size_t>(clusters + common_dim), 0.0);
  const MatrixView<double> scores = maps.view().slice(0, clusters);
  for (std::size_t m = 0; m < state.views.size(); ++m) {
    const Matrix<double>& centres = state.views[m].centres;
    add_squares(state.weights[m], centres, constants);
    const Matrix<double> along = product(context, Layout::kTransposed, centres.view(),
                                         Layout::kPlain, specific[m].map.view());
    gram.scatter(m, -2.0 * state.weights[m], along.view(), scores);
  }
  add_squares(state.weights.back(), state.common_centres, constants);
  add_product(context, -2.0 * state.weights.back(), Layout::kTransposed,
              state.common_centres.view(), Layout::kPlain, common.map.view(), scores);
  add_to_columns(1.0, common.map.view(), 0, maps.view().slice(clusters, common_dim));
  return cut_for_sweep(context, gram, maps.view(), constants);
}

SweepMaps cut_for_sweep(CpuContext& context, const StackedGram& gram, MatrixView<const double> map,
                        Span<const double> constants) {
  const std::int64_t labels = gram.label_first(), common = gram.common_first();
  SweepMaps sweep;
  sweep.data = columns(context, map, 0, gram.width());
  sweep.common = columns(context, map, common, labels - common);
  sweep.labels = transposed(context, columns(context, map, labels, gram.entries() - labels).view());
  for (std::int64_t old = 0; old < sweep.labels.rows(); ++old) {
    for (std::int64_t i = 0; i < sweep.labels.cols(); ++i) {
      sweep.labels(old, i) += constants[static_cast<std::size_t>(i)];
    }
  }
  return sweep;
}

}  // namespace m2st::cluster
