// Output is whole or absent: existing folders, places that cannot be written, disks that are full.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>

#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using BadOutput = Tissue;

TEST_F(BadOutput, ExistingFolderNeedsForce) {
  std::filesystem::create_directory(path("out"));
  write_text(path("out/notes.txt"), "mine");

  const ProgramResult refused = run_program(run_words("out"));
  const ProgramResult forced = run_program(run_words("out", {"--force"}));

  EXPECT_EQ(refused.code, 8);
  EXPECT_NE(refused.err.find("--force"), std::string::npos) << refused.err;
  EXPECT_EQ(forced.code, 0) << forced.err;
  EXPECT_EQ(file_text(path("out/notes.txt")), "mine");
  EXPECT_TRUE(exists(path("out/domains.csv")));
}

TEST_F(BadOutput, FolderThatCannotBeMade) {
  for (const std::string& place :
       {std::string("/proc/m2st"), path("labels.txt"), path("labels.txt") + "/out"}) {
    const ProgramResult result = run_program(with(run_words("out"), "-o", place));

    EXPECT_EQ(result.code, 8) << result.err;
    EXPECT_NE(result.err.find(place), std::string::npos) << result.err;
  }
}

// Limits that let some of the results through, but not all.
TEST_F(BadOutput, NothingIsLeftWhenAFileCannotGrow) {
  for (const std::int64_t limit : {1, 1000, 12'000}) {
    ProgramPlan plan;
    plan.arguments = run_words("out");
    plan.file_size_limit = limit;

    const ProgramResult result = run_program(plan);

    EXPECT_EQ(result.code, 8) << limit << result.err;
    EXPECT_FALSE(exists(path("out/domains.csv"))) << limit;
    EXPECT_FALSE(exists(path("out/.partial"))) << limit;
    EXPECT_FALSE(exists(path("out/embedding_scale1.npy"))) << limit;
  }
}

TEST_F(BadOutput, NothingIsLeftOnAFullDisk) {
  const std::string disk = path("disk");
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16k") != 0) {
    GTEST_SKIP() << "needs the right to mount a small tmpfs";
  }

  const ProgramResult result = run_program(with(run_words("out"), "-o", disk + "/out"));

  EXPECT_EQ(result.code, 8) << result.err;
  EXPECT_FALSE(exists(disk + "/out/domains.csv"));
  EXPECT_FALSE(exists(disk + "/out/embedding_scale1.npy"));
  EXPECT_FALSE(exists(disk + "/out/.partial"));
  EXPECT_EQ(::umount(disk.c_str()), 0);
}

TEST_F(BadOutput, OldResultsSurviveAFailedRun) {
  ASSERT_EQ(run_program(run_words("out")).code, 0);
  const std::string before = file_text(path("out/manifest.json"));
  ProgramPlan plan;
  plan.arguments = run_words("out", {"--force", "--seed", "7"});
  plan.file_size_limit = 12'000;

  EXPECT_EQ(run_program(plan).code, 8);

  EXPECT_EQ(file_text(path("out/manifest.json")), before);
}

}  // namespace
}  // namespace m2st::test
