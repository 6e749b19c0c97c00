#include "data/graph/sections.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/check.h"

namespace m2st::data {

namespace {

struct Section {
  std::string name;
  std::vector<std::int32_t> cells;  // ascending
  SpatialGraph graph;
};

std::vector<Section> sections_of(const std::vector<std::string>& names) {
  std::vector<Section> sections;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [entry, fresh] = known.emplace(names[i], sections.size());
    if (fresh) sections.push_back({names[i], {}, {}});
    sections[entry->second].cells.push_back(static_cast<std::int32_t>(i));
  }
  return sections;
}

void build(CpuContext& context, MatrixView<const double> coordinates,
           const SpatialGraphOptions& options, Section& section) {
  const auto cells = static_cast<std::int64_t>(section.cells.size());
  std::vector<double> own;
  own.reserve(static_cast<std::size_t>(cells * coordinates.cols));
  for (const std::int32_t cell : section.cells) {
    const Span<const double> row = coordinates.row(cell);
    own.insert(own.end(), row.begin(), row.end());
  }
  try {
    section.graph = build_spatial_graph(context, {own.data(), cells, coordinates.cols}, options);
  } catch (const Error& error) {
    fail(error.code(), "section '", section.name, "': ", error.what());
  }
}

// The sections' rows put where their cells are. Cells of a section ascend, so rows stay sorted.
void join(const std::vector<Section>& sections, std::int64_t cells, SpatialGraph& joined) {
  std::vector<std::int64_t>& offsets = joined.adjacency.offsets;
  offsets.assign(static_cast<std::size_t>(cells) + 1, 0);
  bool steps = true;
  for (const Section& section : sections) {
    const std::vector<std::int64_t>& own = section.graph.adjacency.offsets;
    for (std::size_t i = 0; i < section.cells.size(); ++i) {
      offsets[static_cast<std::size_t>(section.cells[i]) + 1] = own[i + 1] - own[i];
    }
    steps = steps && !section.graph.steps.empty();
    joined.symmetric = joined.symmetric && section.graph.symmetric;
  }
  for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  joined.adjacency.neighbours.resize(static_cast<std::size_t>(offsets.back()));
  if (steps) joined.steps.resize(joined.adjacency.neighbours.size());
  for (const Section& section : sections) {
    const auto& [own, ends] = section.graph.adjacency;
    for (std::size_t i = 0; i < section.cells.size(); ++i) {
      std::int64_t out = offsets[section.cells[i]];
      for (std::int64_t e = own[i]; e < own[i + 1]; ++e, ++out) {
        joined.adjacency.neighbours[out] = section.cells[ends[e]];
        if (steps) joined.steps[out] = section.graph.steps[e];
      }
    }
  }
}

void note_what_was_used(const std::vector<Section>& sections, SectionedGraph& result) {
  const SpatialGraph& first = sections.front().graph;
  SpatialGraph& joined = result.graph;
  joined.kind = first.kind;
  joined.radius = first.radius;
  joined.neighbours = first.neighbours;
  for (const Section& section : sections) {
    const SpatialGraph& graph = section.graph;
    if (graph.kind != joined.kind) joined.kind = GraphKind::kAuto;
    if (graph.radius != joined.radius) joined.radius = 0;
    if (graph.neighbours != joined.neighbours) joined.neighbours = 0;
    result.sections.push_back({section.name, static_cast<std::int64_t>(section.cells.size()),
                               static_cast<std::int64_t>(graph.adjacency.neighbours.size()),
                               graph.kind, graph.radius, graph.neighbours});
    for (const std::string& warning : graph.warnings) {
      joined.warnings.push_back(concat("section '", section.name, "': ", warning));
    }
  }
}

}  // namespace

SectionedGraph build_sectioned_graph(CpuContext& context, MatrixView<const double> coordinates,
                                     const std::vector<std::string>& names,
                                     const SpatialGraphOptions& options) {
  M2ST_CHECK(static_cast<std::int64_t>(names.size()) == coordinates.rows,
             "build_sectioned_graph: names (got ", names.size(), ", need ", coordinates.rows, ")");
  if (names.empty()) fail(ExitCode::kInputInvalid, "graph: there are no cells");
  std::vector<Section> sections = sections_of(names);
  for (Section& section : sections) build(context, coordinates, options, section);
  SectionedGraph result;
  join(sections, coordinates.rows, result.graph);
  note_what_was_used(sections, result);
  count_degrees(result.graph);
  return result;
}

}  // namespace m2st::data
