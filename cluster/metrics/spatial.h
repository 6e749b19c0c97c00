// How coherent domains are in space; neighbours by k-d tree, O(N log N). Labels < 0 are left out.
#pragma once

#include <cstdint>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// CHAOS (Shang and Zhou 2022): mean over cells of the distance to the nearest cell of the same
// domain, coordinates standardised per axis first; domains of one cell are left out.
double chaos(CpuContext& context, MatrixView<const double> coordinates,
             Span<const std::int32_t> labels);
// PAS: share of cells with at least six of their ten nearest neighbours in another domain.
double pas(CpuContext& context, MatrixView<const double> coordinates,
           Span<const std::int32_t> labels);

}  // namespace m2st::cluster
