// Davies–Bouldin and Calinski–Harabasz: centres and the spread around them. Silhouettes are in
// silhouette.cpp.
#include "cluster/metrics/separation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/metrics/centred_cells.h"
#include "cluster/metrics/separation_parts.h"

namespace m2st::cluster {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// R_k = max over other clusters j of (spread_k + spread_j) / ‖centre_k − centre_j‖.
double worst_ratio(const CentredCells& cells, const std::vector<double>& spreads, std::int32_t k) {
  double worst = 0;
  for (std::int32_t j = 0; j < cells.clusters(); ++j) {
    const double gap = std::sqrt(squared_distance(cells.means().row(k), cells.means().row(j)));
    if (j == k || gap == 0) continue;
    const double both = spreads[static_cast<std::size_t>(k)] + spreads[static_cast<std::size_t>(j)];
    worst = std::max(worst, both / gap);
  }
  return worst;
}

}  // namespace

double davies_bouldin(const CentredCells& cells, Span<const double> squared_spreads) {
  std::vector<double> distances(squared_spreads.begin(), squared_spreads.end());
  for (double& distance : distances) distance = std::sqrt(distance);
  std::vector<double> spreads = sums_by_group(cells.grouping(), distances);
  for (std::int32_t k = 0; k < cells.clusters(); ++k) {
    spreads[static_cast<std::size_t>(k)] /= static_cast<double>(cells.grouping().size(k));
  }
  double sum = 0;
  for (std::int32_t k = 0; k < cells.clusters(); ++k) sum += worst_ratio(cells, spreads, k);
  return sum / static_cast<double>(cells.clusters());
}

double calinski_harabasz(const CentredCells& cells, Span<const double> squared_spreads) {
  double within = 0;
  for (const double sum : sums_by_group(cells.grouping(), squared_spreads)) within += sum;
  if (within == 0) return 1;
  const std::vector<double> origin(static_cast<std::size_t>(cells.width()), 0.0);
  double between = 0;
  for (std::int32_t k = 0; k < cells.clusters(); ++k) {
    between += static_cast<double>(cells.grouping().size(k)) *
               squared_distance(cells.means().row(k), origin);
  }
  const double free_within = static_cast<double>(cells.count() - cells.clusters());
  const double free_between = static_cast<double>(cells.clusters() - 1);
  return between * free_within / (within * free_between);
}

double davies_bouldin(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels) {
  const CentredCells cells(context, x, labels);
  return cells.clusters() < 2 ? kUndefined : davies_bouldin(cells, cells.squared_spreads(context));
}

double calinski_harabasz(CpuContext& context, MatrixView<const float> x,
                         Span<const std::int32_t> labels) {
  const CentredCells cells(context, x, labels);
  return cells.clusters() < 2 ? kUndefined
                              : calinski_harabasz(cells, cells.squared_spreads(context));
}

Separation separation(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels) {
  const CentredCells cells(context, x, labels);
  if (cells.clusters() < 2) return {kUndefined, kUndefined, kUndefined};
  const std::vector<double> spreads = cells.squared_spreads(context);
  return {silhouette_squared(context, cells, spreads), davies_bouldin(cells, spreads),
          calinski_harabasz(cells, spreads)};
}

}  // namespace m2st::cluster
