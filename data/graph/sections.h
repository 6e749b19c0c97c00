// One graph over several sections of tissue in one file: no edges between them, however their
// coordinates overlap.
#pragma once

#include <string>
#include <vector>

#include "data/graph/spatial_graph.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

struct SectionGraph {
  std::string name;
  std::int64_t cells = 0;
  std::int64_t edges = 0;
  GraphKind kind = GraphKind::kAuto;
  double radius = 0;
  int neighbours = 0;
};

struct SectionedGraph {
  SpatialGraph graph;  // kind, radius and neighbours are kAuto and 0 where sections differ
  std::vector<SectionGraph> sections;  // in the order in which they first appear
};

// names: (N), the section of each cell. Every section's graph is built as if it were alone; errors
// and warnings name the section.
SectionedGraph build_sectioned_graph(CpuContext& context, MatrixView<const double> coordinates,
                                     const std::vector<std::string>& names,
                                     const SpatialGraphOptions& options);

}  // namespace m2st::data
