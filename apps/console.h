// What a person, or a program that watches, sees of a run: everything on stderr, never coloured.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/pipeline.h"
#include "apps/pipeline/settings.h"

namespace m2st::apps {

// auto: a line that is rewritten on a terminal, else plain; plain: a line every 5 % of the epochs;
// json: one object a line, every epoch; none: no epochs.
enum class Progress { kAuto, kPlain, kJson, kNone };

struct ConsoleOptions {
  Progress progress = Progress::kAuto;
  bool quiet = false;    // errors only
  bool verbose = false;  // also the cost of every stage
};

// --progress and --quiet.
std::vector<Setting> console_settings(ConsoleOptions& options);

class Console {
 public:
  explicit Console(const ConsoleOptions& options);
  ~Console();  // ends a line that still stands
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // The hooks refer to this object.
  RunHooks hooks();
  void finish(const RunRecord& record);

 private:
  void epoch(const model::EpochReport& report);
  void line(const std::string& kind, const std::string& key, const std::string& text);

  ConsoleOptions options_;
  bool terminal_ = false;
  bool open_line_ = false;  // the rewritten line still stands
};

}  // namespace m2st::apps
