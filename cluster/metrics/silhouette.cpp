// Silhouettes (Rousseeuw 1987) with distances: s = (b − a) / max(a, b), where a is a cell's mean
// distance to the other cells of its cluster and b the smallest mean distance to another cluster.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "cluster/metrics/centred_cells.h"
#include "cluster/metrics/separation.h"
#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "kernels/gemm.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kFewestQueries = 64;
constexpr std::int64_t kMostQueries = 256;  // with a tile of others: 1.6 MB at d = 400
constexpr std::int64_t kQueryChunks = 8;
constexpr std::int64_t kOthersPerTile = 256;

// `sums[c]`: a cell's summed distance to cluster c, itself at distance 0.
double silhouette_of(const Grouping& grouping, std::int32_t own, Span<const double> sums) {
  if (grouping.size(own) == 1) return 0;
  double nearest = std::numeric_limits<double>::infinity();
  for (std::int32_t c = 0; c < grouping.groups(); ++c) {
    if (c == own) continue;
    nearest = std::min(nearest,
                       sums[static_cast<std::size_t>(c)] / static_cast<double>(grouping.size(c)));
  }
  const double inside =
      sums[static_cast<std::size_t>(own)] / static_cast<double>(grouping.size(own) - 1);
  const double larger = std::max(inside, nearest);
  return larger > 0 ? (nearest - inside) / larger : 0;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Adds Σ sqrt(squares[i]) over the tile's cells to the sums of their clusters. Cells are grouped,
// so that a tile is a few runs of one cluster each.
void add_roots(const Grouping& grouping, std::int64_t first, Span<double> squares,
               Span<double> sums) {
  for (double& square : squares) square = std::sqrt(std::max(square, 0.0));
  const std::int64_t end = first + static_cast<std::int64_t>(squares.size());
  for (std::int64_t p = first; p < end;) {
    const std::size_t g = static_cast<std::size_t>(grouping.group_at(p));
    const std::int64_t stop = std::min(end, grouping.offsets[g + 1]);
    for (; p < stop; ++p) sums[g] += squares[static_cast<std::size_t>(p - first)];
  }
}

// Distances of a few cells to all, tile by tile; only the sums by cluster are kept.
class DistanceSums {
 public:
  DistanceSums(CpuContext& context, const CentredCells& cells, Span<const std::int64_t> queries)
      : context_(context), cells_(cells), queries_(queries) {
    const std::int64_t count = static_cast<std::int64_t>(queries.size());
    near_ = Matrix<double>(context.pool(), count, cells.width());
    near_squares_.resize(queries.size());
    sums_ = Matrix<double>(context.pool(), count, cells.clusters());
    std::fill(sums_.span().begin(), sums_.span().end(), 0.0);
    cells.gather(queries, near_.view(), near_squares_);
  }

  void add_all() {
    Matrix<double> others(context_.pool(), kOthersPerTile, cells_.width());
    Matrix<double> squares(context_.pool(), near_.rows(), kOthersPerTile);
    for (std::int64_t first = 0; first < cells_.count(); first += kOthersPerTile) {
      const std::int64_t count = std::min(kOthersPerTile, cells_.count() - first);
      add_tile(first, others.view().slice(0, count), {squares.data(), near_.rows(), count});
    }
  }

  Span<const double> row(std::size_t query) const {
    return sums_.view().row(static_cast<std::int64_t>(query));
  }

 private:
  // ‖q − x‖² = ‖q‖² + ‖x‖² − 2 q·x.
  void add_tile(std::int64_t first, MatrixView<double> others, MatrixView<double> squares) {
    std::vector<double> other_squares(static_cast<std::size_t>(others.rows));
    cells_.gather(first, others, other_squares);
    kernels::gemm<double>(context_, Layout::kPlain, Layout::kTransposed, -2.0, near_.view(), others,
                          0.0, squares);
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      const Span<double> row = squares.row(static_cast<std::int64_t>(q));
      for (std::size_t i = 0; i < row.size(); ++i) row[i] += near_squares_[q] + other_squares[i];
      const std::int64_t itself = queries_[q] - first;
      if (itself >= 0 && itself < others.rows) row[static_cast<std::size_t>(itself)] = 0;
      add_roots(cells_.grouping(), first, row, sums_.view().row(static_cast<std::int64_t>(q)));
    }
  }

  CpuContext& context_;
  const CentredCells& cells_;
  Span<const std::int64_t> queries_;
  Matrix<double> near_, sums_;
  std::vector<double> near_squares_;
};

// Every chunk reads all cells, in an order that memory dislikes: few chunks, but some for each
// thread.
std::int64_t queries_per_chunk(std::int64_t queries) {
  return std::clamp(chunk_count(queries, kQueryChunks), kFewestQueries, kMostQueries);
}

double mean_silhouette(CpuContext& context, const CentredCells& cells,
                       const std::vector<std::int64_t>& queries) {
  const std::int64_t count = static_cast<std::int64_t>(queries.size());
  std::vector<double> scores(queries.size());
  parallel_for(context, count, queries_per_chunk(count), [&](std::int64_t begin, std::int64_t end) {
    const Span<const std::int64_t> block(queries.data() + begin,
                                         static_cast<std::size_t>(end - begin));
    DistanceSums sums(context, cells, block);
    sums.add_all();
    for (std::size_t q = 0; q < block.size(); ++q) {
      scores[static_cast<std::size_t>(begin) + q] =
          silhouette_of(cells.grouping(), cells.grouping().group_at(block[q]), sums.row(q));
    }
  });
  return mean(scores);
}

// The `sample` positions whose keys are smallest, ascending. Keys belong to cells, not positions.
std::vector<std::int64_t> drawn_positions(const Grouping& grouping, std::int64_t sample,
                                          std::uint64_t seed) {
  std::vector<std::pair<double, std::int64_t>> keyed;
  for (std::int64_t p = 0; p < grouping.count(); ++p) {
    const std::int32_t cell = grouping.cells[static_cast<std::size_t>(p)];
    const RandomKey key{seed, stream_of(Purpose::kMetrics, 0), 0};
    keyed.emplace_back(random_uniform(key, static_cast<std::uint32_t>(cell)), p);
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < std::min(sample, grouping.count()); ++i) {
    result.push_back(keyed[static_cast<std::size_t>(i)].second);
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

double silhouette_exact(CpuContext& context, MatrixView<const float> x,
                        Span<const std::int32_t> labels) {
  return silhouette_sampled(context, x, labels, x.rows, 0);
}

double silhouette_sampled(CpuContext& context, MatrixView<const float> x,
                          Span<const std::int32_t> labels, std::int64_t sample,
                          std::uint64_t seed) {
  M2ST_CHECK(sample > 0 || x.rows == 0, "silhouette_sampled: sample is ", sample,
             ", needs at least 1");
  const CentredCells cells(context, x, labels);
  if (cells.clusters() < 2) return kUndefined;
  return mean_silhouette(context, cells, drawn_positions(cells.grouping(), sample, seed));
}

}  // namespace m2st::cluster
