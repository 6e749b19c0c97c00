// Files of a test live in a new folder under the system's, removed at the end.
#include "tests/apps/tissue.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace m2st::test {

void Tissue::SetUp() {
  std::string name = testing::TempDir() + "m2st_XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  folder_ = name;
  const ProgramResult made = run_program({"simulate", "-n", "300", "-k", "3", "--components", "12",
                                          "--seed", "1", "-o", folder_, "--force"});
  ASSERT_EQ(made.code, 0) << made.err;
}

void Tissue::TearDown() { std::filesystem::remove_all(folder_); }

std::vector<std::string> Tissue::run_words(const std::string& out,
                                           const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"run",
                                    "--features",
                                    path("features.npy"),
                                    "--coords",
                                    path("coords.npy"),
                                    "-k",
                                    "3",
                                    "--epochs",
                                    "3",
                                    "--hidden",
                                    "16",
                                    "--heads",
                                    "2",
                                    "-t",
                                    "2",
                                    "-o",
                                    path(out)};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

bool exists(const std::string& path) { return std::filesystem::exists(path); }

std::vector<std::string> with(std::vector<std::string> words, const std::string& option,
                              const std::string& value) {
  const auto found = std::find(words.begin(), words.end(), option);
  EXPECT_NE(found, words.end()) << option;
  if (found != words.end()) *(found + 1) = value;
  return words;
}

}  // namespace m2st::test
