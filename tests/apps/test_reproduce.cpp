// reproduce on a folder that holds one tiny set under a published name.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

class Reproduce : public Tissue {
 protected:
  void SetUp() override {
    Tissue::SetUp();
    const std::string set = path("data/starmap_m2st");
    std::filesystem::create_directories(set);
    for (const char* name : {"features.npy", "coords.npy", "labels.txt"}) {
      std::filesystem::copy(path(name), set + "/" + name);
    }
    std::filesystem::copy(path("labels.txt"), set + "/published_labels.txt");
    std::filesystem::create_directories(path("data/published_unlabeled/heart"));
  }

  std::vector<std::string> words(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        "reproduce", "--data",         path("data"), "--hidden",     "16",   "--lambda1", "0.1",
        "10",        "--lambda2",      "1e-3",       "--lambda3",    "0.01", "0.1",       "-o",
        path("out"), "--specific-dim", "4",          "--iterations", "10"};
    if (std::find(more.begin(), more.end(), "--epochs") == more.end()) {
      all.insert(all.end(), {"--epochs", "3"});
    }
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Reproduce, PutsOurFiguresBesideThePublishedOnes) {
  const ProgramResult result = run_program(words({}));

  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = Json::parse(file_text(path("out/reproduce.json")));
  const Json& set = json["sets"][0];
  EXPECT_EQ(set["set"], "starmap_m2st");
  EXPECT_EQ(set["absent"], false);
  EXPECT_EQ(set["cells"], 300);
  EXPECT_EQ(set["domains"], 3);
  EXPECT_EQ(set["published_labels_ari"], 1.0);
  EXPECT_EQ(set["published_best_ari"], 0.61);
  for (const char* variant : {"m2ST1", "m2ST2", "m2ST3", "m2ST4", "m2ST"}) {
    EXPECT_TRUE(set["variants"][variant].contains("ari")) << variant;
    EXPECT_TRUE(set["variants"][variant]["seconds"].is_number()) << variant;
  }
  EXPECT_TRUE(set["variants"]["m2ST3"]["ari"].is_number());
  EXPECT_TRUE(set["label_free"]["default"]["ari"].is_number());
  EXPECT_EQ(json["table1"][2]["group"], "STARmap");
  EXPECT_EQ(json["table1"][2]["published"][4], 0.61);
  EXPECT_EQ(json["table1"][2]["sets_here"], 1);
  EXPECT_EQ(json["table1"][0]["sets_here"], 0);
}

TEST_F(Reproduce, ListsAbsentSetsAsAbsent) {
  ASSERT_EQ(run_program(words({})).code, 0);
  const Json json = Json::parse(file_text(path("out/reproduce.json")));
  EXPECT_EQ(json["sets"].size(), 14);
  EXPECT_NE(json["sets"][1]["absent"].get<std::string>().find("breast_m2st"), std::string::npos);
  const std::string text = file_text(path("out/reproduce.md"));
  EXPECT_NE(text.find("| Breast cancer | here: absent |"), std::string::npos) << text;
  EXPECT_NE(text.find("| STARmap | published | 0.2436 | 0.1000 | 0.5347 | 0.1974 | 0.6100 |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("hippocampus: absent"), std::string::npos);
  EXPECT_NE(text.find("heart: published labels"), std::string::npos);
}

TEST_F(Reproduce, TheChoiceAgainstTheTruthIsTheBestOfItsSweep) {
  ASSERT_EQ(run_program(words({})).code, 0);
  const Json json = Json::parse(file_text(path("out/reproduce.json")));
  const std::string sweep = file_text(path("out/starmap_m2st/m2ST/sweep/sweep.csv"));
  EXPECT_EQ(std::count(sweep.begin(), sweep.end(), '\n'), 1 + 4);
  const Json& set = json["sets"][0];
  if (!set["label_free"]["silhouette"]["ari"].is_null()) {
    EXPECT_GE(set["variants"]["m2ST"]["ari"], set["label_free"]["silhouette"]["ari"]);
  }
  const ProgramResult again = run_program(words({"--force"}));
  EXPECT_EQ(again.code, 0) << again.err;
}

TEST_F(Reproduce, TheTruthChoosesAmongAutoencoders) {
  ASSERT_EQ(run_program(words({"--epochs", "1", "3", "--autoencoders", "2"})).code, 0);
  const Json set = Json::parse(file_text(path("out/reproduce.json")))["sets"][0];
  double best = -1;
  for (const char* tried : {"seed0_epochs1", "seed1_epochs1", "seed0_epochs3", "seed1_epochs3"}) {
    const std::string folder = path("out/starmap_m2st/m2ST/") + tried + "/sweep";
    const Json chosen = Json::parse(file_text(folder + "/manifest.json"))["chosen"];
    best = std::max(best, chosen["ari"].get<double>());
  }
  EXPECT_NEAR(set["variants"]["m2ST"]["ari"].get<double>(), best, 1e-12);
  EXPECT_NE(set["variants"]["m2ST"]["options"].get<std::string>().find("epochs"),
            std::string::npos);
  EXPECT_EQ(run_program(words({"--epochs", "few"})).code, 2);
}

TEST_F(Reproduce, RefusesFoldersWithoutData) {
  const ProgramResult missing = run_program(with(words({}), "--data", path("none")));
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(missing.err.find("none"), std::string::npos) << missing.err;
  std::filesystem::create_directory(path("empty"));
  const ProgramResult empty = run_program(with(words({}), "--data", path("empty")));
  EXPECT_EQ(empty.code, 3);
  EXPECT_NE(empty.err.find("holds none of the 14 sets"), std::string::npos) << empty.err;
  EXPECT_FALSE(exists(path("out/reproduce.md")));
}

TEST_F(Reproduce, RefusesUnknownSetsAndBadGrids) {
  const ProgramResult set = run_program(words({"--sets", "mouse"}));
  EXPECT_EQ(set.code, 2);
  EXPECT_NE(set.err.find("mouse"), std::string::npos) << set.err;
  const ProgramResult grid = run_program(words({"--grid", path("none.toml")}));
  EXPECT_EQ(grid.code, 3);
}

}  // namespace
}  // namespace m2st::test
