// Both flavours follow scanpy operation by operation; where it leaves an order open (ties), genes
// keep the order of the input.
#include "data/prep/variable_genes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "data/prep/gene_moments.h"
#include "data/prep/loess.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr double kSpan = 0.3;
constexpr int kBins = 20;
constexpr double kBinSlack = 0.001;   // of the range, below the lowest edge (pandas.cut)
constexpr double kLeastMean = 1e-12;  // stands for a mean of zero
constexpr std::int64_t kGeneGrain = 16;

// Standard deviation that a gene of this mean should have: 10^(fit / 2), and 1 for constant genes.
std::vector<double> expected_deviations(CpuContext& context, const GeneMoments& moments) {
  std::vector<double> log_means, log_variances;
  for (std::size_t g = 0; g < moments.means.size(); ++g) {
    if (!(moments.variances[g] > 0)) continue;
    log_means.push_back(std::log10(moments.means[g]));
    log_variances.push_back(std::log10(moments.variances[g]));
  }
  const std::vector<double> fitted = loess(context, log_means, log_variances, kSpan);
  std::vector<double> deviations(moments.means.size(), 1.0);
  for (std::size_t g = 0, next = 0; g < deviations.size(); ++g) {
    if (moments.variances[g] > 0) deviations[g] = std::sqrt(std::pow(10.0, fitted[next++]));
  }
  return deviations;
}

// Right-closed bins of equal width over the range of `values`, as pandas.cut makes them.
std::vector<int> equal_width_bins(const std::vector<double>& values) {
  auto [low, high] = std::minmax_element(values.begin(), values.end());
  double first = *low, last = *high;
  const bool single = first == last;
  if (single) {
    first -= first != 0 ? kBinSlack * std::abs(first) : kBinSlack;
    last += last != 0 ? kBinSlack * std::abs(last) : kBinSlack;
  }
  std::vector<double> edges;
  for (int edge = 0; edge < kBins; ++edge) {
    edges.push_back(first + edge * ((last - first) / kBins));
  }
  edges.push_back(last);
  if (!single) edges[0] -= (last - first) * kBinSlack;
  std::vector<int> bins;
  for (const double value : values) {
    const auto edge = std::lower_bound(edges.begin(), edges.end(), value);
    bins.push_back(static_cast<int>(edge - edges.begin()) - 1);
  }
  return bins;
}

struct BinMoments {
  double mean = 0;
  double deviation = std::numeric_limits<double>::quiet_NaN();
};

// Of the genes that have a dispersion at all. A gene alone in its bin scores 1.
BinMoments moments_of_bin(const std::vector<double>& dispersions, const std::vector<int>& bins,
                          int bin) {
  double sum = 0, squares = 0, count = 0;
  for (std::size_t g = 0; g < bins.size(); ++g) {
    if (bins[g] != bin || std::isnan(dispersions[g])) continue;
    sum += dispersions[g];
    count += 1;
  }
  const double mean = sum / count;
  if (count < 2) return {0, mean};
  for (std::size_t g = 0; g < bins.size(); ++g) {
    if (bins[g] != bin || std::isnan(dispersions[g])) continue;
    squares += (dispersions[g] - mean) * (dispersions[g] - mean);
  }
  return {mean, std::sqrt(squares / (count - 1))};
}

// Genes by falling score, then as they stand; those without a score are left out.
std::vector<std::int32_t> ranking(Span<const double> scores) {
  std::vector<std::int32_t> order;
  for (std::size_t g = 0; g < scores.size(); ++g) {
    if (!std::isnan(scores[g])) order.push_back(static_cast<std::int32_t>(g));
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return scores[a] > scores[b]; });
  return order;
}

}  // namespace

std::vector<double> seurat_v3_scores(CpuContext& context, const SparseMatrix& counts_by_gene) {
  const GeneMoments moments = gene_moments(context, counts_by_gene, EntryScale::kAsStored);
  const std::vector<double> deviations = expected_deviations(context, moments);
  const auto n = static_cast<double>(counts_by_gene.columns);
  std::vector<double> scores(moments.means.size());
  parallel_for(context, counts_by_gene.rows, kGeneGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      const double mean = moments.means[g], limit = deviations[g] * std::sqrt(n) + mean;
      double sum = 0, squares = 0;
      for (const float count : counts_by_gene.row_values(g)) {
        const double clipped = std::min(static_cast<double>(count), limit);
        sum += clipped;
        squares += clipped * clipped;
      }
      scores[g] = (n * mean * mean + squares - 2 * sum * mean) /
                  (std::max(n - 1, 1.0) * deviations[g] * deviations[g]);
    }
  });
  return scores;
}

std::vector<double> seurat_scores(CpuContext& context, const SparseMatrix& logged_by_gene) {
  const GeneMoments moments = gene_moments(context, logged_by_gene, EntryScale::kLogged);
  std::vector<double> means, dispersions;
  for (std::size_t g = 0; g < moments.means.size(); ++g) {
    const double mean = moments.means[g] == 0 ? kLeastMean : moments.means[g];
    const double dispersion = moments.variances[g] / mean;
    means.push_back(std::log1p(mean));
    dispersions.push_back(dispersion == 0 ? std::numeric_limits<double>::quiet_NaN()
                                          : std::log(dispersion));
  }
  if (means.empty()) return {};
  const std::vector<int> bins = equal_width_bins(means);
  std::vector<BinMoments> of_bins;
  for (int bin = 0; bin < kBins; ++bin) {
    of_bins.push_back(moments_of_bin(dispersions, bins, bin));
  }
  std::vector<double> scores;
  for (std::size_t g = 0; g < bins.size(); ++g) {
    const BinMoments& bin = of_bins[static_cast<std::size_t>(bins[g])];
    scores.push_back((dispersions[g] - bin.mean) / bin.deviation);
  }
  return scores;
}

std::vector<std::int32_t> top_genes(Span<const double> scores, std::int64_t count) {
  std::vector<std::int32_t> order = ranking(scores);
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::int32_t> genes_from_cutoff(Span<const double> scores, std::int64_t count) {
  const std::vector<std::int32_t> order = ranking(scores);
  if (order.empty() || count < 1) return {};
  const auto last = std::min(order.size(), static_cast<std::size_t>(count)) - 1;
  const double cutoff = scores[order[last]];
  std::vector<std::int32_t> kept;
  for (std::size_t g = 0; g < scores.size(); ++g) {
    if (scores[g] >= cutoff) kept.push_back(static_cast<std::int32_t>(g));
  }
  return kept;
}

}  // namespace m2st::data
