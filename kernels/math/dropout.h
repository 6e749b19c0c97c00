// The rule of inverted dropout, shared by every kernel that draws: a 16-bit draw below `threshold`
// drops the element, a kept one is multiplied by the exact 1 / (1 − threshold / 65536).
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/philox.h"

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

}  // namespace m2st::kernels
