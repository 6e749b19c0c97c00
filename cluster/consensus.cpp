// Voting after matching: Dimitriadou, Weingessel and Hornik 2002; Strehl and Ghosh 2002.
#include "cluster/consensus.h"

#include <algorithm>

#include "cluster/metrics/agreement.h"
#include "cluster/metrics/assignment.h"
#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::cluster {

namespace {

using Labels = std::vector<std::int32_t>;

constexpr std::int64_t kGrain = 4096;
constexpr int kRounds = 5;

// (domains, domains) cells with label i in `a` and j in `b`.
Matrix<std::int64_t> contingency(CpuContext& context, const Labels& a, const Labels& b,
                                 int domains) {
  Matrix<std::int64_t> table(context.pool(), domains, domains);
  std::fill(table.span().begin(), table.span().end(), 0);
  for (std::size_t n = 0; n < a.size(); ++n) ++table(a[n], b[n]);
  return table;
}

bool uses_all(const Labels& labels, int domains) {
  std::vector<char> seen(static_cast<std::size_t>(domains), 0);
  for (const std::int32_t label : labels) seen[static_cast<std::size_t>(label)] = 1;
  return std::count(seen.begin(), seen.end(), 1) == domains;
}

// Mean adjusted Rand index of each partition with all the others.
std::vector<double> mean_agreement(CpuContext& context, const std::vector<Labels>& partitions,
                                   int domains) {
  const std::int64_t count = std::ssize(partitions);
  Matrix<double> indices(context.pool(), count, count);
  parallel_for(context, count * count, 1, [&](std::int64_t pair, std::int64_t) {
    const auto i = static_cast<std::size_t>(pair / count),
               j = static_cast<std::size_t>(pair % count);
    if (i >= j) return;
    const auto table = contingency(context, partitions[i], partitions[j], domains);
    const double index = adjusted_rand_index(table.view());
    indices(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)) = index;
    indices(static_cast<std::int64_t>(j), static_cast<std::int64_t>(i)) = index;
  });
  std::vector<double> means(partitions.size(), 1.0);
  for (std::int64_t i = 0; i < count && count > 1; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < count; ++j) sum += i == j ? 0.0 : indices(i, j);
    means[static_cast<std::size_t>(i)] = sum / static_cast<double>(count - 1);
  }
  return means;
}

// The partitions' labels in the reference's names.
std::vector<Labels> matched(CpuContext& context, const Labels& reference,
                            const std::vector<Labels>& partitions, int domains) {
  std::vector<Labels> out(partitions.size());
  parallel_for(context, std::ssize(partitions), 1, [&](std::int64_t p, std::int64_t) {
    const Labels& partition = partitions[static_cast<std::size_t>(p)];
    const auto table = contingency(context, reference, partition, domains);
    const auto column = maximum_assignment(table.view());
    Labels name(static_cast<std::size_t>(domains));
    for (std::size_t k = 0; k < column.size(); ++k) {
      name[static_cast<std::size_t>(column[k])] = static_cast<std::int32_t>(k);
    }
    Labels& renamed = out[static_cast<std::size_t>(p)];
    renamed.resize(partition.size());
    for (std::size_t n = 0; n < partition.size(); ++n) {
      renamed[n] = name[static_cast<std::size_t>(partition[n])];
    }
  });
  return out;
}

// The label most partitions give each cell (the lowest of equals).
Labels vote(CpuContext& context, const std::vector<Labels>& partitions, int domains) {
  Labels winner(partitions.front().size());
  parallel_for(context, std::ssize(winner), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<int> votes(static_cast<std::size_t>(domains));
    for (auto n = static_cast<std::size_t>(begin); n < static_cast<std::size_t>(end); ++n) {
      std::fill(votes.begin(), votes.end(), 0);
      for (const Labels& partition : partitions) ++votes[static_cast<std::size_t>(partition[n])];
      winner[n] =
          static_cast<std::int32_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    }
  });
  return winner;
}

std::vector<float> share_of(const Labels& labels, const std::vector<Labels>& partitions) {
  std::vector<float> share(labels.size());
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto same = std::count_if(partitions.begin(), partitions.end(),
                                    [&](const Labels& other) { return other[n] == labels[n]; });
    share[n] = static_cast<float>(same) / static_cast<float>(partitions.size());
  }
  return share;
}

}  // namespace

Consensus find_consensus(CpuContext& context, const std::vector<Labels>& partitions, int domains) {
  M2ST_CHECK(!partitions.empty() && domains >= 1, "find_consensus: partitions and domains (got ",
             partitions.size(), " and ", domains, ", need at least 1)");
  const std::vector<double> agreement = mean_agreement(context, partitions, domains);
  std::size_t central = partitions.size();
  for (std::size_t p = 0; p < partitions.size(); ++p) {
    if (!uses_all(partitions[p], domains)) continue;
    if (central == partitions.size() || agreement[p] > agreement[central]) central = p;
  }
  M2ST_CHECK(central < partitions.size(), "find_consensus: no partition uses all ", domains,
             " domains");
  Consensus result{partitions[central], {}, agreement[central]};
  std::vector<Labels> renamed = matched(context, result.labels, partitions, domains);
  for (int round = 0; round < kRounds; ++round) {
    Labels winner = vote(context, renamed, domains);
    if (winner == result.labels || !uses_all(winner, domains)) break;
    result.labels = std::move(winner);
    renamed = matched(context, result.labels, partitions, domains);
  }
  result.share = share_of(result.labels, renamed);
  return result;
}

}  // namespace m2st::cluster
