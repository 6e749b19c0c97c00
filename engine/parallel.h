// Loops over fixed chunks: chunk c covers [c·grain, min(n, (c+1)·grain)), whatever the number of
// threads. Reductions combine the chunks' results in chunk order; their shape depends on n alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/check.h"
#include "engine/cpu_context.h"

namespace m2st {

inline std::int64_t chunk_count(std::int64_t n, std::int64_t grain) {
  return (n + grain - 1) / grain;
}

// body(begin, end) for every chunk; bodies write only what their range owns.
template <class Body>
void parallel_for(CpuContext& context, std::int64_t n, std::int64_t grain, Body&& body) {
  M2ST_CHECK(grain > 0, "parallel_for: grain is ", grain, ", needs at least 1");
  context.thread_pool().run(chunk_count(n, grain), [&](std::int64_t chunk) {
    body(chunk * grain, std::min(n, (chunk + 1) * grain));
  });
}

// result = combine(...combine(combine(start, chunk 0), chunk 1)..., last chunk), where
// body(begin, end) gives a chunk's part.
template <class Part, class Body, class Combine>
Part parallel_reduce(CpuContext& context, std::int64_t n, std::int64_t grain, Part start,
                     Body&& body, Combine&& combine) {
  M2ST_CHECK(grain > 0, "parallel_reduce: grain is ", grain, ", needs at least 1");
  struct Slot {  // a vector of bool would pack what two threads write into one byte
    Part part;
  };
  std::vector<Slot> slots(static_cast<std::size_t>(chunk_count(n, grain)), Slot{start});
  context.thread_pool().run(chunk_count(n, grain), [&](std::int64_t chunk) {
    slots[static_cast<std::size_t>(chunk)].part =
        body(chunk * grain, std::min(n, (chunk + 1) * grain));
  });
  for (const Slot& slot : slots) start = combine(start, slot.part);
  return start;
}

}  // namespace m2st
