// A small simulated tissue in a folder of its own, and the words that run the program on it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/apps/program.h"

namespace m2st::test {

class Tissue : public testing::Test {
 protected:
  // 300 cells, 3 layers, 12 components: features.npy, coords.npy, labels.txt.
  void SetUp() override;
  void TearDown() override;

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  // `run` on the tissue into `out`, small and short; `more` is appended.
  std::vector<std::string> run_words(const std::string& out,
                                     const std::vector<std::string>& more = {}) const;

 private:
  std::string folder_;
};

std::string file_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);
bool exists(const std::string& path);
// `words` with the value of `option` replaced.
std::vector<std::string> with(std::vector<std::string> words, const std::string& option,
                              const std::string& value);

}  // namespace m2st::test
