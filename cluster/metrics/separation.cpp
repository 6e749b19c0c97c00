// Davies–Bouldin, Calinski–Harabasz and the silhouette with squared distances: small formulas over
// what the kernels of kernels/separation.h find. Silhouettes with distances are in silhouette.cpp.
#include "cluster/metrics/separation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "cluster/metrics/grouping.h"
#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/placement.h"
#include "kernels/math/interleaved_squares.h"
#include "kernels/separation.h"

namespace m2st::cluster {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// What the kernels give of several labelings, in some backend's memory.
struct Spreads {
  Spreads() = default;
  Spreads(MemoryPool& pool, std::int64_t sets, std::int64_t clusters, std::int64_t width)
      : counts(pool, sets, clusters),
        centres(pool, sets, width),
        means(pool, sets * clusters, width),
        squares(pool, sets, clusters),
        distances(pool, sets, clusters) {}
  kernels::ClusterSpreads view() {
    return {counts.view(), centres.view(), means.view(), squares.view(), distances.view()};
  }

  Matrix<std::int64_t> counts;
  Matrix<double> centres, means, squares, distances;
};

template <class Backend>
Spreads brought(CpuContext& host, Backend& backend, Spreads there) {
  Spreads here;
  here.counts = brought_to_host(host, backend, std::move(there.counts));
  here.centres = brought_to_host(host, backend, std::move(there.centres));
  here.means = brought_to_host(host, backend, std::move(there.means));
  here.squares = brought_to_host(host, backend, std::move(there.squares));
  here.distances = brought_to_host(host, backend, std::move(there.distances));
  return here;
}

// A cluster with cells.
struct Cluster {
  double size = 0;
  std::vector<double> mean;  // from the mean of all labelled cells
  double squares = 0;        // Σ ‖x − mean‖²
  double distances = 0;      // Σ ‖x − mean‖
};

std::vector<Cluster> clusters_of(const Spreads& spreads, std::int64_t set) {
  const std::int64_t clusters = spreads.counts.cols(), width = spreads.means.cols();
  const Span<const double> centre = spreads.centres.view().row(set);
  std::vector<Cluster> found;
  for (std::int64_t k = 0; k < clusters; ++k) {
    const std::int64_t count = spreads.counts.view()(set, k);
    if (count == 0) continue;
    Cluster cluster;
    cluster.size = static_cast<double>(count);
    cluster.squares = spreads.squares.view()(set, k);
    cluster.distances = spreads.distances.view()(set, k);
    const Span<const double> mean = spreads.means.view().row(set * clusters + k);
    for (std::size_t c = 0; c < static_cast<std::size_t>(width); ++c) {
      cluster.mean.push_back(mean[c] - centre[c]);
    }
    found.push_back(std::move(cluster));
  }
  return found;
}

double cells_of(const std::vector<Cluster>& clusters) {
  double cells = 0;
  for (const Cluster& cluster : clusters) cells += cluster.size;
  return cells;
}

// R_k = max over other clusters j of (spread_k + spread_j) / ‖mean_k − mean_j‖.
double worst_ratio(const std::vector<Cluster>& clusters, std::size_t k) {
  const Cluster& own = clusters[k];
  double worst = 0;
  for (std::size_t j = 0; j < clusters.size(); ++j) {
    const Cluster& other = clusters[j];
    const double gap = std::sqrt(kernels::squared_distance(own.mean, other.mean));
    if (j == k || gap == 0) continue;
    const double both = own.distances / own.size + other.distances / other.size;
    worst = std::max(worst, both / gap);
  }
  return worst;
}

double davies_bouldin_of(const std::vector<Cluster>& clusters) {
  if (clusters.size() < 2) return kUndefined;
  double sum = 0;
  for (std::size_t k = 0; k < clusters.size(); ++k) sum += worst_ratio(clusters, k);
  return sum / static_cast<double>(clusters.size());
}

double calinski_harabasz_of(const std::vector<Cluster>& clusters) {
  if (clusters.size() < 2) return kUndefined;
  double within = 0, between = 0;
  for (const Cluster& cluster : clusters) {
    within += cluster.squares;
    between += cluster.size * kernels::sum_of_squares(cluster.mean.size(), [&](std::size_t c) {
                 return cluster.mean[c];
               });
  }
  if (within == 0) return 1;
  const double free_within = cells_of(clusters) - static_cast<double>(clusters.size());
  const double free_between = static_cast<double>(clusters.size() - 1);
  return between * free_within / (within * free_between);
}

double silhouette_of(const std::vector<Cluster>& clusters, double sum) {
  return clusters.size() < 2 ? kUndefined : sum / cells_of(clusters);
}

// One labeling of any values, on the host.
struct Labeling {
  Labeling(CpuContext& context, MatrixView<const float> x, Span<const std::int32_t> labels)
      : grouping(group_by_label(labels)) {
    M2ST_CHECK(static_cast<std::size_t>(x.rows) == labels.size(), "separation: ", x.rows,
               " cells, but ", labels.size(), " labels");
    spreads = Spreads(context.pool(), 1, grouping.groups(), x.cols);
    kernels::cluster_spreads(context, x, groups(), spreads.view());
    clusters = clusters_of(spreads, 0);
  }
  MatrixView<const std::int32_t> groups() const {
    return {grouping.group.data(), 1, std::ssize(grouping.group)};
  }
  double silhouette(CpuContext& context, MatrixView<const float> x) {
    if (clusters.size() < 2) return kUndefined;
    double sum = 0;
    kernels::silhouette_sums(context, x, groups(), spreads.view(), {&sum, 1});
    return silhouette_of(clusters, sum);
  }

  Grouping grouping;
  Spreads spreads;
  std::vector<Cluster> clusters;
};

template <class Backend>
std::vector<Separation> separations_on(CpuContext& host, Backend& backend,
                                       MatrixView<const float> x,
                                       MatrixView<const std::int32_t> labels,
                                       std::int64_t clusters) {
  Spreads spreads(backend.pool(), labels.rows, clusters, x.cols);
  Matrix<double> there(backend.pool(), 1, labels.rows);
  kernels::cluster_spreads(backend, x, labels, spreads.view());
  kernels::silhouette_sums(backend, x, labels, spreads.view(), there.span());
  const Spreads found = brought(host, backend, std::move(spreads));
  const Matrix<double> sums = brought_to_host(host, backend, std::move(there));
  std::vector<Separation> results(static_cast<std::size_t>(labels.rows));
  parallel_for(host, labels.rows, 1, [&](std::int64_t s, std::int64_t) {
    const std::vector<Cluster> measured = clusters_of(found, s);
    results[static_cast<std::size_t>(s)] = {silhouette_of(measured, sums.view()(0, s)),
                                            davies_bouldin_of(measured),
                                            calinski_harabasz_of(measured)};
  });
  return results;
}

}  // namespace

double silhouette_squared(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels) {
  return Labeling(context, x, labels).silhouette(context, x);
}

double davies_bouldin(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels) {
  return davies_bouldin_of(Labeling(context, x, labels).clusters);
}

double calinski_harabasz(CpuContext& context, MatrixView<const float> x,
                         Span<const std::int32_t> labels) {
  return calinski_harabasz_of(Labeling(context, x, labels).clusters);
}

Separation separation(CpuContext& context, MatrixView<const float> x,
                      Span<const std::int32_t> labels) {
  Labeling labeling(context, x, labels);
  return {labeling.silhouette(context, x), davies_bouldin_of(labeling.clusters),
          calinski_harabasz_of(labeling.clusters)};
}

std::vector<Separation> separations(Context& context, MatrixView<const float> x,
                                    MatrixView<const std::int32_t> labels, std::int64_t clusters) {
  Placement placement(context);
  const MatrixView<const std::int32_t> placed = placement.place(labels);
  return context.dispatch(
      [&](auto& backend) { return separations_on(context.host(), backend, x, placed, clusters); });
}

}  // namespace m2st::cluster
