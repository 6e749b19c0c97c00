// The flag that a signal handler may set is the one variable of the program that no one owns.
#include "apps/signals.h"

#include <csignal>

namespace m2st::apps {

namespace {

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void note_signal(int signal) { stop_signal = signal; }

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file that would grow past the limit is then a failed write, with a message.
  std::signal(SIGXFSZ, SIG_IGN);
}

int received_signal() { return stop_signal; }

}  // namespace m2st::apps
