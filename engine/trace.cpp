#include "engine/trace.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <utility>

namespace m2st {

namespace {

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

double wall_seconds() { return seconds_of(CLOCK_MONOTONIC); }
double cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

void Trace::begin(std::string name) {
  end();
  stages_.push_back({std::move(name), -wall_seconds(), -cpu_seconds(), 0});
  open_ = true;
}

void Trace::end() {
  if (!open_) return;
  StageCost& stage = stages_.back();
  stage.wall_seconds += wall_seconds();
  stage.cpu_seconds += cpu_seconds();
  stage.peak_resident_bytes = peak_resident_bytes();
  open_ = false;
}

}  // namespace m2st
