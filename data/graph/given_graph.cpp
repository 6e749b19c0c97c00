#include "data/graph/given_graph.h"

#include <algorithm>
#include <utility>

#include "data/graph/neighbourhoods.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 4096;

void check_offsets(const Adjacency& given, std::int64_t cells, const std::string& name) {
  const std::vector<std::int64_t>& offsets = given.offsets;
  if (given.nodes() != cells) {
    fail(ExitCode::kInputInvalid, name, ": the graph has ",
         std::max<std::int64_t>(given.nodes(), 0), " rows, but there are ", cells,
         " cells; it needs one row a cell, in the same order");
  }
  const auto entries = static_cast<std::int64_t>(given.neighbours.size());
  const bool whole = offsets.front() == 0 && offsets.back() == entries &&
                     std::is_sorted(offsets.begin(), offsets.end());
  if (!whole) {
    fail(ExitCode::kInputInvalid, name, ": the graph's row offsets do not ascend from 0 to its ",
         entries, " entries; the file is damaged");
  }
}

void check_ends(const Adjacency& given, std::int64_t cells, const std::string& name) {
  for (std::int64_t i = 0; i < cells; ++i) {
    for (std::int64_t e = given.offsets[i]; e < given.offsets[i + 1]; ++e) {
      if (given.neighbours[e] < 0 || given.neighbours[e] >= cells) {
        fail(ExitCode::kInputInvalid, name, ": row ", i, " of the graph names the cell ",
             given.neighbours[e], ", need 0 to ", cells - 1);
      }
    }
  }
}

// Sorts every row and leaves out repeats and the cell itself.
Adjacency tidied(CpuContext& context, Adjacency given) {
  const std::int64_t nodes = given.nodes();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(nodes));
  parallel_for(context, nodes, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto first = given.neighbours.begin() + given.offsets[i];
      auto last = given.neighbours.begin() + given.offsets[i + 1];
      last = std::remove(first, last, static_cast<std::int32_t>(i));
      std::sort(first, last);
      counts[i] = std::unique(first, last) - first;
    }
  });
  Adjacency tidy;
  tidy.offsets.resize(counts.size() + 1);
  kernels::exclusive_scan(context, counts, tidy.offsets);
  tidy.neighbours.resize(static_cast<std::size_t>(tidy.offsets.back()));
  parallel_for(context, nodes, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(given.neighbours.begin() + given.offsets[i], counts[i],
                  tidy.neighbours.begin() + tidy.offsets[i]);
    }
  });
  return tidy;
}

// Edges whose reverse is missing.
std::int64_t one_way_edges(CpuContext& context, const Adjacency& adjacency) {
  const auto& [offsets, neighbours] = adjacency;
  return parallel_reduce(
      context, adjacency.nodes(), kGrain, std::int64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::int64_t found = 0;
        for (std::int64_t i = begin; i < end; ++i) {
          for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
            const auto first = neighbours.begin() + offsets[neighbours[e]];
            const auto last = neighbours.begin() + offsets[neighbours[e] + 1];
            found += std::binary_search(first, last, static_cast<std::int32_t>(i)) ? 0 : 1;
          }
        }
        return found;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
}

}  // namespace

Adjacency symmetrised(CpuContext& context, const Adjacency& adjacency) {
  std::vector<NodePair> pairs;
  pairs.reserve(adjacency.neighbours.size());
  for (std::int64_t i = 0; i < adjacency.nodes(); ++i) {
    for (std::int64_t e = adjacency.offsets[i]; e < adjacency.offsets[i + 1]; ++e) {
      pairs.emplace_back(static_cast<std::int32_t>(i), adjacency.neighbours[e]);
    }
  }
  return adjacency_from_pairs(context, adjacency.nodes(), pairs);
}

FitGraph fit_graph(CpuContext& context, Adjacency given, std::int64_t cells,
                   const std::string& name) {
  check_offsets(given, cells, name);
  check_ends(given, cells, name);
  FitGraph fit;
  fit.adjacency = tidied(context, std::move(given));
  const std::int64_t one_way = one_way_edges(context, fit.adjacency);
  if (one_way > 0) {
    fit.warnings.push_back(concat(name, ": ", one_way, " of ", fit.adjacency.neighbours.size(),
                                  " edges go one way only; training walks them both ways"));
    fit.adjacency = symmetrised(context, fit.adjacency);
  }
  return fit;
}

}  // namespace m2st::data
