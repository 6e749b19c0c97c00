// Colours of domains: scanpy's own palettes, so that plots made elsewhere match.
#pragma once

#include <string>

namespace m2st::apps {

// "#rrggbb" of domain `index` out of `count`: default_20 up to 20 domains, default_28 up to 28,
// beyond that hues that never come close for neighbouring numbers.
std::string domain_colour(int index, int count);

}  // namespace m2st::apps
