// Where a run's time and memory went: named stages with wall and CPU seconds and the peak resident
// memory while they ran. The program prints it and the manifest keeps it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace m2st {

struct StageCost {
  std::string name;
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::int64_t peak_resident_bytes = 0;  // of the process, up to the stage's end
};

// Highest resident memory of this process so far, and the current one, in bytes.
std::int64_t peak_resident_bytes();
std::int64_t resident_bytes();
// Seconds of a steady clock, and of processor time used by all threads of this process.
double wall_seconds();
double cpu_seconds();

class Trace {
 public:
  // Ends the running stage, if any, and starts the next.
  void begin(std::string name);
  void end();
  const std::vector<StageCost>& stages() const { return stages_; }

 private:
  std::vector<StageCost> stages_;
  bool open_ = false;
};

}  // namespace m2st
