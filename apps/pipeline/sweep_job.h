// The sweep as one function: embeddings in, sweep.csv, domains.csv and manifest.json out. A sweep
// that was stopped goes on where it was when the same folder is given again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/pipeline/settings.h"
#include "apps/pipeline/sweep_grid.h"
#include "cluster/sweep.h"

namespace m2st::apps {

struct SweepJobOptions {
  std::vector<std::string> embeddings;  // .npy (N, d_m), one per scale; the first one is scored
  std::string truth;
  std::string coordinates;
  GridChoice grid;
  cluster::SweepOptions sweep;
  std::string start = "engine";  // engine, historic, or a folder (start_files.h)
  cluster::Criterion choose = cluster::Criterion::kSilhouette;
  std::string device = "auto";  // where the reference solver iterates (device.h)
  int threads = 0;
  std::string output;
  bool force = false;
};

struct SweepProgress {
  std::int64_t done = 0;
  std::int64_t total = 0;
  double seconds_left = 0;
  double best = 0;  // the criterion's figure so far; NaN: none yet
};

// Every member may be empty.
struct SweepHooks {
  std::function<void(const std::string& stage, const std::string& message)> note;
  std::function<void(const std::string& message)> warn;
  std::function<void(const SweepProgress&)> progress;
  std::function<int()> stop_signal;
};

// `settings` and `command` are for the manifest. Throws Error with the exit code of design.md §3;
// rows that were done by then are in sweep.csv.
void run_sweep(const SweepJobOptions& options, const std::vector<Setting>& settings,
               const std::vector<std::string>& command, const SweepHooks& hooks);

}  // namespace m2st::apps
