// Expectations on the project's errors: the exit code, and words that the message must hold.
#pragma once

#include <gtest/gtest.h>

#include <exception>
#include <initializer_list>
#include <string>
#include <utility>

#include "engine/check.h"

namespace m2st::test {

template <class Action>
void expect_error(ExitCode code, std::initializer_list<std::string> words, Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    for (const std::string& word : words) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos)
          << "no '" << word << "' in: " << error.what();
    }
    return;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "want an m2st::Error, got: " << error.what();
    return;
  }
  ADD_FAILURE() << "want an error with exit code " << static_cast<int>(code) << ", got none";
}

}  // namespace m2st::test
