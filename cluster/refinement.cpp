// Majority refinement. Cells read the labels of the pass before, so their order plays no part.
#include "cluster/refinement.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 1024;

// Most frequent of `votes` (sorted here); `own` wins ties, then the lowest.
std::int32_t majority(std::vector<std::int32_t>& votes, std::int32_t own) {
  std::sort(votes.begin(), votes.end());
  std::int32_t best = own;
  auto best_count = std::count(votes.begin(), votes.end(), own);
  for (auto run = votes.begin(); run != votes.end();) {
    const auto end = std::upper_bound(run, votes.end(), *run);
    if (end - run > best_count) {
      best_count = end - run;
      best = *run;
    }
    run = end;
  }
  return best;
}

std::int32_t refined_label(CsrView neighbours, Span<const std::int32_t> labels, std::int64_t cell,
                           double share, std::vector<std::int32_t>& votes) {
  const std::int32_t own = labels[static_cast<std::size_t>(cell)];
  votes.assign(1, own);
  for (std::int64_t e = neighbours.offsets[static_cast<std::size_t>(cell)];
       e < neighbours.offsets[static_cast<std::size_t>(cell) + 1]; ++e) {
    votes.push_back(
        labels[static_cast<std::size_t>(neighbours.sources[static_cast<std::size_t>(e)])]);
  }
  const auto degree = static_cast<double>(votes.size() - 1);
  const auto differing = static_cast<double>(votes.end() - votes.begin() -
                                             std::count(votes.begin(), votes.end(), own));
  return differing > share * degree ? majority(votes, own) : own;
}

// Cells of labels that no cell has any more get them back.
void restore_vanished(Span<const std::int32_t> before, std::vector<std::int32_t>& after) {
  const std::int32_t most = *std::max_element(before.begin(), before.end());
  std::vector<bool> present(static_cast<std::size_t>(most) + 1, false);
  for (std::int32_t label : after) present[static_cast<std::size_t>(label)] = true;
  for (std::size_t n = 0; n < after.size(); ++n) {
    if (!present[static_cast<std::size_t>(before[n])]) after[n] = before[n];
  }
}

}  // namespace

std::vector<std::int32_t> refine_labels(CpuContext& context, CsrView neighbours,
                                        Span<const std::int32_t> labels,
                                        const RefinementOptions& options) {
  std::vector<std::int32_t> current(labels.begin(), labels.end());
  if (neighbours.offsets.empty() || labels.empty()) return current;
  const auto cells = static_cast<std::int64_t>(labels.size());
  M2ST_CHECK(neighbours.nodes() == cells, "refine_labels: nodes of the graph (got ",
             neighbours.nodes(), ", need ", cells, ")");
  for (int pass = 0; pass < options.iterations; ++pass) {
    std::vector<std::int32_t> next(current.size());
    parallel_for(context, cells, kGrain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int32_t> votes;
      for (std::int64_t n = begin; n < end; ++n) {
        next[static_cast<std::size_t>(n)] =
            refined_label(neighbours, current, n, options.share, votes);
      }
    });
    restore_vanished(current, next);
    if (next == current) break;
    current = std::move(next);
  }
  return current;
}

}  // namespace m2st::cluster
