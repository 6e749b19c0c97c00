// Well separated clouds of cells for the clustering tests: cell n belongs to cloud n % clouds.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "tests/reference/dense.h"
#include "tests/support/random_dense.h"

namespace m2st::test {

// Centres `distance` apart on a grid of the first two dimensions, unit deviation.
inline reference::Dense<double> blobs(std::int64_t cells, int clouds, std::int64_t cols,
                                      double distance, std::uint64_t seed) {
  reference::Dense<double> x = random_dense<double>(cells, cols, seed);
  for (std::int64_t n = 0; n < cells; ++n) {
    const std::int64_t cloud = n % clouds;
    x(n, 0) += distance * static_cast<double>(cloud % 3);
    x(n, 1 % cols) += distance * static_cast<double>(cloud / 3);
  }
  return x;
}

// Whether the labels are the clouds under other names.
inline bool recovers_blobs(const std::vector<std::int32_t>& labels, int clouds) {
  std::map<std::int32_t, std::int64_t> cloud_of;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto cloud = static_cast<std::int64_t>(n) % clouds;
    if (cloud_of.emplace(labels[n], cloud).first->second != cloud) return false;
  }
  return static_cast<int>(cloud_of.size()) == clouds;
}

}  // namespace m2st::test
