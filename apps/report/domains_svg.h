// A picture of the domains in space, small enough to open at any number of cells: dots up to 50,000
// cells, runs of a fine grid beyond. y grows downward, as in images.
#pragma once

#include <cstdint>
#include <string>

#include "engine/view.h"

namespace m2st::apps {

// coordinates: (N, 2 or 3), the first two are drawn; labels: (N) domains 0, 1, ...
std::string domains_svg(MatrixView<const double> coordinates, Span<const std::int32_t> labels,
                        const std::string& title);

}  // namespace m2st::apps
