// The whole job as one function: read → graph → train → cluster → write, or the part of it that the
// job names. Files that one job writes are what the next one reads, with the same result.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/pipeline/options.h"
#include "apps/pipeline/record.h"
#include "model/trainer.h"

namespace m2st::apps {

// How a run talks to whoever waits for it; every member may be empty.
struct RunHooks {
  std::function<void(const std::string& stage, const std::string& message)> note;
  std::function<void(const std::string& message)> warn;
  std::function<void(const model::EpochReport&)> epoch;
  // The number of the signal that asks for a stop, or 0: asked between stages and after epochs.
  std::function<int()> stop_signal;
};

// `command` is what the manifest says was typed. Throws Error with the exit code of design.md §3;
// then the output folder holds no result of this run (a checkpoint may remain).
RunRecord run(Job job, const RunOptions& options, const std::vector<std::string>& command,
              const RunHooks& hooks);

}  // namespace m2st::apps
