// The memory of a training before it begins: for the plan that is printed, and for what it decides.
#pragma once

#include <cstdint>

#include "model/config.h"

namespace m2st::model {

struct TrainingSize {
  std::int64_t nodes = 0;
  std::int64_t edges = 0;  // with self-loops
  std::int64_t width = 0;  // of the features
};

// kDeviceAndLibrary: a device whose products go to cuBLASLt where they fill its tiles.
enum class PlanFor { kHost, kDevice, kDeviceAndLibrary };

// Bytes that the training of this size takes at its peak, with the blocks that pools keep between
// epochs. On a device with graph and features, which on the host are there already. train: its
// rates, epochs, recompute and matmul_precision count.
std::int64_t planned_training_bytes(const TrainingSize& size, const AutoencoderConfig& autoencoder,
                                    const TrainConfig& train, PlanFor where);

}  // namespace m2st::model
