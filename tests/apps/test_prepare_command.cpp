// Counts in, features or domains out, through the program: files that stages hand on, and what it
// says when an input cannot be prepared.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/apps/program.h"
#include "tests/apps/tissue.h"
#include "tests/support/temporary_folder.h"

namespace m2st {
namespace {

using test::exists;
using test::file_text;
using test::ProgramResult;
using test::run_program;

constexpr int kCells = 240, kGenes = 24, kGroups = 3;

// Three strips of cells, each with genes of its own; the last cell has no counts.
class PrepareCommand : public testing::Test {
 protected:
  void SetUp() override {
    write("counts.csv", 1);
    std::ostringstream places;
    places << "cell,x,y\n";
    for (int i = 0; i < kCells; ++i) places << "c" << i << ',' << i / 8 << ',' << i % 8 << '\n';
    folder_.write("coords.csv", places.str());
  }

  // Values are `factor` times the counts.
  void write(const std::string& name, double factor) const {
    std::ostringstream text;
    text << "cell";
    for (int g = 0; g < kGenes; ++g) text << ",g" << g;
    text << '\n';
    for (int i = 0; i < kCells; ++i) {
      text << "c" << i;
      for (int g = 0; g < kGenes; ++g) {
        const int own = i * kGroups / kCells == g % kGroups ? 6 : 1;
        const int count = i == kCells - 1 || g == 5 ? 0 : (i * i * 7 + g * i * 3 + g) % 5 * own;
        text << ',' << count * factor;
      }
      text << '\n';
    }
    folder_.write(name, text.str());
  }

  std::string path(const std::string& name) const { return folder_.path(name); }
  ProgramResult prepare(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"prepare", path("counts.csv"), "-o", path("out"), "--force"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  ProgramResult run(const std::string& out, const std::vector<std::string>& input) const {
    std::vector<std::string> words = {"run", "-k", "3", "--epochs", "3",      "--hidden",
                                      "16",  "-t", "2", "-o",       path(out)};
    words.insert(words.end(), input.begin(), input.end());
    return run_program(words);
  }

  test::TemporaryFolder folder_;
};

TEST_F(PrepareCommand, WritesWhatOtherStagesRead) {
  const ProgramResult prepared = prepare(
      {"--coords", path("coords.csv"), "--recipe", "log", "--n-pcs", "5", "--n-top-genes", "12"});
  ASSERT_EQ(prepared.code, 0) << prepared.err;
  for (const char* name : {"features.npy", "coords.csv", "genes.csv", "variable_genes.csv",
                           "loadings.npy", "variance.csv", "manifest.json"}) {
    EXPECT_TRUE(exists(path("out/") + name)) << name;
  }
  EXPECT_NE(prepared.err.find("kept 23 of 24 genes"), std::string::npos) << prepared.err;
  EXPECT_NE(prepared.err.find("1 cell has no counts"), std::string::npos) << prepared.err;

  const ProgramResult stages =
      run("stages", {"--features", path("out/features.npy"), "--coords", path("out/coords.csv")});
  const ProgramResult whole =
      run("whole", {path("counts.csv"), "--coords", path("coords.csv"), "--recipe", "log",
                    "--n-pcs", "5", "--n-top-genes", "12"});

  ASSERT_EQ(stages.code, 0) << stages.err;
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(file_text(path("stages/domains.csv")), file_text(path("whole/domains.csv")));
}

TEST_F(PrepareCommand, CellsLeftOutLeaveEveryTable) {
  const ProgramResult result = run("out", {path("counts.csv"), "--coords", path("coords.csv"),
                                           "--n-pcs", "4", "--min-counts", "1"});

  ASSERT_EQ(result.code, 0) << result.err;
  const std::string domains = file_text(path("out/domains.csv"));
  EXPECT_EQ(std::count(domains.begin(), domains.end(), '\n'), kCells);  // a header and 239 cells
  EXPECT_EQ(domains.find("c239,"), std::string::npos);
}

TEST_F(PrepareCommand, RecipesMayBeChangedStepByStepWhateverTheOrder) {
  ASSERT_EQ(prepare({"--log1p", "on", "--recipe", "none", "--n-pcs", "3"}).code, 0);
  const std::string manifest = file_text(path("out/manifest.json"));
  EXPECT_NE(manifest.find("took log(1 + x)"), std::string::npos);
  EXPECT_EQ(manifest.find("normalised every cell"), std::string::npos);
}

TEST_F(PrepareCommand, SaysWhyValuesCannotBePrepared) {
  write("counts.csv", 0.25);
  const ProgramResult fractional = prepare({});
  EXPECT_EQ(fractional.code, 4);
  for (const char* word : {"'c", "'g", "not a whole number", "--recipe none"}) {
    EXPECT_NE(fractional.err.find(word), std::string::npos) << fractional.err;
  }
  write("counts.csv", -1);
  const ProgramResult negative = prepare({});
  EXPECT_EQ(negative.code, 4);
  EXPECT_NE(negative.err.find("negative"), std::string::npos) << negative.err;
  EXPECT_FALSE(exists(path("out/features.npy")));
}

TEST_F(PrepareCommand, RefusesWhatContradictsItself) {
  const ProgramResult both = run("out", {path("counts.csv"), "--features", path("features.npy"),
                                         "--coords", path("coords.csv")});
  EXPECT_EQ(both.code, 2);
  EXPECT_NE(both.err.find("exclude each other"), std::string::npos) << both.err;
  const ProgramResult neither = run("out", {"--coords", path("coords.csv")});
  EXPECT_EQ(neither.code, 2);
  EXPECT_NE(neither.err.find("INPUT or --features"), std::string::npos) << neither.err;
  const ProgramResult nowhere = run("out", {path("counts.csv")});
  EXPECT_EQ(nowhere.code, 4);
  EXPECT_NE(nowhere.err.find("--coords FILE"), std::string::npos) << nowhere.err;
  const ProgramResult many = prepare({"--n-pcs", "24"});
  EXPECT_EQ(many.code, 5);
  EXPECT_NE(many.err.find("between 1 and 23"), std::string::npos) << many.err;
}

}  // namespace
}  // namespace m2st
