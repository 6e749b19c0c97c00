// Labelings one after the other. Cells are centred on their mean before they meet the clusters'
// means, so that a large common offset costs no digits; sums go over clusters in order, inside one
// over cells in order.
#include "kernels/separation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/assign.h"
#include "kernels/math/interleaved_squares.h"
#include "kernels/separation_shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kCellsPerChunk = 256;
constexpr std::int64_t kCellsPerBlock = 8192;  // whose distances to all means are kept at a time

// The part of `spreads` that belongs to one labeling.
struct Clusters {
  Clusters(const ClusterSpreads& spreads, std::int64_t set)
      : counts(spreads.counts.row(set)),
        centre(spreads.centres.row(set)),
        means(spreads.means.slice(set * spreads.counts.cols, spreads.counts.cols)),
        squares(spreads.squares.row(set)),
        distances(spreads.distances.row(set)) {}

  Span<std::int64_t> counts;
  Span<double> centre;
  MatrixView<double> means;
  Span<double> squares, distances;
};

void find_means(CpuContext& context, MatrixView<const float> x, Span<const std::int32_t> labels,
                const Clusters& clusters) {
  sums_by_label<float>(context, x, labels, clusters.means, clusters.counts);
  const auto cells = static_cast<double>(
      std::accumulate(clusters.counts.begin(), clusters.counts.end(), std::int64_t{0}));
  std::fill(clusters.centre.begin(), clusters.centre.end(), 0.0);
  for (std::size_t k = 0; k < clusters.counts.size(); ++k) {
    if (clusters.counts[k] == 0) continue;
    const Span<double> mean = clusters.means.row(static_cast<std::int64_t>(k));
    for (std::size_t c = 0; c < mean.size(); ++c) {
      clusters.centre[c] += mean[c] / cells;
      mean[c] /= static_cast<double>(clusters.counts[k]);
    }
  }
}

Matrix<double> centred_means(CpuContext& context, const Clusters& clusters) {
  Matrix<double> means(context.pool(), clusters.means.rows, clusters.means.cols);
  for (std::int64_t k = 0; k < means.rows(); ++k) {
    for (std::int64_t c = 0; c < means.cols(); ++c) {
      means(k, c) = clusters.means(k, c) - clusters.centre[static_cast<std::size_t>(c)];
    }
  }
  return means;
}

void copy_centred(Span<const float> cell, Span<const double> centre, Span<double> out) {
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = static_cast<double>(cell[c]) - centre[c];
}

void add_spreads(CpuContext& context, MatrixView<const float> x, Span<const std::int32_t> labels,
                 const Clusters& clusters) {
  const Matrix<double> means = centred_means(context, clusters);
  std::vector<double> squares(labels.size());
  parallel_for(context, x.rows, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> cell(clusters.centre.size());
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int32_t label = labels[static_cast<std::size_t>(n)];
      if (label < 0) continue;
      copy_centred(x.row(n), clusters.centre, cell);
      squares[static_cast<std::size_t>(n)] = squared_distance(cell, means.view().row(label));
    }
  });
  std::fill(clusters.squares.begin(), clusters.squares.end(), 0.0);
  std::fill(clusters.distances.begin(), clusters.distances.end(), 0.0);
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] < 0) continue;
    const auto k = static_cast<std::size_t>(labels[n]);
    clusters.squares[k] += squares[n];
    clusters.distances[k] += std::sqrt(squares[n]);
  }
}

// The labelled cells, by cluster and ascending inside one.
std::vector<std::int64_t> cells_by_cluster(Span<const std::int32_t> labels,
                                           Span<const std::int64_t> counts) {
  std::vector<std::int64_t> next(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), next.begin() + 1);
  std::vector<std::int64_t> cells(static_cast<std::size_t>(next.back()));
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] < 0) continue;
    cells[static_cast<std::size_t>(next[static_cast<std::size_t>(labels[n])]++)] =
        static_cast<std::int64_t>(n);
  }
  return cells;
}

// Of a cell with these squared distances to the means. Σ over cluster c of ‖x − y‖² is
// n_c ‖x − mean_c‖² + Σ_c ‖y − mean_c‖², the cell itself at distance 0.
double silhouette_of(const Clusters& clusters, std::size_t own, Span<const double> to_means) {
  if (clusters.counts[own] == 1) return 0;
  double nearest = std::numeric_limits<double>::infinity(), inside = 0;
  for (std::size_t k = 0; k < to_means.size(); ++k) {
    if (clusters.counts[k] == 0) continue;
    const auto size = static_cast<double>(clusters.counts[k]);
    const double sum = size * to_means[k] + clusters.squares[k];
    if (k == own) {
      inside = sum / (size - 1);
    } else {
      nearest = std::min(nearest, sum / size);
    }
  }
  const double larger = std::max(inside, nearest);
  return larger > 0 ? (nearest - inside) / larger : 0;
}

double silhouette_sum(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels, const Clusters& clusters) {
  const Matrix<double> means = centred_means(context, clusters);
  const std::vector<std::int64_t> cells = cells_by_cluster(labels, clusters.counts);
  const std::int64_t count = std::ssize(cells);
  std::vector<double> scores(cells.size());
  Matrix<double> block(context.pool(), std::min(kCellsPerBlock, count), x.cols);
  Matrix<double> distances(context.pool(), block.rows(), means.rows());
  for (std::int64_t first = 0; first < count; first += kCellsPerBlock) {
    const std::int64_t rows = std::min(kCellsPerBlock, count - first);
    const MatrixView<double> there = block.view().slice(0, rows);
    const MatrixView<double> to_means = distances.view().slice(0, rows);
    const std::int64_t* of_block = cells.data() + first;
    parallel_for(context, rows, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        copy_centred(x.row(of_block[r]), clusters.centre, there.row(r));
      }
    });
    squared_distances<double>(context, there, means.view(), to_means);
    parallel_for(context, rows, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int32_t own = labels[static_cast<std::size_t>(of_block[r])];
        scores[static_cast<std::size_t>(first + r)] =
            silhouette_of(clusters, static_cast<std::size_t>(own), to_means.row(r));
      }
    });
  }
  return std::accumulate(scores.begin(), scores.end(), 0.0);
}

}  // namespace

void cluster_spreads(CpuContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads) {
  check_spreads("cluster_spreads", x, labels, spreads);
  for (std::int64_t s = 0; s < labels.rows; ++s) {
    const Clusters clusters(spreads, s);
    find_means(context, x, labels.row(s), clusters);
    add_spreads(context, x, labels.row(s), clusters);
  }
}

void silhouette_sums(CpuContext& context, MatrixView<const float> x,
                     MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads,
                     Span<double> sums) {
  check_silhouettes(x, labels, spreads, sums);
  for (std::int64_t s = 0; s < labels.rows; ++s) {
    sums[static_cast<std::size_t>(s)] =
        silhouette_sum(context, x, labels.row(s), Clusters(spreads, s));
  }
}

}  // namespace m2st::kernels
