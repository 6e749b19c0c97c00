// One checked write.
#include "apps/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/check.h"

namespace m2st::apps {

void write_standard_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    fail(ExitCode::kOutput, "stdout: cannot be written to: ", std::strerror(errno));
  }
}

}  // namespace m2st::apps
