// The rule of inverted dropout, shared by every kernel that draws: a 16-bit draw below `threshold`
// drops the element, a kept one is multiplied by the exact 1 / (1 − threshold / 65536).
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/random.h"

namespace m2st::kernels {

struct DropoutRule {
  std::uint32_t threshold = 0;  // 0 keeps all, 65536 drops all
  double scale = 1;             // of kept elements; 0 when none can be kept
};

M2ST_HOST_DEVICE inline DropoutRule dropout_rule(double probability) {
  const double threshold = floor(probability * 65536.0 + 0.5);
  DropoutRule rule;
  rule.threshold = static_cast<std::uint32_t>(threshold);
  rule.scale = threshold < 65536.0 ? 65536.0 / (65536.0 - threshold) : 0.0;
  return rule;
}

// Draw number `index` (0..7) of a block: the low half of word 0 first.
M2ST_HOST_DEVICE inline std::uint32_t sixteen_bits(const PhiloxBlock& block, std::uint32_t index) {
  return block.word[index / 2] >> (16 * (index % 2)) & 0xFFFFu;
}

// What column `column` of the node with global id `id` is multiplied by: columns 8b .. 8b + 7
// share block b.
M2ST_HOST_DEVICE inline double dropout_factor(RandomKey key, DropoutRule rule, std::int32_t id,
                                              std::int64_t column) {
  const PhiloxBlock block =
      random_block(key, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(column / 8));
  const auto index = static_cast<std::uint32_t>(column % 8);
  return sixteen_bits(block, index) >= rule.threshold ? rule.scale : 0.0;
}

}  // namespace m2st::kernels
