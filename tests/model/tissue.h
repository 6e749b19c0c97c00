// A small tissue for the model's tests: a jittered lattice with its neighbour graph, features with
// a few domains in them, and some cells without neighbours.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "data/graph/graph.h"
#include "engine/array.h"
#include "engine/context.h"
#include "engine/random.h"

namespace m2st::test {

struct Tissue {
  data::Graph graph;
  Matrix<float> features;

  MatrixView<const float> view() const { return features.view(); }
};

// Cells on a grid `side` wide, joined to their four neighbours; every `isolated_every`-th has none.
inline data::Adjacency grid_adjacency(std::int64_t cells, std::int64_t side,
                                      std::int64_t isolated_every) {
  const auto alone = [&](std::int64_t n) {
    return isolated_every > 0 && n % isolated_every == isolated_every - 1;
  };
  data::Adjacency adjacency;
  adjacency.offsets.push_back(0);
  for (std::int64_t n = 0; n < cells; ++n) {
    for (const std::int64_t m : {n - side, n - 1, n + 1, n + side}) {
      const bool same_row = m / side == n / side || m == n - side || m == n + side;
      if (m < 0 || m >= cells || !same_row || alone(n) || alone(m)) continue;
      adjacency.neighbours.push_back(static_cast<std::int32_t>(m));
    }
    adjacency.offsets.push_back(std::ssize(adjacency.neighbours));
  }
  return adjacency;
}

inline Tissue small_tissue(Context& context, std::int64_t cells, std::int64_t width,
                           std::int64_t isolated_every = 17) {
  constexpr std::int64_t kSide = 12;
  constexpr std::int64_t kDomains = 3;
  const RandomKey key{1, stream_of(Purpose::kTest, 8), 0};
  Tissue tissue;
  CpuContext& host = context.host();
  tissue.graph = data::graph_with_self_loops(host, grid_adjacency(cells, kSide, isolated_every));
  tissue.features = Matrix<float>(host.pool(), cells, width);
  for (std::int64_t n = 0; n < cells; ++n) {
    const std::int64_t domain = kDomains * n / cells;
    for (std::int64_t c = 0; c < width; ++c) {
      const double signal = c % kDomains == domain ? 2.0 : 0.0;
      const double noise =
          random_normal(key, static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(c));
      tissue.features(n, c) = static_cast<float>(signal + noise);
    }
  }
  return tissue;
}

// The same tissue with node order[i] as the engine's node i.
inline Tissue reordered(Context& context, const Tissue& tissue,
                        const std::vector<std::int32_t>& order) {
  Tissue result;
  CpuContext& host = context.host();
  result.graph = data::reordered(host, tissue.graph, order);
  const std::int64_t width = tissue.features.cols();
  result.features = Matrix<float>(host.pool(), tissue.features.rows(), width);
  for (std::int64_t n = 0; n < tissue.features.rows(); ++n) {
    for (std::int64_t c = 0; c < width; ++c) result.features(n, c) = tissue.features(order[n], c);
  }
  return result;
}

// A fixed random permutation (Fisher and Yates).
inline std::vector<std::int32_t> scrambled_order(std::int64_t nodes) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(nodes));
  std::iota(order.begin(), order.end(), 0);
  const RandomKey key{2, stream_of(Purpose::kTest, 9), 0};
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(
        order[i - 1],
        order[random_index(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i))]);
  }
  return order;
}

}  // namespace m2st::test
