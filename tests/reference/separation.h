// Naive spreads of clusters and silhouettes with squared distances, every pair of cells looked at.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/reference/dense.h"

namespace m2st::reference {

struct ClusterSpreads {
  std::vector<std::int64_t> counts;
  std::vector<double> centre;  // the mean of all labelled cells
  Dense<double> means;
  std::vector<double> squares, distances;  // Σ ‖x − mean‖² and Σ ‖x − mean‖
};

inline double squared_gap_of_rows(const Dense<double>& a, std::int64_t i, const Dense<double>& b,
                                  std::int64_t j) {
  double sum = 0;
  for (std::int64_t c = 0; c < a.cols; ++c) sum += (a(i, c) - b(j, c)) * (a(i, c) - b(j, c));
  return sum;
}

// Labels below 0 are left out.
inline ClusterSpreads cluster_spreads(const Dense<double>& x,
                                      const std::vector<std::int32_t>& labels,
                                      std::int64_t clusters) {
  const auto kinds = static_cast<std::size_t>(clusters), width = static_cast<std::size_t>(x.cols);
  ClusterSpreads out{std::vector<std::int64_t>(kinds), std::vector<double>(width),
                     Dense<double>(clusters, x.cols), std::vector<double>(kinds),
                     std::vector<double>(kinds)};
  double cells = 0;
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int32_t label = labels[static_cast<std::size_t>(n)];
    if (label < 0) continue;
    cells += 1;
    out.counts[static_cast<std::size_t>(label)] += 1;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      out.means(label, c) += x(n, c);
      out.centre[static_cast<std::size_t>(c)] += x(n, c);
    }
  }
  for (double& value : out.centre) value = cells > 0 ? value / cells : 0;
  for (std::int64_t k = 0; k < clusters; ++k) {
    const auto size = static_cast<double>(out.counts[static_cast<std::size_t>(k)]);
    for (std::int64_t c = 0; size > 0 && c < x.cols; ++c) out.means(k, c) /= size;
  }
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int32_t label = labels[static_cast<std::size_t>(n)];
    if (label < 0) continue;
    const double square = squared_gap_of_rows(x, n, out.means, label);
    out.squares[static_cast<std::size_t>(label)] += square;
    out.distances[static_cast<std::size_t>(label)] += std::sqrt(square);
  }
  return out;
}

// Σ of the labelled cells' silhouettes; 0 for cells alone in their cluster.
inline double silhouette_sum(const Dense<double>& x, const std::vector<std::int32_t>& labels,
                             std::int64_t clusters) {
  double total = 0;
  for (std::int64_t n = 0; n < x.rows; ++n) {
    const std::int32_t own = labels[static_cast<std::size_t>(n)];
    if (own < 0) continue;
    std::vector<double> sums(static_cast<std::size_t>(clusters)), others(sums.size());
    for (std::int64_t other = 0; other < x.rows; ++other) {
      const std::int32_t label = labels[static_cast<std::size_t>(other)];
      if (label < 0 || other == n) continue;
      sums[static_cast<std::size_t>(label)] += squared_gap_of_rows(x, n, x, other);
      others[static_cast<std::size_t>(label)] += 1;
    }
    const auto itself = static_cast<std::size_t>(own);
    if (others[itself] == 0) continue;
    const double inside = sums[itself] / others[itself];
    double nearest = INFINITY;
    for (std::size_t k = 0; k < sums.size(); ++k) {
      if (k != itself && others[k] > 0) nearest = std::min(nearest, sums[k] / others[k]);
    }
    const double larger = std::max(inside, nearest);
    total += larger > 0 ? (nearest - inside) / larger : 0;
  }
  return total;
}

}  // namespace m2st::reference
