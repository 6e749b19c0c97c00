// The first cells of the STARmap data, with the edges among them. The caller skips without the
// data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "data/graph/graph.h"
#include "data/io/npy.h"
#include "engine/array.h"
#include "tests/support/shared_data.h"

namespace m2st::test {

struct StarmapPart {
  Matrix<float> features;
  data::Graph graph;

  StarmapPart(CpuContext& host, std::int64_t cells) {
    const std::string folder = shared_path("data/starmap_m2st/");
    const auto all = data::read_npy<float>(host, folder + "features.npy");
    const auto offsets = data::read_npy<std::int64_t>(host, folder + "graph_indptr.npy");
    const auto neighbours = data::read_npy<std::int32_t>(host, folder + "graph_indices.npy");
    features = Matrix<float>(host.pool(), cells, all.cols());
    const Span<const float> first = all.view().slice(0, cells).span();
    std::copy(first.begin(), first.end(), features.data());
    graph =
        data::graph_with_self_loops(host, among_first(cells, offsets.span(), neighbours.span()));
  }

 private:
  static data::Adjacency among_first(std::int64_t cells, Span<const std::int64_t> offsets,
                                     Span<const std::int32_t> neighbours) {
    data::Adjacency part;
    part.offsets.push_back(0);
    for (std::int64_t n = 0; n < cells; ++n) {
      for (std::int64_t e = offsets[n]; e < offsets[n + 1]; ++e) {
        if (neighbours[e] < cells) part.neighbours.push_back(neighbours[e]);
      }
      part.offsets.push_back(std::ssize(part.neighbours));
    }
    return part;
  }
};

}  // namespace m2st::test
