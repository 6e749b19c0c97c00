// What an epoch takes whose steps the host goes through one by one, found without its values.
#pragma once

#include <cstdint>

#include "model/config.h"
#include "model/memory_plan.h"

namespace m2st::model {

// Bytes that its arrays reach in the host's pool, which keeps every block for the next, without
// parameters and lists.
std::int64_t host_epoch_bytes(const TrainingSize& size, const AutoencoderConfig& config,
                              const TrainConfig& train);

// The most that it has in use of a device's memory, without parameters, data and lists.
std::int64_t device_step_bytes(const TrainingSize& size, const AutoencoderConfig& config,
                               const TrainConfig& train, PlanFor where);

}  // namespace m2st::model
