// fork and exec with pipes; one loop listens to both streams until they close or time runs out.
#include "tests/apps/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace m2st::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {ends[0], ends[1]};
}

// In the child: never returns.
[[noreturn]] void become_program(const ProgramPlan& plan, int out, int err) {
  if (!plan.stdout_path.empty()) out = ::open(plan.stdout_path.c_str(), O_WRONLY);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (plan.file_size_limit > 0) {
    const auto limit = static_cast<rlim_t>(plan.file_size_limit);
    const rlimit limits{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &limits);
  }
  std::vector<char*> words = {const_cast<char*>(M2ST_PROGRAM)};
  for (const std::string& word : plan.arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (const std::string& variable : plan.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  ::execv(M2ST_PROGRAM, words.data());
  ::_exit(127);
}

// Appends what there is; false at the end of the stream.
bool drain(int descriptor, std::string& text) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void listen(const ProgramPlan& plan, pid_t child, int out, int err, ProgramResult& result) {
  const auto end = Clock::now() + std::chrono::duration<double>(plan.timeout_seconds);
  bool signalled = plan.signal_after.empty();
  std::array<pollfd, 2> streams = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || ::poll(streams.data(), 2, static_cast<int>(left.count())) == 0) {
      result.timed_out = true;
      ::kill(child, SIGKILL);
      return;
    }
    if (streams[0].revents != 0 && !drain(out, result.out)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !drain(err, result.err)) streams[1].fd = -1;
    if (!signalled && result.err.find(plan.signal_after) != std::string::npos) {
      ::kill(child, plan.signal);
      signalled = true;
    }
  }
}

}  // namespace

ProgramResult run_program(const ProgramPlan& plan) {
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) become_program(plan, out.write_end, err.write_end);
  ::close(out.write_end);
  ::close(err.write_end);
  ProgramResult result;
  listen(plan, child, out.read_end, err.read_end, result);
  ::close(out.read_end);
  ::close(err.read_end);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.ended_by_signal = WTERMSIG(status);
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments) {
  ProgramPlan plan;
  plan.arguments = arguments;
  return run_program(plan);
}

}  // namespace m2st::test
