#include "tests/simt/options.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <initializer_list>
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

// Which of the words the variable is, the first when it is not set.
int choice(const char* name, std::initializer_list<const char*> words) {
  const std::string text = variable(name);
  if (text.empty()) return 0;
  int index = 0;
  std::string list;
  for (const char* word : words) {
    if (text == word) return index;
    ++index;
    list += concat(list.empty() ? "" : ", ", word);
  }
  report(concat(name, " is one of ", list, ", not ", text));
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
  options.order = static_cast<Order>(choice("M2ST_SIMT_ORDER", {"forward", "reverse", "random"}));
  options.seed = number("M2ST_SIMT_SEED", options.seed);
  options.lazy = choice("M2ST_SIMT_STREAMS", {"eager", "lazy"}) == 1;
  options.guarded = choice("M2ST_SIMT_HOST_ACCESS", {"allowed", "forbidden"}) == 1;
  options.workers = workers();
  options.devices = static_cast<int>(number("M2ST_SIMT_DEVICES", 1));
  options.memory = number("M2ST_SIMT_MEMORY", options.memory);
  options.blocks = number("M2ST_SIMT_BLOCKS", options.blocks);
  options.fault = static_cast<Fault>(
      choice("M2ST_SIMT_FAULT", {"none", "old-driver", "no-kernels", "no-room"}));
  return options;
}

}  // namespace m2st::simt
