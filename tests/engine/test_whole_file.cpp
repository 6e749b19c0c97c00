// Whole or absent: what write_whole_file leaves behind when it succeeds and when it cannot.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/whole_file.h"

namespace m2st {
namespace {

class WholeFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "whole_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::ptrdiff_t entries() const {
    return std::distance(std::filesystem::directory_iterator(folder_), {});
  }

  std::filesystem::path folder_;
};

ExitCode code_of_writing(const std::string& path, std::string_view bytes) {
  try {
    write_whole_file(path, bytes);
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kOk;
}

TEST_F(WholeFile, ReadsBackWhatWasWritten) {
  // Empty, short, exactly one piece of the comparison, and more than one.
  for (const std::size_t size : {0u, 1u, 1u << 20, (3u << 20) + 17u}) {
    std::string bytes(size, 'x');
    if (size > 0) bytes.back() = '\0';

    write_whole_file(path("file"), bytes);

    EXPECT_EQ(read_whole_file(path("file"), ExitCode::kInputMissing), bytes) << size;
    EXPECT_EQ(entries(), 1) << "a temporary file is left";
  }
}

TEST_F(WholeFile, PartsFollowOneAnother) {
  const std::string long_part((1u << 20) + 5u, 'y');
  const std::vector<std::string_view> parts = {"", "head", long_part, "", "tail"};

  write_whole_file(path("file"), parts);

  EXPECT_EQ(read_whole_file(path("file"), ExitCode::kInputMissing), "head" + long_part + "tail");
}

TEST_F(WholeFile, ReplacesAnOlderFile) {
  write_whole_file(path("file"), "a longer older content");

  write_whole_file(path("file"), "new");

  EXPECT_EQ(read_whole_file(path("file"), ExitCode::kInputMissing), "new");
}

TEST_F(WholeFile, FailsWithTheOutputCodeWhereNoFileCanBe) {
  std::filesystem::create_directory(folder_ / "taken");

  EXPECT_EQ(code_of_writing(path("missing/file"), "x"), ExitCode::kOutput);
  EXPECT_EQ(code_of_writing(path("taken"), "x"), ExitCode::kOutput);
  EXPECT_EQ(entries(), 1) << "a temporary file is left";
}

TEST_F(WholeFile, LeavesTheOldFileWhenTheDiskIsFull) {
  write_whole_file(path("file"), "old");
  // A limit on file sizes fails a write in the middle, as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);

  const ExitCode code = code_of_writing(path("file"), std::string(1 << 20, 'x'));

  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(code, ExitCode::kOutput);
  EXPECT_EQ(read_whole_file(path("file"), ExitCode::kInputMissing), "old");
  EXPECT_EQ(entries(), 1) << "a temporary file is left";
}

TEST_F(WholeFile, ReadingFailsWithTheCallersCode) {
  for (const std::string& name : {path("missing"), folder_.string()}) {
    try {
      read_whole_file(name, ExitCode::kCheckpoint);
      FAIL() << "read " << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kCheckpoint);
    }
  }
}

}  // namespace
}  // namespace m2st
