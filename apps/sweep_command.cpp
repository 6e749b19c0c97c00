// sweep: a grid of clustering options on the same embeddings, a table, and the chosen domains.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/pipeline/run_settings.h"
#include "apps/pipeline/sweep_job.h"
#include "apps/progress_line.h"
#include "apps/signals.h"

namespace m2st::apps {

namespace {

struct SweepCommandOptions {
  SweepJobOptions job;
  ConsoleOptions console;
};

std::vector<Setting> sweep_settings(SweepCommandOptions& options) {
  SweepJobOptions& job = options.job;
  const std::string input = "Input", clustering = "Clustering";
  std::vector<Setting> settings = {
      {"--embeddings",
       "FILE...",
       ".npy (cells × width), one per scale; the first one is scored",
       input,
       &job.embeddings,
       {},
       true},
      {"--truth", "FILE", "known domains of the same cells", input, &job.truth},
      {"--coords", "FILE", "positions, for PAS and a picture", input, &job.coordinates},
      {"-k,--domains", "K", "number of domains", clustering, &job.sweep.clusters, {1}, true},
      {"--solver", "NAME", "reference or monotone", clustering,
       choice(job.sweep.solver, {"reference", "monotone"})},
      {"--iterations",
       "N",
       "of the reference; the most of the monotone solver",
       clustering,
       &job.sweep.iterations,
       {1}},
      {"--precision", "NAME", "of the reference solver's passes over the cells: double or float",
       clustering, choice(job.sweep.precision, {"double", "float"})},
      {"--common-dim", "N", "rows of H; 0: K", clustering, &job.sweep.common_dim, {0}},
      {"--start", "FROM", "engine, historic, or a folder with init.*.npy", clustering, &job.start},
      {"--choose", "BY", fmt::format("{}", fmt::join(cluster::criterion_names(), ", ")), clustering,
       choice(job.choose, cluster::criterion_names())},
  };
  add(settings, grid_settings(job.grid));
  add(settings, {
                    {"-o,--out", "DIR", "folder for the results", "Output", &job.output, {}, true},
                    {"--force", "", "write into a folder that holds files", "Output", &job.force},
                    seed_setting(job.sweep.seed),
                    threads_setting(job.threads),
                    device_setting(job.device),
                });
  add(settings, console_settings(options.console));
  return settings;
}

void execute(SweepCommandOptions& options, const std::vector<std::string>& typed) {
  watch_signals();
  ProgressLine line(options.console);
  SweepHooks hooks;
  hooks.note = [&](const std::string& stage, const std::string& text) {
    line.message(stage, text);
  };
  hooks.warn = [&](const std::string& text) { line.message("warning", text); };
  hooks.progress = [&](const SweepProgress& progress) { line.sweep(progress); };
  hooks.stop_signal = received_signal;
  run_sweep(options.job, sweep_settings(options), typed, hooks);
}

}  // namespace

Command sweep_command() {
  const auto options = std::make_shared<SweepCommandOptions>();
  Command command{"sweep", "a grid of clustering options, a table, and a choice", {}, {}};
  command.settings = sweep_settings(*options);
  command.execute = [options](const std::vector<std::string>& typed) { execute(*options, typed); };
  return command;
}

}  // namespace m2st::apps
