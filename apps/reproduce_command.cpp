// reproduce: the paper's tables from a data folder.
#include <memory>

#include "apps/command.h"
#include "apps/pipeline/reproduce.h"
#include "apps/pipeline/run_settings.h"
#include "apps/progress_line.h"
#include "apps/signals.h"

namespace m2st::apps {

namespace {

constexpr int kMostAutoencoders = 1000;

struct ReproduceCommandOptions {
  ReproduceOptions job;
  ConsoleOptions console;
};

std::vector<Setting> reproduce_settings(ReproduceCommandOptions& options) {
  ReproduceOptions& job = options.job;
  std::vector<Setting> settings = {
      {"--data",
       "DIR",
       "folder with starmap_m2st, breast_m2st, dlpfc_151507, ...",
       "Input",
       &job.data,
       {},
       true},
      {"--sets", "NAME...", "folders to look at; all without it", "Input", &job.sets},
      {"--epochs", "N...", "of every training; of several numbers the truth chooses", "Training",
       &job.epochs},
      {"--autoencoders",
       "N",
       "seeds from --seed on that the truth chooses among",
       "Training",
       &job.autoencoders,
       {1, kMostAutoencoders}},
      {"--hidden",
       "WIDTH",
       "of scale 1; 0: each set's published width",
       "Training",
       &job.hidden,
       {0}},
      {"--iterations", "N", "of every clustering", "Clustering", &job.iterations, {1}},
      {"--precision", "NAME", "of the clustering's passes over the cells: double or float",
       "Clustering", choice(job.precision, {"double", "float"})},
  };
  add(settings, grid_settings(job.grid));
  add(settings, {
                    {"-o,--out", "DIR", "folder for the results", "Output", &job.output, {}, true},
                    {"--force", "", "write into a folder that holds files; sweeps in it go on",
                     "Output", &job.force},
                    seed_setting(job.seed),
                    threads_setting(job.threads),
                });
  add(settings, console_settings(options.console));
  return settings;
}

void execute(ReproduceCommandOptions& options, const std::vector<std::string>& typed) {
  watch_signals();
  ProgressLine line(options.console);
  ReproduceHooks hooks;
  hooks.note = [&](const std::string& stage, const std::string& text) {
    line.message(stage, text);
  };
  hooks.progress = [&](const SweepProgress& progress) { line.sweep(progress); };
  hooks.stop_signal = received_signal;
  run_reproduce(options.job, reproduce_settings(options), typed, hooks);
}

}  // namespace

Command reproduce_command() {
  const auto options = std::make_shared<ReproduceCommandOptions>();
  Command command{"reproduce", "the paper's tables from a data folder", {}, {}};
  command.settings = reproduce_settings(*options);
  command.execute = [options](const std::vector<std::string>& typed) { execute(*options, typed); };
  return command;
}

}  // namespace m2st::apps
