// A subcommand of the program: its settings and what it does once they have their values.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/pipeline/options.h"
#include "apps/pipeline/settings.h"

namespace m2st::apps {

struct Command {
  std::string name;
  std::string summary;
  std::vector<Setting> settings;
  // `command` is what was typed, for the manifest.
  std::function<void(const std::vector<std::string>& command)> execute;
};

Command job_command(Job job, const std::string& summary);
Command sweep_command();
Command reproduce_command();
Command score_command();
Command simulate_command();
Command convert_command();
Command inspect_command();

}  // namespace m2st::apps
