// Output folders and hashes; that files are whole or absent is proven in tests/engine.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "data/io/output.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;

TEST(Output, WritesBytesAsTheyAre) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("domains.csv");
  const std::string bytes("a\0b\n", 4);

  write_whole(path, bytes);

  EXPECT_EQ(file_hash(path), bytes_hash(bytes));
  EXPECT_EQ(std::filesystem::file_size(path), 4u);
}

TEST(Output, HashIsXxh3Of128Bits) { EXPECT_EQ(bytes_hash(""), "99aa06d3014798d86001c324468d497f"); }

TEST(Output, HashesFilesLargerThanAPiece) {
  const test::TemporaryFolder folder;
  const std::string bytes((1 << 20) * 2 + 17, 'x');

  EXPECT_EQ(file_hash(folder.write("large", bytes)), bytes_hash(bytes));
  expect_error(ExitCode::kInputMissing, {"none"}, [&] { file_hash(folder.path("none")); });
}

TEST(Output, MakesFoldersAndAcceptsEmptyOnes) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("a/b/c");

  prepare_output_folder(path, false);
  prepare_output_folder(path, false);

  EXPECT_TRUE(std::filesystem::is_directory(path));
  EXPECT_TRUE(std::filesystem::is_empty(path));
}

TEST(Output, ExistingResultsNeedForce) {
  const test::TemporaryFolder folder;
  folder.write("domains.csv", "cell,domain\n");
  const std::string path = folder.path("");

  expect_error(ExitCode::kOutput, {"not empty", "--force"},
               [&] { prepare_output_folder(path, false); });
  prepare_output_folder(path, true);

  EXPECT_TRUE(std::filesystem::exists(folder.path("domains.csv")));
}

TEST(Output, FoldersThatCannotBeAreRefused) {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("file", "x");

  expect_error(ExitCode::kOutput, {"it is a file"}, [&] { prepare_output_folder(file, true); });
  expect_error(ExitCode::kOutput, {"file/below"},
               [&] { prepare_output_folder(file + "/below", true); });
  expect_error(ExitCode::kOutput, {"empty"}, [&] { prepare_output_folder("", true); });
  expect_error(ExitCode::kOutput, {"/proc"}, [&] { prepare_output_folder("/proc/none", true); });
  expect_error(ExitCode::kOutput, {"/proc"}, [&] { write_whole("/proc/none/x", "x"); });
}

}  // namespace
}  // namespace m2st::data
