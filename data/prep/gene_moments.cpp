// Two passes a gene: the mean first, so that no digits are lost to E[x²] − E[x]².
#include "data/prep/gene_moments.h"

#include <algorithm>
#include <cmath>

#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGeneGrain = 16;

double entry(float value, EntryScale scale) {
  return scale == EntryScale::kLogged ? std::expm1(static_cast<double>(value)) : value;
}

}  // namespace

GeneMoments gene_moments(CpuContext& context, const SparseMatrix& by_gene, EntryScale scale) {
  GeneMoments moments;
  moments.means.resize(static_cast<std::size_t>(by_gene.rows));
  moments.variances.resize(moments.means.size());
  const auto n = static_cast<double>(by_gene.columns);
  parallel_for(context, by_gene.rows, kGeneGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t g = begin; g < end; ++g) {
      const Span<const float> values = by_gene.row_values(g);
      double sum = 0;
      for (const float value : values) sum += entry(value, scale);
      const double mean = n > 0 ? sum / n : 0;
      double squares = (n - static_cast<double>(values.size())) * mean * mean;
      for (const float value : values) {
        const double difference = entry(value, scale) - mean;
        squares += difference * difference;
      }
      moments.means[g] = mean;
      moments.variances[g] = squares / std::max(n - 1, 1.0);
    }
  });
  return moments;
}

}  // namespace m2st::data
