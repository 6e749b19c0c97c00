// The key that a kernel draws with: its epoch may lie in device memory, so that one captured launch
// serves every epoch. To be asked for once, before the draws.
#pragma once

#include <cuda_runtime.h>

#include "engine/random.h"

namespace m2st::kernels {

__device__ inline RandomKey key_of_epoch(RandomKey key) {
  if (key.epoch_at != nullptr) key.epoch = *key.epoch_at;
  return key;
}

}  // namespace m2st::kernels
