// One partition from many: the one that agrees best with all of them, then a vote of all over every
// cell. Where the many disagree, the share of votes says so.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"

namespace m2st::cluster {

struct Consensus {
  std::vector<std::int32_t> labels;  // (N), every domain holds cells
  std::vector<float> share;          // (N) of the partitions that say so too, in [0, 1]
  double agreement = 0;              // mean ARI of the central partition with the others
};

// partitions: at least one, each (N) labels in [0, domains), not all domains used by every one but
// by at least one. The central partition (largest mean adjusted Rand index with the others; the
// first of equals) is the reference that the others' domains are matched to one to one (most cells
// in common); then each cell takes the label most partitions give it, and again with the result as
// the reference, until nothing changes, five times at most, or until a domain would lose its cells.
Consensus find_consensus(CpuContext& context,
                         const std::vector<std::vector<std::int32_t>>& partitions, int domains);

}  // namespace m2st::cluster
