// The machine a run finds itself on: for the plan before it and the manifest after it.
#pragma once

#include <cstdint>
#include <string>

namespace m2st::apps {

// Processor model as the kernel names it, or "unknown".
std::string processor_name();
// Bytes this process may still take: free memory, or what its control group leaves, if less.
std::int64_t available_memory_bytes();
std::int64_t total_memory_bytes();
// "2025-12-31T23:59:59Z".
std::string utc_now();
// "3.4 GiB".
std::string readable_bytes(std::int64_t bytes);

}  // namespace m2st::apps
