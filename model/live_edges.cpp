#include "model/live_edges.h"

namespace m2st::model {

EdgesInto::EdgesInto(const GraphView& graph, Span<const std::int32_t> destinations)
    : ids_(graph.ids) {
  const std::int64_t nodes = graph.nodes();
  std::vector<char> wanted(static_cast<std::size_t>(nodes), 0);
  for (const std::int32_t node : destinations) wanted[static_cast<std::size_t>(node)] = 1;
  in_offsets_.reserve(static_cast<std::size_t>(nodes) + 1);
  out_offsets_.reserve(static_cast<std::size_t>(nodes) + 1);
  in_offsets_.push_back(0);
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (wanted[static_cast<std::size_t>(i)]) {
      sources_.insert(sources_.end(), graph.in.sources.begin() + graph.in.offsets[i],
                      graph.in.sources.begin() + graph.in.offsets[i + 1]);
    }
    in_offsets_.push_back(std::ssize(sources_));
  }
  out_destinations_.reserve(sources_.size());
  out_edges_.reserve(sources_.size());
  out_offsets_.push_back(0);
  for (std::int64_t j = 0; j < nodes; ++j) {
    for (std::int64_t p = graph.out.offsets[j]; p < graph.out.offsets[j + 1]; ++p) {
      const auto i = static_cast<std::size_t>(graph.out.destinations[p]);
      if (!wanted[i]) continue;
      out_destinations_.push_back(graph.out.destinations[p]);
      // A node's edges keep their order, so only where they begin moves.
      out_edges_.push_back(graph.out.edges[p] - graph.in.offsets[i] + in_offsets_[i]);
    }
    out_offsets_.push_back(std::ssize(out_destinations_));
  }
}

GraphView EdgesInto::view() const {
  return {{in_offsets_, sources_}, {out_offsets_, out_destinations_, out_edges_}, ids_};
}

}  // namespace m2st::model
