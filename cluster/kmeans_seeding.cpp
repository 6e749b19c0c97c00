// Seeding of k-means. Draws are keyed by (seed, restart, step, candidate), sums taken over fixed
// chunks: the same centres for any number of threads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/kmeans.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "kernels/assign.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 4096;

// The cell where the running sum of `weights` passes `share` of their total; `chunk_sums` are the
// sums of the chunks of kGrain. Cells without weight are never picked while others have some.
std::int64_t pick_by_weight(Span<const double> weights, Span<const double> chunk_sums,
                            double share) {
  double total = 0;
  for (double sum : chunk_sums) total += sum;
  double left = share * total;
  std::size_t chunk = 0;
  while (chunk + 1 < chunk_sums.size() && left >= chunk_sums[chunk]) left -= chunk_sums[chunk++];
  const auto n = static_cast<std::int64_t>(weights.size());
  const auto begin = static_cast<std::int64_t>(chunk) * kGrain;
  std::int64_t last = -1;
  for (std::int64_t i = begin; i < std::min(n, begin + kGrain); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    if (left < weights[i]) return i;
    left -= weights[i];
  }
  if (last >= 0) return last;  // rounding left a rest
  return std::max_element(weights.begin(), weights.end()) - weights.begin();
}

class Seeding {
 public:
  Seeding(CpuContext& context, MatrixView<const double> x, RandomKey key, int candidates)
      : context_(context),
        x_(x),
        key_(key),
        closest_(context.pool(), x.rows),
        candidates_(context.pool(), candidates, x.cols),
        distances_(context.pool(), x.rows, candidates),
        chunk_sums_(context.pool(), chunk_count(x.rows, kGrain)) {
    std::fill(closest_.span().begin(), closest_.span().end(),
              std::numeric_limits<double>::infinity());
  }

  // The first centre is any cell.
  void first(Span<double> centre) {
    copy_cell(random_index(key_, static_cast<std::uint32_t>(x_.rows), 0),
              candidates_.view().row(0));
    measure(1);
    take(0, centre);
  }
  void next(int step, Span<double> centre) {
    const int count = static_cast<int>(candidates_.rows());
    for (int i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint32_t>(step), block = static_cast<std::uint32_t>(i);
      // With every cell on a centre no weight is left, and any cell is as good as another.
      const std::int64_t cell =
          total_ > 0
              ? pick_by_weight(closest_.span(), chunk_sums_.span(), random_uniform(key_, id, block))
              : random_index(key_, static_cast<std::uint32_t>(x_.rows), id, block);
      copy_cell(cell, candidates_.view().row(i));
    }
    measure(count);
    take(best_candidate(count), centre);
  }

 private:
  void copy_cell(std::int64_t cell, Span<double> to) {
    std::copy_n(x_.row(cell).begin(), to.size(), to.begin());
  }
  void measure(int count) {
    width_ = count;
    kernels::squared_distances<double>(context_, x_, candidates_.view().slice(0, count),
                                       {distances_.data(), x_.rows, width_});
  }
  double distance_with(std::int64_t cell, int candidate) const {
    return std::min(closest_[cell], distances_.data()[cell * width_ + candidate]);
  }
  // The candidate that leaves the smallest sum of squared distances, the first of equals.
  int best_candidate(int count) {
    const auto potentials = parallel_reduce(
        context_, x_.rows, kGrain, std::vector<double>(static_cast<std::size_t>(count), 0.0),
        [&](std::int64_t begin, std::int64_t end) {
          std::vector<double> part(static_cast<std::size_t>(count), 0.0);
          for (std::int64_t n = begin; n < end; ++n) {
            for (int i = 0; i < count; ++i) {
              part[static_cast<std::size_t>(i)] += distance_with(n, i);
            }
          }
          return part;
        },
        [](std::vector<double> sum, const std::vector<double>& part) {
          for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
          return sum;
        });
    return static_cast<int>(std::min_element(potentials.begin(), potentials.end()) -
                            potentials.begin());
  }
  void take(int candidate, Span<double> centre) {
    std::copy_n(candidates_.view().row(candidate).begin(), centre.size(), centre.begin());
    parallel_for(context_, x_.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
      double sum = 0;
      for (std::int64_t n = begin; n < end; ++n) {
        closest_[n] = distance_with(n, candidate);
        sum += closest_[n];
      }
      chunk_sums_[begin / kGrain] = sum;
    });
    total_ = 0;
    for (double sum : chunk_sums_.span()) total_ += sum;
  }

  CpuContext& context_;
  MatrixView<const double> x_;
  RandomKey key_;
  Array<double> closest_;      // squared distance to the nearest centre so far
  Matrix<double> candidates_;  // (candidates, d)
  Matrix<double> distances_;   // (N, width_) in the same storage
  Array<double> chunk_sums_;
  std::int64_t width_ = 0;
  double total_ = 0;
};

}  // namespace

Matrix<double> plus_plus_centres(CpuContext& context, MatrixView<const double> x,
                                 const KMeansOptions& options, int restart) {
  M2ST_CHECK(options.domains >= 1 && options.domains <= x.rows, "plus_plus_centres: domains (got ",
             options.domains, ", need 1 to ", x.rows, ")");
  const RandomKey key{options.seed,
                      stream_of(Purpose::kCluster, static_cast<std::uint32_t>(restart)),
                      options.stream};
  const int candidates = 2 + static_cast<int>(std::log(options.domains));
  Matrix<double> centres(context.pool(), options.domains, x.cols);
  Seeding seeding(context, x, key, candidates);
  seeding.first(centres.view().row(0));
  for (int k = 1; k < options.domains; ++k) seeding.next(k, centres.view().row(k));
  return centres;
}

}  // namespace m2st::cluster
