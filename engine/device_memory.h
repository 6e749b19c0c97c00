// How much of a device's memory there is to take: for plans made before it is taken.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/context.h"

namespace m2st {

// What nobody has taken, once its pool has given back what it only keeps. The host's memory is no
// device's: as much as there are numbers for.
inline std::int64_t free_device_bytes(Context& context) {
  return context.dispatch([](auto& backend) -> std::int64_t {
    if constexpr (requires { backend.free_bytes(); }) {
      backend.pool().trim();
      backend.synchronise();
      return backend.free_bytes();
    } else {
      return std::numeric_limits<std::int64_t>::max();
    }
  });
}

}  // namespace m2st
