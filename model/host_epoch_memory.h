// What an epoch takes of the host's pool, which keeps every block for the next.
#pragma once

#include <cstdint>

#include "model/config.h"
#include "model/memory_plan.h"

namespace m2st::model {

// Bytes that its arrays reach, without parameters and lists.
std::int64_t host_epoch_bytes(const TrainingSize& size, const AutoencoderConfig& config,
                              const TrainConfig& train);

}  // namespace m2st::model
