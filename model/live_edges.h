// The edges that a loss over the masked nodes can see: an encoder's last layer matters where codes
// are kept, a decoder where nodes are masked. Same nodes and ids; a node whose in-edges are left
// out looks isolated. The graph that it was made from must outlive it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/view.h"

namespace m2st::model {

// The edges of a graph that go into some of its nodes.
class EdgesInto {
 public:
  // `quiet`: sources whose edges are left out and counted instead.
  EdgesInto(const GraphView& graph, Span<const std::int32_t> destinations,
            Span<const std::int32_t> quiet);

  GraphView view() const;
  // Per node, how many edges from quiet sources were left out; empty without such sources.
  Span<const std::int32_t> silent() const { return silent_; }

 private:
  Span<const std::int32_t> ids_;
  std::vector<std::int32_t> silent_;
  std::vector<std::int64_t> in_offsets_;
  std::vector<std::int32_t> sources_;
  std::vector<std::int64_t> out_offsets_;
  std::vector<std::int32_t> out_destinations_;
  std::vector<std::int64_t> out_edges_;
};

// What the layers at the ends of a pass walk instead of the whole graph.
struct LiveEdges {
  GraphView codes;    // an encoder's last layer
  GraphView outputs;  // a decoder
  // What `outputs` leaves out because masked nodes' codes are zeros: kernels/gat.h.
  Span<const std::int32_t> silent;
};

}  // namespace m2st::model
