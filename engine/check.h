// Errors: one exception type that carries the program's exit code, and the check that throws it.
// Messages read "op: what (got a, need b)"; design.md section 3 lists the codes.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace m2st {

enum class ExitCode {
  kOk = 0,
  kInternal = 1,
  kUsage = 2,
  kInputMissing = 3,
  kInputInvalid = 4,
  kParameterImpossible = 5,
  kOutOfMemory = 6,
  kDevice = 7,
  kOutput = 8,
  kNotConverged = 9,
  kCheckpoint = 10,
  kInterrupted = 130,
  kTerminated = 143,
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// Joins its arguments as operator<< prints them.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

template <class... Parts>
[[noreturn]] void fail(ExitCode code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

}  // namespace m2st

// A caller's mistake inside the engine: exit code 1, because data from outside is validated before.
#define M2ST_CHECK(condition, ...)                            \
  do {                                                        \
    if (!(condition)) {                                       \
      ::m2st::fail(::m2st::ExitCode::kInternal, __VA_ARGS__); \
    }                                                         \
  } while (false)
