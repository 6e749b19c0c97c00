// Which attention coefficients are dropped: a pure function of the key and the global ids of an
// edge's two ends, so that the fused attention, its backward and the plain edge_dropout agree bit
// for bit, on any device and for any order or partition of the nodes.
// Head h of the edge source → destination draws the upper 16 bits of word h mod 4 of the block
// with id = destination, block = source, and the seed moved on by h div 4 steps.
#pragma once

#include <cstdint>

#include "engine/random.h"
#include "kernels/math/dropout.h"

namespace m2st::kernels {

inline constexpr int kHeadsPerBlock = 4;  // one Philox call has four words

// The counter has no room for a third number beside two ids, so head groups differ by their seed.
// The step (2^64 / golden ratio) is not one of Philox's own round increments.
M2ST_HOST_DEVICE inline RandomKey attention_key(RandomKey key, std::int64_t head_group) {
  key.seed += static_cast<std::uint64_t>(head_group) * 0x9E3779B97F4A7C15u;
  return key;
}

// Words of heads 4·group .. 4·group + 3, where `group_key` is attention_key(key, group).
M2ST_HOST_DEVICE inline PhiloxBlock attention_block(RandomKey group_key, std::int32_t destination,
                                                    std::int32_t source) {
  return random_block(group_key, static_cast<std::uint32_t>(destination),
                      static_cast<std::uint32_t>(source));
}

M2ST_HOST_DEVICE inline bool attention_kept(std::uint32_t word, DropoutRule rule) {
  return word >> 16 >= rule.threshold;
}

// Whether head h of one edge is kept.
M2ST_HOST_DEVICE inline bool attention_keeps(RandomKey key, DropoutRule rule,
                                             std::int32_t destination, std::int32_t source,
                                             std::int64_t head) {
  const RandomKey group_key = attention_key(key, head / kHeadsPerBlock);
  const PhiloxBlock block = attention_block(group_key, destination, source);
  // Chosen by hand: on a GPU an array indexed at run time lives in memory.
  const std::uint32_t lower = head % 2 == 0 ? block.word[0] : block.word[1];
  const std::uint32_t upper = head % 2 == 0 ? block.word[2] : block.word[3];
  return attention_kept(head % kHeadsPerBlock < 2 ? lower : upper, rule);
}

// What it is multiplied by: 0 or rule.scale.
M2ST_HOST_DEVICE inline double attention_factor(RandomKey key, DropoutRule rule,
                                                std::int32_t destination, std::int32_t source,
                                                std::int64_t head) {
  return attention_keeps(key, rule, destination, source, head) ? rule.scale : 0.0;
}

}  // namespace m2st::kernels
