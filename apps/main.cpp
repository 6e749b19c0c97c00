// The program: every error ends here, as one message on stderr and the exit code that design.md §3
// gives it.
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "apps/command_line.h"
#include "engine/check.h"

namespace {

int report(m2st::ExitCode code, const char* prefix, const char* message) {
  std::fprintf(stderr, "m2st: %s%s\n", prefix, message);
  return static_cast<int>(code);
}

std::vector<m2st::apps::Command> commands() {
  using namespace m2st::apps;
  return {job_command(Job::kRun, "features and coordinates to domains, all stages"),
          job_command(Job::kPrepare, "counts to features"),
          job_command(Job::kGraph, "coordinates to a spatial graph"),
          job_command(Job::kEmbed, "features and a graph to embeddings"),
          job_command(Job::kCluster, "embeddings to domains"),
          sweep_command(),
          score_command(),
          simulate_command(),
          reproduce_command(),
          convert_command(),
          inspect_command()};
}

}  // namespace

int main(int argc, char** argv) {
  using m2st::ExitCode;
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may grow no further is an error like any other
  try {
    m2st::apps::run_command_line(commands(), {argv, argv + argc});
    return static_cast<int>(ExitCode::kOk);
  } catch (const m2st::Error& error) {
    const bool bug = error.code() == ExitCode::kInternal;
    return report(error.code(), bug ? "internal bug: " : "error: ", error.what());
  } catch (const std::bad_alloc&) {
    return report(ExitCode::kOutOfMemory, "error: ", "out of memory");
  } catch (const std::exception& error) {
    return report(ExitCode::kInternal, "internal bug: ", error.what());
  }
}
