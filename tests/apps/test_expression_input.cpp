// Files and folders of expression through the program: inspect shows what is in them, and a damaged
// one ends every command with its exit code, a sentence and nothing written.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/apps/program.h"
#include "tests/data/h5ad_file.h"
#include "tests/support/temporary_folder.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

class ExpressionInput : public ::testing::Test {
 protected:
  std::string h5ad() {
    const std::string path = folder_.path("a.h5ad");
    H5adFile file(path);
    file.frames();
    file.positions();
    file.rows("/X", {.packing = Packing::kLzf});
    file.categorical("/obs/layer", {1, -1, 0, 1}, {"WM", "L1"});
    file.rows("/layers/counts");
    return path;
  }

  TemporaryFolder folder_;
};

TEST_F(ExpressionInput, InspectShowsWhatAFileHolds) {
  const ProgramResult result = run_program({"inspect", h5ad(), "--truth-key", "layer"});

  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["format"], "AnnData .h5ad (0.8 or newer)");
  EXPECT_EQ(json["cells"], 4);
  EXPECT_EQ(json["genes"], 3);
  EXPECT_EQ(json["values"]["not_zero"], 6);
  EXPECT_EQ(json["values"]["counts"], true);
  EXPECT_EQ(json["positions"][1]["maximum"], 13);
  EXPECT_EQ(json["labels"]["sizes"]["L1"], 2);
  EXPECT_EQ(json["labels"]["missing"], 1);
  EXPECT_EQ(json["skipped"][0], "layers: counts (--layer takes one)");
}

TEST_F(ExpressionInput, InspectTellsTablesOfCountsByTheirWidth) {
  std::string text = "cell";
  for (int gene = 0; gene < 100; ++gene) text += ",g" + std::to_string(gene);
  text += "\na";
  for (int gene = 0; gene < 100; ++gene) text += ",1";
  folder_.write("wide.csv", text + "\n");

  const ProgramResult result = run_program({"inspect", folder_.path("wide.csv")});

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["genes"], 100);
}

TEST_F(ExpressionInput, DamagedFilesEndWithASentence) {
  const std::string path = h5ad();
  const auto whole = std::filesystem::file_size(path);
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::pair<std::string, std::string>> damaged = {
      {"cut.h5ad", bytes.substr(0, whole / 2)},
      {"empty.h5ad", ""},
      {"byte.h5ad", bytes.substr(0, 1)},
      {"text.h5ad", "cell,x,y\n"}};
  for (const auto& [name, content] : damaged) {
    const ProgramResult result = run_program({"inspect", folder_.write(name, content)});

    EXPECT_EQ(result.code, 4) << name << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find(name), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("HDF5-DIAG"), std::string::npos) << result.err;
  }
}

TEST_F(ExpressionInput, MistakesInOptionsAreUsageErrors) {
  const std::string table = folder_.write("a.csv", "cell,A,B\nx,1,2\n");
  const std::string places = folder_.write("p.csv", "cell,x,y\nx,1,2\n");

  EXPECT_EQ(run_program({"inspect", table, "--coords", places, "--layer", "x"}).code, 2);
  EXPECT_EQ(run_program({"inspect", table, "--bin-size", "0"}).code, 2);
  EXPECT_EQ(run_program({"inspect", table, "--coords", places, "--x-column", "x"}).code, 2);
  EXPECT_EQ(run_program({"inspect", h5ad(), "--layer", "none"}).code, 4);
  EXPECT_EQ(run_program({"inspect", folder_.path("none.h5ad")}).code, 3);
}

}  // namespace
}  // namespace m2st::test
