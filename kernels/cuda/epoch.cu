// An epoch's lists, step and losses on CUDA. Lists are made by flags and scans: a row's place in
// its list is a count of flags before it, so nothing depends on the order of threads.
#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/epoch_key.cuh"
#include "kernels/epoch.h"
#include "kernels/shapes.h"
#include "kernels/sort.h"

namespace m2st::kernels {

namespace {

// By global id, so that a stable order breaks ties by id.
__global__ void tickets_kernel(std::int64_t nodes, RandomKey key,
                               std::uint64_t* __restrict__ tickets) {
  const std::int64_t id = thread_number();
  if (id >= nodes) return;
  const PhiloxBlock bits = random_block(key_of_epoch(key), static_cast<std::uint32_t>(id), 0);
  tickets[id] = static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1];
}

__global__ void flags_kernel(std::int64_t nodes, std::int64_t count,
                             const std::int32_t* __restrict__ order,
                             const std::int32_t* __restrict__ rows_of_ids,
                             std::int64_t* __restrict__ flags) {
  const std::int64_t place = thread_number();
  if (place < nodes) flags[rows_of_ids[order[place]]] = place < count ? 1 : 0;
}

// A list of rows and their ids.
struct ListPointers {
  std::int32_t* rows;
  std::int32_t* ids;
};

__global__ void split_rows_kernel(std::int64_t nodes, const std::int64_t* __restrict__ flags,
                                  const std::int64_t* __restrict__ places,
                                  const std::int32_t* __restrict__ ids, ListPointers flagged,
                                  ListPointers others) {
  const std::int64_t row = thread_number();
  if (row >= nodes) return;
  const bool into_flagged = flags[row] != 0;
  const std::int64_t at = into_flagged ? places[row] : row - places[row];
  (into_flagged ? flagged : others).rows[at] = static_cast<std::int32_t>(row);
  (into_flagged ? flagged : others).ids[at] = ids[row];
}

// Which edges are kept: those into nodes of a flag, and, where such nodes are quiet, from others.
struct KeptRule {
  const std::int64_t* flags;
  std::int64_t flag;
  bool quiet;
  __device__ bool into(std::int64_t destination) const { return flags[destination] == flag; }
  __device__ bool from(std::int64_t source) const { return !quiet || flags[source] != flag; }
};

struct KeptDegrees {
  const std::int64_t* offsets;
  const std::int32_t* sources;
  KeptRule rule;
  __device__ std::int64_t operator()(std::int64_t node) const {
    std::int64_t count = 0;
    if (!rule.into(node)) return count;
    for (std::int64_t e = offsets[node]; e < offsets[node + 1]; ++e) {
      count += rule.from(sources[e]) ? 1 : 0;
    }
    return count;
  }
};

struct KeptOutDegrees {
  const std::int64_t* offsets;
  const std::int32_t* destinations;
  KeptRule rule;
  __device__ std::int64_t operator()(std::int64_t node) const {
    std::int64_t count = 0;
    if (!rule.from(node)) return count;
    for (std::int64_t p = offsets[node]; p < offsets[node + 1]; ++p) {
      count += rule.into(destinations[p]) ? 1 : 0;
    }
    return count;
  }
};

// Edges grouped by node: their ends, and for those by source the edge ids.
template <class Offset, class End>
struct EdgePointers {
  Offset* offsets;
  End* ends;
  Offset* edges;
};
using GraphEdges = EdgePointers<const std::int64_t, const std::int32_t>;
using KeptEdges = EdgePointers<std::int64_t, std::int32_t>;

// A thread a node, its edges one after the other. places: where each of the graph's edges went, −1
// for those that are gone.
__global__ void kept_sources_kernel(std::int64_t nodes, GraphEdges in, KeptRule rule,
                                    KeptEdges kept, std::int64_t* __restrict__ places,
                                    std::int32_t* __restrict__ silent) {
  const std::int64_t node = thread_number();
  if (node >= nodes) return;
  std::int64_t at = kept.offsets[node];
  std::int32_t left_out = 0;
  for (std::int64_t e = in.offsets[node]; e < in.offsets[node + 1]; ++e) {
    places[e] = -1;
    if (!rule.into(node)) continue;
    if (!rule.from(in.ends[e])) {
      ++left_out;
      continue;
    }
    kept.ends[at] = in.ends[e];
    places[e] = at++;
  }
  if (silent != nullptr) silent[node] = left_out;
}

__global__ void kept_destinations_kernel(std::int64_t nodes, GraphEdges out, KeptEdges kept,
                                         const std::int64_t* __restrict__ places) {
  const std::int64_t node = thread_number();
  if (node >= nodes) return;
  std::int64_t at = kept.offsets[node];
  for (std::int64_t p = out.offsets[node]; p < out.offsets[node + 1]; ++p) {
    const std::int64_t place = places[out.edges[p]];
    if (place < 0) continue;
    kept.ends[at] = out.ends[p];
    kept.edges[at] = place;
    ++at;
  }
}

template <class T>
struct AdamBlocks {
  const T* gradient;
  T* first_moment;
  T* second_moment;
  T* parameters;
};

template <class T>
__global__ void adam_of_epoch_kernel(std::int64_t size, const AdamFactors<T>* __restrict__ factors,
                                     const std::uint32_t* __restrict__ epoch,
                                     AdamBlocks<T> blocks) {
  const std::int64_t i = thread_number();
  if (i >= size) return;
  T first = blocks.first_moment[i];
  T second = blocks.second_moment[i];
  T parameter = blocks.parameters[i];
  adam_update(factors[*epoch - 1], blocks.gradient[i], first, second, parameter);
  blocks.first_moment[i] = first;
  blocks.second_moment[i] = second;
  blocks.parameters[i] = parameter;
}

// One block: every loss is written before the epoch moves on.
__global__ void end_epoch_kernel(const double* __restrict__ losses, MatrixView<double> history,
                                 std::uint32_t* epoch) {
  const std::int64_t row = (*epoch - 1) % history.rows;
  for (std::int64_t s = threadIdx.x; s < history.cols; s += kWarp) {
    history.data[row * history.cols + s] = losses[s];
  }
  __syncthreads();
  if (threadIdx.x == 0) ++*epoch;
}

}  // namespace

void flag_lowest_tickets(CudaContext& context, RandomKey key, std::int64_t count,
                         Span<const std::int32_t> rows_of_ids, Span<std::int64_t> flags) {
  M2ST_CHECK(flags.size() == rows_of_ids.size(), "flag_lowest_tickets: size of flags (got ",
             flags.size(), ", need ", rows_of_ids.size(), ")");
  const std::int64_t nodes = std::ssize(flags);
  if (nodes == 0) return;
  Array<std::uint64_t> tickets(context.pool(), nodes);
  Array<std::int32_t> order(context.pool(), nodes);
  launch(tickets_kernel, blocks_for(nodes, kBlockThreads), dim3(kBlockThreads), 0, context, nodes,
         key, tickets.data());
  argsort(context, tickets.span(), order.span());
  launch(flags_kernel, blocks_for(nodes, kBlockThreads), dim3(kBlockThreads), 0, context, nodes,
         count, order.data(), rows_of_ids.data(), flags.data());
}

void split_rows(CudaContext& context, Span<const std::int64_t> flags, Span<const std::int32_t> ids,
                const SplitRows& rows) {
  const std::int64_t nodes = std::ssize(flags);
  M2ST_CHECK(ids.size() == flags.size() && rows.flagged.size() == rows.flagged_ids.size() &&
                 rows.others.size() == rows.others_ids.size() &&
                 rows.flagged.size() + rows.others.size() == flags.size(),
             "split_rows: ", ids.size(), " ids, room for ", rows.flagged.size(), " and ",
             rows.others.size(), " rows, there are ", nodes);
  if (nodes == 0) return;
  Array<std::int64_t> places(context.pool(), nodes + 1);
  exclusive_scan(context, flags, places.span());
  launch(split_rows_kernel, blocks_for(nodes, kBlockThreads), dim3(kBlockThreads), 0, context,
         nodes, flags.data(), places.data(), ids.data(),
         ListPointers{rows.flagged.data(), rows.flagged_ids.data()},
         ListPointers{rows.others.data(), rows.others_ids.data()});
}

void edges_into(CudaContext& context, const GraphView& graph, Span<const std::int64_t> flags,
                std::int64_t flag, const EdgesIntoView& edges) {
  const std::int64_t nodes = graph.nodes();
  M2ST_CHECK(std::ssize(flags) == nodes && std::ssize(edges.sources) == graph.edges() &&
                 std::ssize(edges.out_edges) == graph.edges() &&
                 std::ssize(edges.out_destinations) == graph.edges() &&
                 (edges.silent.empty() || std::ssize(edges.silent) == nodes),
             "edges_into: ", flags.size(), " flags, ", edges.silent.size(),
             " counts of silent edges and room for ", edges.sources.size(),
             " edges, the graph has ", nodes, " nodes and ", graph.edges(), " edges");
  const KeptRule rule{flags.data(), flag, !edges.silent.empty()};
  Array<std::int64_t> counts(context.pool(), nodes);
  write_elements(context, nodes, counts.data(), Accumulate::kOverwrite,
                 KeptDegrees{graph.in.offsets.data(), graph.in.sources.data(), rule});
  exclusive_scan(context, counts.span(), edges.in_offsets);
  write_elements(context, nodes, counts.data(), Accumulate::kOverwrite,
                 KeptOutDegrees{graph.out.offsets.data(), graph.out.destinations.data(), rule});
  exclusive_scan(context, counts.span(), edges.out_offsets);
  if (nodes == 0) return;
  Array<std::int64_t> places(context.pool(), graph.edges());
  const dim3 blocks = blocks_for(nodes, kBlockThreads);
  launch(kept_sources_kernel, blocks, dim3(kBlockThreads), 0, context, nodes,
         GraphEdges{graph.in.offsets.data(), graph.in.sources.data(), nullptr}, rule,
         KeptEdges{edges.in_offsets.data(), edges.sources.data(), nullptr}, places.data(),
         edges.silent.empty() ? nullptr : edges.silent.data());
  launch(
      kept_destinations_kernel, blocks, dim3(kBlockThreads), 0, context, nodes,
      GraphEdges{graph.out.offsets.data(), graph.out.destinations.data(), graph.out.edges.data()},
      KeptEdges{edges.out_offsets.data(), edges.out_destinations.data(), edges.out_edges.data()},
      static_cast<const std::int64_t*>(places.data()));
}

template <class T>
void adam_step_of_epoch(CudaContext& context, Span<const AdamFactors<T>> factors,
                        Span<const std::uint32_t> epoch, Span<const T> gradient,
                        Span<T> first_moment, Span<T> second_moment, Span<T> parameters) {
  check_adam_step<T>(1, gradient, first_moment, second_moment, parameters);
  if (parameters.empty()) return;
  launch(
      adam_of_epoch_kernel<T>, blocks_for(std::ssize(parameters), kBlockThreads),
      dim3(kBlockThreads), 0, context, std::ssize(parameters), factors.data(), epoch.data(),
      AdamBlocks<T>{gradient.data(), first_moment.data(), second_moment.data(), parameters.data()});
}

void end_epoch(CudaContext& context, Span<const double> losses, MatrixView<double> history,
               Span<std::uint32_t> epoch) {
  M2ST_CHECK(std::ssize(losses) == history.cols && history.rows > 0, "end_epoch: ", losses.size(),
             " losses, the history is ", history.rows, " x ", history.cols);
  launch(end_epoch_kernel, dim3(1), dim3(kWarp), 0, context, losses.data(), history, epoch.data());
}

#define INSTANTIATE(T)                                                                            \
  template void adam_step_of_epoch<T>(CudaContext&, Span<const AdamFactors<T>>,                   \
                                      Span<const std::uint32_t>, Span<const T>, Span<T>, Span<T>, \
                                      Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
