// What an epoch needs beside the network's kernels when a device runs it without its host: the draw
// of the mask, the edges that the mask leaves, Adam with the step counted on the device, the losses
// kept there. For CUDA alone; on the host model/masks.h and model/live_edges.h make the same lists.
// The epoch's number is read from device memory, so that one captured launch serves all epochs.
#pragma once

#include "engine/contexts.h"
#include "engine/random.h"
#include "engine/view.h"
#include "kernels/math/adam.h"

namespace m2st::kernels {

// flags[row] = 1 for the `count` rows whose nodes drew the lowest tickets, 0 for the others; a tie
// is the lower id's. rows_of_ids: (N), the row of each global id. key.epoch_at: the epoch's number.
void flag_lowest_tickets(CudaContext& context, RandomKey key, std::int64_t count,
                         Span<const std::int32_t> rows_of_ids, Span<std::int64_t> flags);

// The rows whose flag is 1, ascending, and the others, each with their global ids.
struct SplitRows {
  Span<std::int32_t> flagged, flagged_ids, others, others_ids;
};
// ids: (N). As many flags are 1 as there is room for.
void split_rows(CudaContext& context, Span<const std::int64_t> flags, Span<const std::int32_t> ids,
                const SplitRows& rows);

// The edges of a graph that go into some of its nodes; a node's edges keep their order. Spans have
// room for all edges: how many there are, only the offsets say. With `silent`, edges between two
// such nodes are left out and counted at the node they lead into.
struct EdgesIntoView {
  Span<std::int64_t> in_offsets;        // (N + 1)
  Span<std::int32_t> sources;           // (E)
  Span<std::int64_t> out_offsets;       // (N + 1)
  Span<std::int32_t> out_destinations;  // (E)
  Span<std::int64_t> out_edges;         // (E)
  Span<std::int32_t> silent;            // (N) or empty
};
// Into the nodes with this flag.
void edges_into(CudaContext& context, const GraphView& graph, Span<const std::int64_t> flags,
                std::int64_t flag, const EdgesIntoView& edges);

// adam_step with the factors of the epoch's step: factors[epoch − 1].
template <class T>
void adam_step_of_epoch(CudaContext& context, Span<const AdamFactors<T>> factors,
                        Span<const std::uint32_t> epoch, Span<const T> gradient,
                        Span<T> first_moment, Span<T> second_moment, Span<T> parameters);

// Row (epoch − 1) mod R of the history (R, S) gets the epoch's losses (S); then the next epoch
// begins.
void end_epoch(CudaContext& context, Span<const double> losses, MatrixView<double> history,
               Span<std::uint32_t> epoch);

}  // namespace m2st::kernels
