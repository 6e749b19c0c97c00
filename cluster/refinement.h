// Smoothing of labels in space: a cell whose neighbourhood mostly belongs elsewhere joins the
// neighbourhood's majority.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct RefinementOptions {
  double share = 0.5;  // a cell moves when more than this share of its neighbours differ from it
  int iterations = 1;  // at most; stops earlier when nothing moves
};

// neighbours: without self loops, N nodes, or empty (then labels stay). All cells move at once,
// each to the majority of its neighbours and itself; its own label wins ties, then the lowest. A
// label that would vanish keeps its cells. labels >= 0.
std::vector<std::int32_t> refine_labels(CpuContext& context, CsrView neighbours,
                                        Span<const std::int32_t> labels,
                                        const RefinementOptions& options);

}  // namespace m2st::cluster
