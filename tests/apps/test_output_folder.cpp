// A run's results appear together or not at all.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "apps/pipeline/output_folder.h"
#include "data/io/output.h"
#include "engine/check.h"
#include "tests/apps/tissue.h"

namespace m2st::apps {
namespace {

class Output : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "m2st_output_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string root_;
};

TEST_F(Output, AppearsOnCommit) {
  const std::string path = root_ + "/new/folder";
  {
    OutputFolder folder(path, false);
    folder.write("a.txt", "one");
    EXPECT_FALSE(test::exists(path + "/a.txt"));
    folder.commit();
    EXPECT_EQ(folder.files().at(0).hash, data::bytes_hash("one"));
  }

  EXPECT_EQ(test::file_text(path + "/a.txt"), "one");
  EXPECT_FALSE(test::exists(path + "/.partial"));
}

TEST_F(Output, LeavesNothingWithoutCommit) {
  const std::string path = root_ + "/folder";
  {
    OutputFolder folder(path, false);
    folder.make_folder("checkpoint");
    folder.write("a.txt", "one");
  }

  EXPECT_FALSE(test::exists(path));
}

TEST_F(Output, LeavesOldResultsWithoutCommit) {
  test::write_text(root_ + "/a.txt", "old");
  {
    OutputFolder folder(root_, true);
    folder.write("a.txt", "new");
  }

  EXPECT_EQ(test::file_text(root_ + "/a.txt"), "old");
}

TEST_F(Output, KeepsSubfoldersThatHoldFiles) {
  const std::string path = root_ + "/folder";
  {
    OutputFolder folder(path, false);
    test::write_text(folder.make_folder("checkpoint") + "/c", "state");
  }

  EXPECT_EQ(test::file_text(path + "/checkpoint/c"), "state");
}

TEST_F(Output, RefusesAFolderThatAnotherRunWritesTo) {
  OutputFolder first(root_, true);

  try {
    OutputFolder second(root_, true);
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kOutput);
    EXPECT_NE(std::string(error.what()).find("another m2st"), std::string::npos);
  }
}

}  // namespace
}  // namespace m2st::apps
