// Runs the built program as a user would, with a limit on its time, and hands back what it said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace m2st::test {

struct ProgramPlan {
  std::vector<std::string> arguments;  // without the program's name
  double timeout_seconds = 60;
  int signal = 0;                        // sent once stderr contains `signal_after`
  std::string signal_after;              // empty: never
  std::int64_t file_size_limit = 0;      // bytes a file may grow to; 0: no limit
  std::string stdout_path;               // instead of capturing stdout
  std::vector<std::string> environment;  // NAME=VALUE, beside the test's own
};

struct ProgramResult {
  int code = -1;  // exit code; -1 when a signal ended it or time ran out
  int ended_by_signal = 0;
  bool timed_out = false;
  std::string out;
  std::string err;
};

ProgramResult run_program(const ProgramPlan& plan);
ProgramResult run_program(const std::vector<std::string>& arguments);

}  // namespace m2st::test
