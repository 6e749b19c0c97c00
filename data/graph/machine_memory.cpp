#include "data/graph/machine_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace m2st::data {

std::int64_t machine_memory_bytes() {
  std::int64_t bytes = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::ifstream file("/sys/fs/cgroup/memory.max");
  std::int64_t allowed = 0;
  if (file >> allowed && allowed > 0) bytes = std::min(bytes, allowed);  // "max" is no number
  return bytes;
}

}  // namespace m2st::data
