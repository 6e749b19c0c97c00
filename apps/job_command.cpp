// run, graph, embed and cluster: the pipeline with a console around it.
#include <memory>

#include "apps/command.h"
#include "apps/console.h"
#include "apps/pipeline/pipeline.h"
#include "apps/pipeline/run_settings.h"
#include "apps/report/manifest.h"
#include "apps/signals.h"
#include "apps/standard_output.h"

namespace m2st::apps {

namespace {

struct JobOptions {
  RunOptions run;
  ConsoleOptions console;
};

}  // namespace

Command job_command(Job job, const std::string& summary) {
  const auto options = std::make_shared<JobOptions>();
  ConsoleOptions& console_options = options->console;
  Command command{to_string(job), summary, run_settings(job, options->run), {}};
  add(command.settings, console_settings(console_options));
  command.settings.push_back({"-v,--verbose", "", "also time and memory of every stage", "Common",
                              &console_options.verbose});
  command.execute = [job, options](const std::vector<std::string>& typed) {
    watch_signals();
    Console console(options->console);
    const RunRecord record = run(job, options->run, typed, console.hooks());
    console.finish(record);
    if (options->run.dry_run) {
      write_standard_output(plan_text(record, run_settings(job, options->run)));
    }
  };
  return command;
}

}  // namespace m2st::apps
