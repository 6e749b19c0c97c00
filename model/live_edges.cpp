#include "model/live_edges.h"

namespace m2st::model {

namespace {

std::vector<char> flags_of(std::int64_t nodes, Span<const std::int32_t> listed) {
  std::vector<char> flags(static_cast<std::size_t>(nodes), 0);
  for (const std::int32_t node : listed) flags[static_cast<std::size_t>(node)] = 1;
  return flags;
}

}  // namespace

EdgesInto::EdgesInto(const GraphView& graph, Span<const std::int32_t> destinations,
                     Span<const std::int32_t> quiet)
    : ids_(graph.ids) {
  const std::int64_t nodes = graph.nodes();
  const std::vector<char> wanted = flags_of(nodes, destinations), left_out = flags_of(nodes, quiet);
  constexpr std::int64_t kGone = -1;
  std::vector<std::int64_t> place_of(static_cast<std::size_t>(graph.edges()), kGone);
  if (!quiet.empty()) silent_.assign(static_cast<std::size_t>(nodes), 0);
  in_offsets_.reserve(static_cast<std::size_t>(nodes) + 1);
  out_offsets_.reserve(static_cast<std::size_t>(nodes) + 1);
  in_offsets_.push_back(0);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::int64_t end =
        wanted[static_cast<std::size_t>(i)] ? graph.in.offsets[i + 1] : graph.in.offsets[i];
    for (std::int64_t e = graph.in.offsets[i]; e < end; ++e) {
      const std::int32_t source = graph.in.sources[e];
      if (left_out[static_cast<std::size_t>(source)]) {
        ++silent_[static_cast<std::size_t>(i)];
      } else {
        place_of[static_cast<std::size_t>(e)] = std::ssize(sources_);
        sources_.push_back(source);
      }
    }
    in_offsets_.push_back(std::ssize(sources_));
  }
  out_destinations_.reserve(sources_.size());
  out_edges_.reserve(sources_.size());
  out_offsets_.push_back(0);
  for (std::int64_t j = 0; j < nodes; ++j) {
    for (std::int64_t p = graph.out.offsets[j]; p < graph.out.offsets[j + 1]; ++p) {
      const std::int64_t place = place_of[static_cast<std::size_t>(graph.out.edges[p])];
      if (place == kGone) continue;
      out_destinations_.push_back(graph.out.destinations[p]);
      out_edges_.push_back(place);
    }
    out_offsets_.push_back(std::ssize(out_destinations_));
  }
}

GraphView EdgesInto::view() const {
  return {{in_offsets_, sources_}, {out_offsets_, out_destinations_, out_edges_}, ids_};
}

}  // namespace m2st::model
