// From the words typed to a subcommand that runs: the only place that knows the parser.
#pragma once

#include <string>
#include <vector>

#include "apps/command.h"

namespace m2st::apps {

// Exit code 2, with the usage line, when `arguments` (program name first) make no sense; help and
// version go to stdout. Everything the command throws passes through.
void run_command_line(const std::vector<Command>& commands,
                      const std::vector<std::string>& arguments);

}  // namespace m2st::apps
