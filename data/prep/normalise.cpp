// Arithmetic in double, entries rounded to float once a step, as scanpy keeps them.
#include "data/prep/normalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "data/prep/gene_moments.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kCellGrain = 1024;
constexpr std::int64_t kGeneGrain = 16;
constexpr std::int64_t kEntryGrain = 1 << 16;
// A deviation below it is what rounding entries to float makes of a constant gene.
constexpr double kConstant = 1e-7;
// Genes that dominate cells are few: Xenium's panel of 313 has 309 above 5 % of some cell's total.
constexpr double kFewGenes = 0.1, kMostCounts = 0.5;

std::vector<double> cell_totals(CpuContext& context, const SparseMatrix& by_cell,
                                const std::vector<char>& counted) {
  std::vector<double> totals(static_cast<std::size_t>(by_cell.rows));
  parallel_for(context, by_cell.rows, kCellGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t cell = begin; cell < end; ++cell) {
      double total = 0;
      for (std::int64_t e = by_cell.offsets[cell]; e < by_cell.offsets[cell + 1]; ++e) {
        if (counted[by_cell.indices[e]] != 0) total += by_cell.values[e];
      }
      totals[cell] = total;
    }
  });
  return totals;
}

// Whether each gene stays within `max_share` of the total in every cell.
std::vector<char> modest_genes(CpuContext& context, const SparseMatrix& by_gene,
                               const std::vector<double>& totals, double max_share) {
  std::vector<char> modest(static_cast<std::size_t>(by_gene.rows), 1);
  parallel_for(context, by_gene.rows, kGeneGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      for (std::int64_t e = by_gene.offsets[g]; e < by_gene.offsets[g + 1]; ++e) {
        if (by_gene.values[e] > max_share * totals[by_gene.indices[e]]) modest[g] = 0;
      }
    }
  });
  return modest;
}

double sum_of(const std::vector<double>& totals) {
  return std::accumulate(totals.begin(), totals.end(), 0.0);
}

// As NumPy's: the mean of the middle two of an even number.
double median_above_zero(std::vector<double> totals) {
  std::erase_if(totals, [](double total) { return !(total > 0); });
  if (totals.empty()) return 0;
  std::sort(totals.begin(), totals.end());
  const std::size_t half = totals.size() / 2;
  return totals.size() % 2 == 1 ? totals[half] : (totals[half - 1] + totals[half]) / 2;
}

}  // namespace

LibrarySizes library_sizes(CpuContext& context, const SparseMatrix& by_cell,
                           const SparseMatrix& by_gene, double target, DominantGenes dominant,
                           double max_share) {
  LibrarySizes sizes;
  std::vector<char> counted(static_cast<std::size_t>(by_cell.columns), 1);
  sizes.totals = cell_totals(context, by_cell, counted);
  if (dominant != DominantGenes::kCounted) {
    counted = modest_genes(context, by_gene, sizes.totals, max_share);
    std::vector<double> totals = cell_totals(context, by_cell, counted);
    for (std::size_t g = 0; g < counted.size(); ++g) {
      if (counted[g] == 0) sizes.ignored.push_back(static_cast<std::int32_t>(g));
    }
    const auto ignored = static_cast<std::int64_t>(sizes.ignored.size());
    const bool many = ignored > static_cast<std::int64_t>(kFewGenes * by_gene.rows) &&
                      sum_of(totals) < kMostCounts * sum_of(sizes.totals);
    if (dominant == DominantGenes::kLeftOutIfFew && many) {
      sizes.too_many = ignored;
      sizes.ignored.clear();
    } else {
      sizes.totals = std::move(totals);
    }
  }
  sizes.target = target > 0 ? target : median_above_zero(sizes.totals);
  sizes.empty_cells = std::count(sizes.totals.begin(), sizes.totals.end(), 0.0);
  return sizes;
}

void normalise(CpuContext& context, const LibrarySizes& sizes, SparseMatrix& by_gene) {
  std::vector<double> factors;
  for (const double total : sizes.totals) factors.push_back(total > 0 ? sizes.target / total : 1);
  parallel_for(context, by_gene.entries(), kEntryGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e) {
      by_gene.values[e] = static_cast<float>(by_gene.values[e] * factors[by_gene.indices[e]]);
    }
  });
}

void take_log1p(CpuContext& context, SparseMatrix& values) {
  parallel_for(context, values.entries(), kEntryGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t e = begin; e < end; ++e) {
      values.values[e] = static_cast<float>(std::log1p(static_cast<double>(values.values[e])));
    }
  });
}

std::vector<double> scale(CpuContext& context, const ScaleOptions& options, SparseMatrix& by_gene) {
  const GeneMoments moments = gene_moments(context, by_gene, EntryScale::kAsStored);
  const double limit =
      options.max_value > 0 ? options.max_value : std::numeric_limits<double>::infinity();
  const double least = options.zero_centre ? -limit : -std::numeric_limits<double>::infinity();
  std::vector<double> absent(moments.means.size());
  parallel_for(context, by_gene.rows, kGeneGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      const double mean = moments.means[g], root = std::sqrt(moments.variances[g]);
      const double deviation = root > kConstant * std::abs(mean) ? root : 1.0;
      const double centre = options.zero_centre ? mean : 0.0;
      absent[g] = std::clamp(-centre / deviation, least, limit);
      for (float& value : by_gene.row_values(g)) {
        const double scaled = std::clamp((value - centre) / deviation, least, limit);
        value = static_cast<float>(scaled - absent[g]);
      }
    }
  });
  return absent;
}

}  // namespace m2st::data
