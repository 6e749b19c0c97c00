#include "tests/simt/options.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "engine/check.h"
#include "engine/cpu_context.h"
#include "tests/simt/report.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const std::string text = variable(name);
  if (text.empty()) return otherwise;
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (*end != '\0' || errno != 0) report(concat(name, " is not a number: ", text));
  return value;
}

Order order() {
  const std::string text = variable("M2ST_SIMT_ORDER");
  if (text.empty() || text == "forward") return Order::kForward;
  if (text == "reverse") return Order::kReverse;
  if (text == "random") return Order::kRandom;
  report(concat("M2ST_SIMT_ORDER is forward, reverse or random, not ", text));
}

bool lazy() {
  const std::string text = variable("M2ST_SIMT_STREAMS");
  if (text.empty() || text == "eager") return false;
  if (text == "lazy") return true;
  report(concat("M2ST_SIMT_STREAMS is eager or lazy, not ", text));
}

// One for ThreadSanitizer, which tells CUDA threads apart itself.
int workers() {
  if (thread_sanitizer()) return 1;
  const int all = available_processors();
  return std::max(1,
                  static_cast<int>(number("M2ST_SIMT_WORKERS", static_cast<std::uint64_t>(all))));
}

}  // namespace

Options options_from_environment() {
  Options options;
  options.order = order();
  options.seed = number("M2ST_SIMT_SEED", options.seed);
  options.lazy = lazy();
  options.workers = workers();
  options.devices = static_cast<int>(number("M2ST_SIMT_DEVICES", 1));
  options.memory = number("M2ST_SIMT_MEMORY", options.memory);
  return options;
}

}  // namespace m2st::simt
