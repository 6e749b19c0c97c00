// A counting sort over the distinct labels, stable by construction: O(N), or O(N log K) where
// labels are larger than there are cells.
#include "cluster/metrics/grouping.h"

#include <algorithm>

namespace m2st::cluster {
namespace {

// Labels that are not negative, numbered by value.
class Numbering {
 public:
  explicit Numbering(Span<const std::int32_t> labels) {
    const std::int32_t largest = labels.empty() ? -1 : *std::ranges::max_element(labels);
    if (largest >= std::ssize(labels)) {
      values_.assign(labels.begin(), labels.end());
      std::sort(values_.begin(), values_.end());
      values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
      values_.erase(values_.begin(), std::lower_bound(values_.begin(), values_.end(), 0));
      count_ = static_cast<std::int32_t>(values_.size());
      return;
    }
    numbers_.assign(static_cast<std::size_t>(largest + 1), -1);
    for (const std::int32_t label : labels) {
      if (label >= 0) numbers_[static_cast<std::size_t>(label)] = 0;
    }
    for (std::int32_t& number : numbers_) {
      if (number == 0) number = count_++;
    }
  }
  std::int32_t count() const { return count_; }
  std::int32_t of(std::int32_t label) const {
    if (values_.empty()) return numbers_[static_cast<std::size_t>(label)];
    const auto found = std::lower_bound(values_.begin(), values_.end(), label);
    return static_cast<std::int32_t>(found - values_.begin());
  }

 private:
  std::vector<std::int32_t> values_;   // ascending, where there are large ones
  std::vector<std::int32_t> numbers_;  // else by value; -1: nobody's label
  std::int32_t count_ = 0;
};

}  // namespace

Grouping group_by_label(Span<const std::int32_t> labels) {
  const Numbering numbering(labels);
  const auto groups = static_cast<std::size_t>(numbering.count());
  Grouping result;
  result.group.assign(labels.size(), -1);
  result.offsets.assign(groups + 1, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    result.group[i] = numbering.of(labels[i]);
    ++result.offsets[static_cast<std::size_t>(result.group[i]) + 1];
  }
  for (std::size_t g = 0; g < groups; ++g) result.offsets[g + 1] += result.offsets[g];

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
