// Hilbert order: neighbours in space become neighbours in memory, ranges become partitions.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// order[i] is the node at place i of the curve (2-D or 3-D, 2^16 or 2^10 cells a side; equal cells
// keep input order).
std::vector<std::int32_t> hilbert_order(CpuContext& context, MatrixView<const double> coordinates);

}  // namespace m2st::data
