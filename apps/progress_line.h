// Progress of a long loop on stderr: rewritten in place on a terminal, else a line every 5 %, or
// one JSON object a step.
#pragma once

#include <cstdint>
#include <string>

#include "apps/console.h"
#include "apps/pipeline/sweep_job.h"

namespace m2st::apps {

// "1 h 5 min", "3 min 20 s", "12 s".
std::string readable_seconds(double seconds);

class ProgressLine {
 public:
  explicit ProgressLine(const ConsoleOptions& options);
  ~ProgressLine();  // ends a line that still stands
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `text` for people, `json` an object for programs.
  void step(std::int64_t done, std::int64_t total, const std::string& text,
            const std::string& json);
  void sweep(const SweepProgress& progress);
  void message(const std::string& kind, const std::string& text);

 private:
  ConsoleOptions options_;
  bool terminal_ = false;
  bool open_line_ = false;
};

}  // namespace m2st::apps
