// Read from /proc and the control group's files, which are absent on some machines.
#include "apps/pipeline/machine.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>

namespace m2st::apps {

namespace {

// The number after `key` in /proc/meminfo, in bytes.
std::int64_t memory_info(const std::string& key) {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kibibytes = 0;
  std::string rest;
  while (file >> name >> kibibytes && std::getline(file, rest)) {
    if (name == key) return kibibytes * 1024;
  }
  return std::numeric_limits<std::int64_t>::max();
}

// What the control group leaves; "max" (no limit) does not parse and counts as none.
std::int64_t control_group_rest() {
  std::int64_t limit = 0;
  std::int64_t used = 0;
  if (!(std::ifstream("/sys/fs/cgroup/memory.max") >> limit) ||
      !(std::ifstream("/sys/fs/cgroup/memory.current") >> used)) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return std::max<std::int64_t>(0, limit - used);
}

}  // namespace

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  const std::string key = "model name";
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.compare(0, key.size(), key) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::int64_t available_memory_bytes() {
  return std::min(memory_info("MemAvailable:"), control_group_rest());
}

std::int64_t total_memory_bytes() { return memory_info("MemTotal:"); }

std::string utc_now() {
  const time_t now = time(nullptr);
  tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string readable_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace m2st::apps
