// Random numbers keyed by (seed, purpose, epoch, id, block): design.md section 3, promise 1.
// Two draws are independent when any of the five differ; equal keys give equal draws everywhere.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/philox.h"

namespace m2st {

// What a draw is for. Layers and restarts add their index: see stream_of. Values are part of the
// checkpoint's meaning: never renumber, only append.
enum class Purpose : std::uint32_t {
  kInitialise = 1,
  kMask = 2,
  kFeatureDropout = 3,
  kAttentionDropout = 4,
  kReplace = 5,
  kCluster = 6,
  kSimulate = 7,
  kMetrics = 8,
  kTest = 9,
};

struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;  // purpose and index, from stream_of
  std::uint32_t epoch = 0;
  // For kernels on a device that are launched once for many epochs: where the epoch is, in the
  // device's memory, instead of above (kernels/cuda/epoch_key.cuh). Null otherwise.
  const std::uint32_t* epoch_at = nullptr;
};

// One stream per purpose and index (layer, restart, ...); index < 2^24.
M2ST_HOST_DEVICE constexpr std::uint32_t stream_of(Purpose purpose, std::uint32_t index) {
  return static_cast<std::uint32_t>(purpose) << 24 | (index & 0xFFFFFFu);
}

M2ST_HOST_DEVICE inline PhiloxBlock random_block(RandomKey key, std::uint32_t id,
                                                 std::uint32_t block) {
  return philox(key.seed, {{id, block, key.epoch, key.stream}});
}

// A word as a number in [0, 1) with 32 random bits.
M2ST_HOST_DEVICE inline double to_uniform(std::uint32_t word) { return word * 0x1.0p-32; }

// Uniform in [0, 1) with 53 random bits.
M2ST_HOST_DEVICE inline double random_uniform(RandomKey key, std::uint32_t id,
                                              std::uint32_t block = 0) {
  const PhiloxBlock bits = random_block(key, id, block);
  const std::uint64_t joined = static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1];
  return static_cast<double>(joined >> 11) * 0x1.0p-53;
}

// Standard normal by Box and Muller; one draw a (id, block).
inline double random_normal(RandomKey key, std::uint32_t id, std::uint32_t block = 0) {
  const PhiloxBlock bits = random_block(key, id, block);
  const double radius = std::sqrt(-2.0 * std::log((bits.word[0] + 1.0) * 0x1.0p-32));
  const double angle = 6.283185307179586 * to_uniform(bits.word[1]);
  return radius * std::cos(angle);
}

// Uniform integer in [0, bound) without modulo bias worth noting (bound < 2^32).
M2ST_HOST_DEVICE inline std::uint32_t random_index(RandomKey key, std::uint32_t bound,
                                                   std::uint32_t id, std::uint32_t block = 0) {
  const PhiloxBlock bits = random_block(key, id, block);
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(bits.word[0]) * bound >> 32);
}

}  // namespace m2st
