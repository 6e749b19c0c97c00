// What is said to a person who types: help, version, usage errors, stdout for data only.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "m2st_version.h"
#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

const std::vector<std::string> kCommands = {"run",   "graph",    "embed",  "cluster",
                                            "score", "simulate", "inspect"};

TEST(CommandLine, VersionIsOneBareLine) {
  const ProgramResult result = run_program({"--version"});

  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, std::string("m2st ") + kVersion + "\n");
  EXPECT_EQ(result.err, "");
}

TEST(CommandLine, HelpGoesToStdoutForEveryCommand) {
  const ProgramResult top = run_program({"--help"});
  EXPECT_EQ(top.code, 0);
  for (const std::string& command : kCommands) {
    EXPECT_NE(top.out.find("\n  " + command), std::string::npos) << command;

    const ProgramResult result = run_program({command, "--help"});

    EXPECT_EQ(result.code, 0) << command;
    EXPECT_EQ(result.err, "") << command;
    EXPECT_NE(result.out.find("Usage:"), std::string::npos) << result.out;
  }
}

TEST(CommandLine, HelpNamesEveryOptionOfTheDesign) {
  const ProgramResult result = run_program({"run", "--help"});

  for (const char* option : {"-k,--domains", "--seed",       "-t,--threads",       "--device",
                             "--graph",      "--radius",     "--neighbors",        "--epochs",
                             "--lr",         "--hidden",     "--scales",           "--mask-rate",
                             "--gamma",      "--heads",      "--layers",           "--compat",
                             "--method",     "--config",     "-o,--out",           "--force",
                             "--dry-run",    "--resume",     "--checkpoint-every", "--progress",
                             "-q,--quiet",   "-v,--verbose", "--features",         "--coords",
                             "--labels"}) {
    EXPECT_NE(result.out.find(option), std::string::npos) << option;
  }
}

TEST(CommandLine, MistakesGetTheUsageLineOnStderr) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{}, "subcommand is required"},
      {{"walk"}, "walk"},
      {{"run", "--foo"}, "--foo"},
      {{"run", "--features"}, "--features"},
      {{"run", "--epochs", "1", "--epochs", "2"}, "--epochs"},
      {{"run", "--epochs", "many"}, "'many'"},
      {{"run", "--device", "tpu"}, "one of auto, cpu, cuda"},
      {{"score"}, "--labels"},
      {{"inspect"}, "input"},
      {{"simulate", "-n", "0", "-o", "x"}, "--cells"}};
  for (const auto& [arguments, words] : mistakes) {
    const ProgramResult result = run_program(arguments);

    EXPECT_EQ(result.code, 2) << words << result.err;
    EXPECT_EQ(result.out, "") << words;
    EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("usage: m2st"), std::string::npos) << result.err;
  }
}

TEST(CommandLine, FullStdoutIsAnOutputError) {
  ProgramPlan plan;
  plan.arguments = {"--help"};
  plan.stdout_path = "/dev/full";

  const ProgramResult result = run_program(plan);

  EXPECT_EQ(result.code, 8);
  EXPECT_NE(result.err.find("stdout"), std::string::npos) << result.err;
}

TEST(CommandLine, MessagesAreNeverColouredInAPipe) {
  const ProgramResult result = run_program({"run", "--foo"});

  EXPECT_EQ(result.err.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace m2st::test
