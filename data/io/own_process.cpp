#include "data/io/own_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <utility>

#include "data/io/message.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

using Clock = std::chrono::steady_clock;

// What went wrong, empty when nothing did.
std::string report_of(const std::function<void()>& work) {
  MessageWriter report;
  try {
    work();
    return "";
  } catch (const Error& error) {
    report.put(error.code());
    report.put(std::string_view(error.what()));
  } catch (const std::bad_alloc&) {
    report.put(ExitCode::kOutOfMemory);
    report.put(std::string_view("out of memory"));
  } catch (const std::exception& error) {
    report.put(ExitCode::kInternal);
    report.put(std::string_view(error.what()));
  }
  return report.bytes();
}

[[noreturn]] void become_worker(int out, const std::function<void()>& work) {
  // The parent is told to stop, and stops this one.
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_IGN);
  std::string rest = report_of(work);
  while (!rest.empty()) {
    const ssize_t count = ::write(out, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    rest.erase(0, static_cast<std::size_t>(count));
  }
  ::_exit(0);
}

// The report; false when time ran out before the other end closed.
bool listen(int in, double seconds, std::string& report) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    pollfd wait{in, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
    if (ready <= 0) continue;
    char buffer[4096];
    const ssize_t count = ::read(in, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    report.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

void in_own_process(const std::string& about, double seconds, ExitCode crashed,
                    const std::function<void()>& work) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    fail(ExitCode::kInternal, about, ": no pipe to a process: ", std::strerror(errno));
  }
  const pid_t worker = ::fork();
  if (worker == 0) {
    ::close(ends[0]);
    become_worker(ends[1], work);
  }
  ::close(ends[1]);
  if (worker < 0) {
    ::close(ends[0]);
    fail(ExitCode::kOutOfMemory, about, ": no process to work in: ", std::strerror(errno));
  }
  std::string report;
  const bool in_time = listen(ends[0], seconds, report);
  ::close(ends[0]);
  if (!in_time) ::kill(worker, SIGKILL);
  int status = 0;
  while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    fail(crashed, about, ": came to nothing for ", seconds,
         " s; a file is damaged or its disk does not answer");
  }
  if (WIFSIGNALED(status)) {
    const bool killed = WTERMSIG(status) == SIGKILL;
    fail(killed ? ExitCode::kOutOfMemory : crashed, about,
         killed ? ": was killed, most likely for want of memory"
                : ": the HDF5 library crashed; the file is damaged, or the disk full");
  }
  if (report.empty()) return;
  MessageReader reader(report);
  const auto code = reader.get<ExitCode>();
  fail(code, reader.get_text());
}

}  // namespace m2st::data
