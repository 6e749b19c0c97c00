// How much memory there is to plan with.
#pragma once

#include <cstdint>

namespace m2st::data {

// Bytes of this machine, or what the control group allows when that is less.
std::int64_t machine_memory_bytes();

}  // namespace m2st::data
