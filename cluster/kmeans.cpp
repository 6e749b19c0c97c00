// Lloyd's iterations (1982) and their restarts.
#include "cluster/kmeans.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/assign.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 4096;

double sum_of(CpuContext& context, Span<const double> values) {
  return parallel_reduce(
      context, static_cast<std::int64_t>(values.size()), kGrain, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        return std::accumulate(values.begin() + begin, values.begin() + end, 0.0);
      },
      [](double a, double b) { return a + b; });
}

// Gives every empty cluster the cell farthest from its centre (the first of equals) that is not
// alone in its own.
void fill_empty_clusters(Span<std::int32_t> labels, Span<double> distances, int clusters) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters), 0);
  for (std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  if (std::find(counts.begin(), counts.end(), 0) == counts.end()) return;
  std::vector<std::int32_t> farthest(labels.size());
  std::iota(farthest.begin(), farthest.end(), 0);
  std::sort(farthest.begin(), farthest.end(), [&](std::int32_t a, std::int32_t b) {
    const double left = distances[static_cast<std::size_t>(a)];
    const double right = distances[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  auto candidate = farthest.begin();
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) continue;
    const auto home = [&] {
      return static_cast<std::size_t>(labels[static_cast<std::size_t>(*candidate)]);
    };
    while (counts[home()] < 2) ++candidate;
    --counts[home()];
    labels[static_cast<std::size_t>(*candidate)] = static_cast<std::int32_t>(k);
    distances[static_cast<std::size_t>(*candidate)] = 0;  // it is its cluster's centre now
    counts[k] = 1;
    ++candidate;
  }
}

void centres_of(CpuContext& context, MatrixView<const double> x, Span<const std::int32_t> labels,
                MatrixView<double> centres) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(centres.rows));
  kernels::sums_by_label<double>(context, x, labels, centres, counts);
  for (std::int64_t k = 0; k < centres.rows; ++k) {
    for (double& value : centres.row(k)) {
      value /= static_cast<double>(counts[static_cast<std::size_t>(k)]);
    }
  }
}

double inertia_of(CpuContext& context, MatrixView<const double> x, Span<const std::int32_t> labels,
                  MatrixView<const double> centres) {
  return parallel_reduce(
      context, x.rows, kGrain, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t n = begin; n < end; ++n) {
          const double* row = x.data + n * x.cols;
          const double* centre = centres.data + labels[static_cast<std::size_t>(n)] * x.cols;
          for (std::int64_t c = 0; c < x.cols; ++c) {
            sum += (row[c] - centre[c]) * (row[c] - centre[c]);
          }
        }
        return sum;
      },
      [](double a, double b) { return a + b; });
}

}  // namespace

KMeansResult lloyd(CpuContext& context, MatrixView<const double> x, Matrix<double> centres,
                   const KMeansOptions& options) {
  M2ST_CHECK(centres.rows() >= 1 && centres.rows() <= x.rows, "lloyd: centres (got ",
             centres.rows(), ", need 1 to ", x.rows, ")");
  const int clusters = static_cast<int>(centres.rows());
  KMeansResult result;
  result.centres = std::move(centres);
  result.labels.assign(static_cast<std::size_t>(x.rows), 0);
  std::vector<std::int32_t> previous;
  Array<double> distances(context.pool(), x.rows);
  while (result.iterations < options.iterations) {
    ++result.iterations;
    kernels::assign_nearest<double>(context, x, result.centres.view(), result.labels,
                                    distances.span());
    fill_empty_clusters(result.labels, distances.span(), clusters);
    const double before = result.history.empty() ? -1 : result.history.back();
    result.history.push_back(sum_of(context, distances.span()));
    centres_of(context, x, result.labels, result.centres.view());
    if (result.labels == previous) break;
    if (before >= 0 && before - result.history.back() <= options.tolerance * before) break;
    previous = result.labels;
  }
  result.inertia = inertia_of(context, x, result.labels, result.centres.view());
  return result;
}

KMeansResult k_means(CpuContext& context, MatrixView<const double> x,
                     const KMeansOptions& options) {
  M2ST_CHECK(options.domains >= 1 && options.domains <= x.rows, "k_means: domains (got ",
             options.domains, ", need 1 to ", x.rows, ")");
  M2ST_CHECK(options.restarts >= 1 && options.iterations >= 1,
             "k_means: restarts and iterations (got ", options.restarts, " and ",
             options.iterations, ", need at least 1)");
  if (options.domains == x.rows) {  // nothing to search: every cell is its own cluster
    Matrix<double> centres(context.pool(), x.rows, x.cols);
    std::copy_n(x.data, x.size(), centres.data());
    return lloyd(context, x, std::move(centres), options);
  }
  KMeansResult best;
  for (int restart = 0; restart < options.restarts; ++restart) {
    KMeansResult result =
        lloyd(context, x, plus_plus_centres(context, x, options, restart), options);
    if (restart == 0 || result.inertia < best.inertia) best = std::move(result);
  }
  return best;
}

}  // namespace m2st::cluster
