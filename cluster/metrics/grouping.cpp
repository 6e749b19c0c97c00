// A counting sort over the distinct labels: O(N log K), stable by construction.
#include "cluster/metrics/grouping.h"

#include <algorithm>

namespace m2st::cluster {

Grouping group_by_label(Span<const std::int32_t> labels) {
  std::vector<std::int32_t> distinct(labels.begin(), labels.end());
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  distinct.erase(distinct.begin(), std::lower_bound(distinct.begin(), distinct.end(), 0));

  Grouping result;
  result.group.assign(labels.size(), -1);
  result.offsets.assign(distinct.size() + 1, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    const auto found = std::lower_bound(distinct.begin(), distinct.end(), labels[i]);
    result.group[i] = static_cast<std::int32_t>(found - distinct.begin());
    ++result.offsets[static_cast<std::size_t>(result.group[i]) + 1];
  }
  for (std::size_t g = 0; g < distinct.size(); ++g) result.offsets[g + 1] += result.offsets[g];

  result.cells.resize(static_cast<std::size_t>(result.offsets.back()));
  std::vector<std::int64_t> next = result.offsets;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (result.group[i] < 0) continue;
    std::int64_t& position = next[static_cast<std::size_t>(result.group[i])];
    result.cells[static_cast<std::size_t>(position++)] = static_cast<std::int32_t>(i);
  }
  return result;
}

}  // namespace m2st::cluster
