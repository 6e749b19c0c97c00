// score, inspect, simulate and graph from file to file.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/io/npy.h"
#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

class SmallCommands : public Tissue {
 protected:
  Json json_of(const std::vector<std::string>& words) {
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
};

TEST_F(SmallCommands, ScoreOfTheTruthIsPerfect) {
  const Json scores =
      json_of({"score", "--labels", path("labels.txt"), "--truth", path("labels.txt"), "--coords",
               path("coords.npy"), "--embedding", path("features.npy")});

  for (const char* name : {"ari", "nmi_max", "nmi_arithmetic", "nmi_geometric", "acc", "purity",
                           "homogeneity", "completeness"}) {
    EXPECT_NEAR(scores[name], 1.0, 1e-12) << name;
  }
  EXPECT_EQ(scores["cells"], 300);
  for (const char* name : {"silhouette", "davies_bouldin", "calinski_harabasz", "chaos", "pas"}) {
    EXPECT_TRUE(scores[name].is_number()) << name;
  }
}

TEST_F(SmallCommands, ScoreOfLabelsAloneLeavesTheRestNull) {
  const Json scores = json_of({"score", "--labels", path("labels.txt")});

  EXPECT_TRUE(scores["ari"].is_null());
  EXPECT_TRUE(scores["chaos"].is_null());
  EXPECT_EQ(scores["cells"], 300);
}

TEST_F(SmallCommands, ScoreJoinsByTheNamesOfCells) {
  write_text(path("found.csv"), "cell,domain\na,0\nb,0\nc,1\nd,1\n");
  write_text(path("known.csv"), "cell,region\nd,x\nc,x\nb,y\na,y\n");

  const Json scores =
      json_of({"score", "--labels", path("found.csv"), "--truth", path("known.csv")});

  EXPECT_EQ(scores["ari"], 1.0);
}

TEST_F(SmallCommands, ScoreLeavesOutUnlabelledCells) {
  write_text(path("found.csv"), "cell,domain\na,0\nb,0\nc,1\nd,1\n");
  write_text(path("known.txt"), "x\nNA\ny\ny\n");

  const Json scores =
      json_of({"score", "--labels", path("found.csv"), "--truth", path("known.txt")});

  EXPECT_EQ(scores["cells"], 3);
}

TEST_F(SmallCommands, ScoreRefusesTablesOfDifferentCells) {
  write_text(path("found.csv"), "cell,domain\na,0\nb,0\n");
  write_text(path("known.csv"), "cell,region\na,x\nz,x\n");
  write_text(path("short.txt"), "x\n");

  const ProgramResult names =
      run_program({"score", "--labels", path("found.csv"), "--truth", path("known.csv")});
  const ProgramResult rows =
      run_program({"score", "--labels", path("found.csv"), "--truth", path("short.txt")});

  EXPECT_EQ(names.code, 4);
  EXPECT_NE(names.err.find("cell 'b' has no label"), std::string::npos) << names.err;
  EXPECT_EQ(rows.code, 4);
  EXPECT_NE(rows.err.find("1 labels for 2 cells"), std::string::npos) << rows.err;
}

TEST_F(SmallCommands, InspectDescribesArrays) {
  const std::vector<float> values = {1, 2, 3, std::numeric_limits<float>::quiet_NaN()};
  write_text(path("odd.npy"), data::npy_bytes<float>({values.data(), 2, 2}));

  const Json features = json_of({"inspect", path("features.npy")});
  const Json odd = json_of({"inspect", path("odd.npy")});

  EXPECT_EQ(features["format"], "npy");
  EXPECT_EQ(features["type"], "<f4");
  EXPECT_EQ(features["shape"], Json({300, 12}));
  EXPECT_EQ(features["finite"], true);
  EXPECT_EQ(odd["finite"], false);
  EXPECT_EQ(odd["not_finite"], 1);
  EXPECT_EQ(odd["maximum"], 3.0);
}

TEST_F(SmallCommands, InspectDescribesTheColumnsOfTables) {
  write_text(path("coords.csv"), "barcode,x,y\na,1,2\nb,3,NA\n");

  const Json coordinates = json_of({"inspect", path("coords.csv")});
  const Json labels = json_of({"inspect", path("labels.txt")});

  EXPECT_EQ(coordinates["format"], "table");
  EXPECT_EQ(coordinates["rows"], 2);
  EXPECT_EQ(coordinates["columns"][0]["kind"], "text");
  EXPECT_EQ(coordinates["columns"][1]["name"], "x");
  EXPECT_EQ(coordinates["columns"][1]["maximum"], 3.0);
  EXPECT_EQ(coordinates["columns"][2]["missing"], 1);
  EXPECT_EQ(labels["rows"], 300);
  EXPECT_EQ(labels["columns"][0]["different"], 3);
  EXPECT_FALSE(labels["columns"][0].contains("name"));
}

TEST_F(SmallCommands, InspectRefusesWhatIsNeitherArrayNorTable) {
  write_text(path("binary"), std::string("\0\1\2\3", 4));

  const ProgramResult result = run_program({"inspect", path("binary")});

  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.out, "");
}

TEST_F(SmallCommands, InspectOfAMissingFile) {
  const ProgramResult result = run_program({"inspect", path("none")});

  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.err.find("none"), std::string::npos);
}

TEST_F(SmallCommands, SimulateGivesTheSameTissueForTheSameSeed) {
  for (const auto& [signal, name] :
       {std::pair{"counts", "counts.npy"}, std::pair{"components", "features.npy"}}) {
    for (const char* copy : {"one", "two"}) {
      ASSERT_EQ(run_program({"simulate", "-n", "200", "-k", "4", "--shape", "blobs", "--pattern",
                             "random", "--signal", signal, "--seed", "3", "-t",
                             copy == std::string("one") ? "1" : "3", "-o", path(copy), "--force"})
                    .code,
                0);
    }
    for (const std::string& file :
         {std::string(name), std::string("coords.npy"), std::string("labels.txt")}) {
      EXPECT_TRUE(file_text(path("one/" + file)) == file_text(path("two/" + file))) << file;
    }
  }
}

TEST_F(SmallCommands, GraphWritesCsrWithoutSelfLoops) {
  ASSERT_EQ(run_program({"graph", "--coords", path("coords.npy"), "-o", path("graph")}).code, 0);
  CpuContext context(1);

  const auto offsets = data::read_npy<std::int64_t>(context, path("graph/graph_indptr.npy"));
  const auto neighbours = data::read_npy<std::int32_t>(context, path("graph/graph_indices.npy"));

  ASSERT_EQ(offsets.size(), 301);
  ASSERT_EQ(offsets(300, 0), neighbours.size());
  for (std::int64_t i = 0; i < 300; ++i) {
    for (std::int64_t e = offsets(i, 0); e < offsets(i + 1, 0); ++e) {
      EXPECT_NE(neighbours(e, 0), i);
    }
  }
}

TEST_F(SmallCommands, EmbedFromACheckpointRepeatsTheEmbedding) {
  std::vector<std::string> words = {"embed",
                                    "--features",
                                    path("features.npy"),
                                    "--coords",
                                    path("coords.npy"),
                                    "--epochs",
                                    "4",
                                    "--hidden",
                                    "16",
                                    "--heads",
                                    "2",
                                    "--checkpoint-every",
                                    "4"};
  std::vector<std::string> again = {"embed",
                                    "--features",
                                    path("features.npy"),
                                    "--coords",
                                    path("coords.npy"),
                                    "--checkpoint",
                                    path("one/checkpoint/training.m2st"),
                                    "-o",
                                    path("two")};
  words.insert(words.end(), {"-o", path("one")});
  ASSERT_EQ(run_program(words).code, 0);

  const ProgramResult result = run_program(again);

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_TRUE(file_text(path("one/embedding_scale2.npy")) ==
              file_text(path("two/embedding_scale2.npy")));
  const auto manifest = nlohmann::json::parse(file_text(path("two/manifest.json")));
  EXPECT_EQ(manifest["parameters"]["hidden"], 16);  // the checkpoint's

  again.insert(again.end(), {"--hidden", "400000", "--force"});
  const ProgramResult other = run_program(again);
  EXPECT_EQ(other.code, 10) << other.err;
  EXPECT_NE(other.err.find("hidden: 16 there, 400000 here"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace m2st::test
