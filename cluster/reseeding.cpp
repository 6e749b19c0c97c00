// Representations are stacked into one, each scaled by √α, so that Σ α ‖x − v‖² is one distance.
#include "cluster/reseeding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/centre_descent.h"
#include "cluster/mapped_cells.h"
#include "engine/parallel.h"
#include "kernels/assign.h"

namespace m2st::cluster {
namespace {

constexpr std::int64_t kCellsPerTile = 128;  // 128 × 400 doubles: 400 KB, in the second cache
constexpr std::int64_t kCellsPerChunk = 16 * kCellsPerTile;

class StackedCells {
 public:
  StackedCells(CpuContext& context, const std::vector<Matrix<double>>& data,
               const StackedEntries& entries, const std::vector<LinearMap>& specific,
               const LinearMap& common_map, MatrixView<const double> common,
               const ReferenceState& state)
      : context_(context),
        state_(state),
        common_(common),
        maps_(maps(entries, specific, common_map)),
        cells_(context, data, maps_) {}

  // √α v_c as rows (K, rows of the maps).
  Matrix<double> centres() const {
    Matrix<double> result(context_.pool(), state_.common_centres.cols(), width_);
    std::int64_t column = 0;
    const auto add = [&](double alpha, const Matrix<double>& centres) {
      for (std::int64_t i = 0; i < centres.rows(); ++i, ++column) {
        for (std::int64_t c = 0; c < centres.cols(); ++c) {
          result(c, column) = std::sqrt(alpha) * centres(i, c);
        }
      }
    };
    for (std::size_t m = 0; m < state_.views.size(); ++m) {
      add(state_.weights[m], state_.views[m].centres);
    }
    add(state_.weights.back(), state_.common_centres);
    return result;
  }

  // The squared distance of every cell to its nearest centre.
  std::vector<double> costs(MatrixView<const double> centres) const {
    const std::int64_t count = common_.rows;
    std::vector<double> result(static_cast<std::size_t>(count));
    parallel_for(context_, count, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      Matrix<double> out(context_.pool(), kCellsPerTile, width_);
      std::vector<std::int32_t> labels(kCellsPerTile);
      for (std::int64_t first = begin; first < end; first += kCellsPerTile) {
        const std::int64_t tile = std::min(kCellsPerTile, end - first);
        const auto size = static_cast<std::size_t>(tile);
        const MatrixView<double> rows = out.view().slice(0, tile);
        cells_.map(state_.labels, common_, first, first + tile, rows);
        kernels::assign_nearest<double>(
            context_, rows, centres, Span<std::int32_t>(labels).first(size),
            Span<double>(result).subspan(static_cast<std::size_t>(first), size));
      }
    });
    return result;
  }

  Matrix<double> cell(std::int64_t i) const {
    Matrix<double> result(context_.pool(), 1, width_);
    cells_.map(state_.labels, common_, i, i + 1, result.view());
    return result;
  }

 private:
  SweepMaps maps(const StackedEntries& entries, const std::vector<LinearMap>& specific,
                 const LinearMap& common_map) {
    width_ = common_map.map.rows();
    for (const LinearMap& view : specific) width_ += view.map.rows();
    Matrix<double> all = zeros(context_, width_, entries.count());
    std::int64_t row = 0;
    for (std::size_t m = 0; m < specific.size(); ++m) {
      const BatchView<const double> map = specific[m].map.view();
      scatter(context_, entries, m, std::sqrt(state_.weights[m]), {}, map,
              batch_of(all.view().slice(row, map.rows)));
      row += map.rows;
    }
    add_to_columns(std::sqrt(state_.weights.back()), common_map.map.stacked(), 0,
                   all.view().slice(row, common_map.map.rows()));
    return cut_for_sweep(context_, entries, batch_of(std::as_const(all).view()));
  }

  CpuContext& context_;
  const ReferenceState& state_;
  MatrixView<const double> common_;
  std::int64_t width_ = 0;
  SweepMaps maps_;
  MappedCells cells_;
};

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// move(entry, place in a stacked row, √α) for column `cluster` of every centre matrix.
template <class Move>
void for_each_entry(ReferenceState& state, std::int64_t cluster, Move&& move) {
  std::int64_t column = 0;
  const auto visit = [&](double alpha, Matrix<double>& centres) {
    for (std::int64_t i = 0; i < centres.rows(); ++i, ++column) {
      move(centres(i, cluster), column, std::sqrt(alpha));
    }
  };
  for (std::size_t m = 0; m < state.views.size(); ++m) {
    visit(state.weights[m], state.views[m].centres);
  }
  visit(state.weights.back(), state.common_centres);
}

}  // namespace

double total_orthogonality(CpuContext& context, const ReferenceState& state) {
  double sum = orthogonality(context, state.common_centres.view());
  for (const ReferenceView& view : state.views) sum += orthogonality(context, view.centres.view());
  return sum;
}

bool reseed_cluster(CpuContext& context, const std::vector<Matrix<double>>& data,
                    const StackedEntries& entries, const std::vector<LinearMap>& specific,
                    const LinearMap& common_map, MatrixView<const double> common, double lambda,
                    std::int64_t cluster, ReferenceState& state) {
  const StackedCells cells(context, data, entries, specific, common_map, common, state);
  Matrix<double> centres = cells.centres();
  const std::vector<double> costs = cells.costs(centres.view());
  const double before = sum_of(costs) + lambda * total_orthogonality(context, state);

  const auto worst = std::max_element(costs.begin(), costs.end()) - costs.begin();
  const Matrix<double> cell = cells.cell(worst);
  std::copy(cell.span().begin(), cell.span().end(), centres.view().row(cluster).begin());
  std::vector<double> old;
  for_each_entry(state, cluster, [&](double& entry, std::int64_t column, double root) {
    old.push_back(entry);
    if (root > 0) entry = cell(0, column) / root;  // a view without weight keeps its centre
  });
  const double after =
      sum_of(cells.costs(centres.view())) + lambda * total_orthogonality(context, state);
  if (after < before) return true;
  for_each_entry(state, cluster, [&](double& entry, std::int64_t column, double) {
    entry = old[static_cast<std::size_t>(column)];
  });
  return false;
}

}  // namespace m2st::cluster
