// What every fuzz target does: the bytes become a file in memory, a parser reads it, and whatever
// is not an error of the project with a code for input is a crash.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/check.h"

namespace m2st::test {

template <class Read>
int read_as_file(const std::uint8_t* bytes, std::size_t size, Read&& read) {
  const int file = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (file < 0 || ::write(file, bytes, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    read("/proc/self/fd/" + std::to_string(file));
  } catch (const Error& error) {
    const ExitCode code = error.code();
    if (code != ExitCode::kInputInvalid && code != ExitCode::kUsage) {
      std::fprintf(stderr, "exit code %d: %s\n", static_cast<int>(code), error.what());
      std::abort();
    }
  }
  ::close(file);
  return 0;
}

}  // namespace m2st::test
