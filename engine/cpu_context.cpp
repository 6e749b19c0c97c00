#include "engine/cpu_context.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace m2st {

namespace {

// The share of processors a control group grants, or 0 when there is no limit.
int control_group_processors() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (!(file >> quota >> period) || period <= 0) return 0;  // "max 100000" fails here as wanted
  return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

}  // namespace

int available_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  int count = 1;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = CPU_COUNT(&allowed);
  if (const int limit = control_group_processors(); limit > 0) count = std::min(count, limit);
  return std::max(1, count);
}

CpuContext::CpuContext(int threads)
    : pool_(host_memory()), threads_(threads > 0 ? threads : available_processors()) {}

}  // namespace m2st
