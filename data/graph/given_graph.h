// Graphs that come from files, made fit for training: nothing about them is taken for granted.
#pragma once

#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "engine/cpu_context.h"

namespace m2st::data {

struct FitGraph {
  Adjacency adjacency;  // symmetric, rows ascending, no repeats, no self loops
  std::vector<std::string> warnings;
};

// Rows may be in any order, hold repeats and self loops; edges that go one way are made to go both,
// with a warning. Exit code 4 when `given` is no graph of `cells` cells; `name` begins messages.
FitGraph fit_graph(CpuContext& context, Adjacency given, std::int64_t cells,
                   const std::string& name);

// Every edge in both directions. Rows of `adjacency` ascend.
Adjacency symmetrised(CpuContext& context, const Adjacency& adjacency);

}  // namespace m2st::data
