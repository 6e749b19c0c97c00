// Where the data that is not part of the project lives; tests that need it skip by name without it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace m2st::test {

inline std::string shared_path(const std::string& name) {
  return std::string(M2ST_SHARED_FOLDER) + "/" + name;
}

inline bool has_shared(const std::string& name) {
  return std::filesystem::exists(shared_path(name));
}

}  // namespace m2st::test

// Skips the running test, naming what is missing.
#define M2ST_NEEDS_SHARED(name)                                                  \
  if (!::m2st::test::has_shared(name)) {                                         \
    GTEST_SKIP() << "needs " << name << " in the shared folder beside the tree"; \
  }
