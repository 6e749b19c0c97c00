// Stages besides training on a device with too little memory, on the host executor: with
// --device auto the CPU takes over and says so, with --device cuda the run ends with code 6 and
// what was needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

// Less than any stage takes of it.
const std::string kSmallMemory = "M2ST_SIMT_MEMORY=20000";
// Others have the rest: what a plan saw is gone when it is taken.
const std::string kFewBlocks = "M2ST_SIMT_BLOCKS=3";

class ScarceMemory : public Tissue {
 protected:
  static ProgramResult run_on(const std::string& device, const std::string& environment,
                              std::vector<std::string> words) {
    ProgramPlan plan;
    words.insert(words.end(), {"--device", device});
    plan.arguments = std::move(words);
    if (!environment.empty()) plan.environment = {environment};
    plan.timeout_seconds = 300;
    return run_program(plan);
  }
  Json manifest(const std::string& out) const {
    return Json::parse(file_text(path(out) + "/manifest.json"));
  }
  // `words` write into the folder that their last word names.
  void expect_cpu_instead(const std::vector<std::string>& words, const std::string& environment,
                          const std::vector<std::string>& files) const {
    const auto into = [&](const std::string& out) {
      std::vector<std::string> all = words;
      all.insert(all.end(), {"-o", path(out), "--force"});
      return all;
    };
    std::filesystem::remove_all(path("instead"));  // a sweep would keep its rows
    const ProgramResult result = run_on("auto", environment, into("instead"));
    ASSERT_EQ(result.code, 0) << environment << ": " << result.err;
    ASSERT_EQ(run_on("cpu", "", into("cpu")).code, 0);

    EXPECT_NE(result.err.find("on the CPU"), std::string::npos) << result.err;
    const Json warnings = manifest("instead")["warnings"];
    ASSERT_EQ(warnings.size(), 1u) << warnings;
    EXPECT_NE(warnings[0].get<std::string>().find("memory"), std::string::npos) << warnings;
    EXPECT_EQ(manifest("instead")["hardware"]["device"], "cpu");
    for (const std::string& file : files) {
      EXPECT_TRUE(file_text(path("instead/") + file) == file_text(path("cpu/") + file))
          << environment << ": " << file;
    }
  }
  void expect_refused(std::vector<std::string> words, const std::string& environment,
                      const std::vector<std::string>& said) const {
    words.insert(words.end(), {"-o", path("refused")});
    const ProgramResult result = run_on("cuda", environment, words);

    EXPECT_EQ(result.code, 6) << result.err;
    for (const std::string& word : said) {
      EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
    }
    EXPECT_FALSE(exists(path("refused/manifest.json")));
  }

  std::string counts() const {
    constexpr int kCells = 150, kGenes = 40;
    std::ostringstream text;
    text << "cell";
    for (int g = 0; g < kGenes; ++g) text << ",g" << g;
    for (int i = 0; i < kCells; ++i) {
      text << "\nc" << i;
      for (int g = 0; g < kGenes; ++g) {
        text << ',' << (i * i * 7 + g * i * 3 + g) % 5 * (i * 3 / kCells == g % 3 ? 6 : 1);
      }
    }
    write_text(path("counts.csv"), text.str() + "\n");
    return path("counts.csv");
  }
  // Four option sets, in two batches.
  std::vector<std::string> sweep_words() const {
    std::vector<std::string> words = {"sweep", "--embeddings", embedding(1), embedding(2)};
    for (const char* word : {"-k", "3", "--lambda1", "1", "10", "--lambda2", "0.001", "--lambda3",
                             "0.1", "--specific-dim", "3", "5", "--iterations", "5"}) {
      words.push_back(word);
    }
    return words;
  }
  void embed() const { ASSERT_EQ(run_on("cpu", "", run_words("embedded")).code, 0); }
  std::string embedding(int scale) const {
    return path("embedded/embedding_scale") + std::to_string(scale) + ".npy";
  }
};

TEST_F(ScarceMemory, PreparationIsTheCpus) {
  const std::vector<std::string> words = {"prepare", counts(), "--n-pcs", "6"};

  for (const std::string& environment : {kSmallMemory, kFewBlocks}) {
    expect_cpu_instead(words, environment, {"features.npy", "loadings.npy", "variance.csv"});
    expect_refused(words, environment,
                   {"principal components of 150 cells with 40 genes", "cuda:0", "--device cpu"});
  }
}

TEST_F(ScarceMemory, ReferenceClusteringIsTheCpus) {
  embed();
  const std::vector<std::string> words = {"cluster",     "--embedding", embedding(1),
                                          "--embedding", embedding(2),  "-k",
                                          "3",           "--method",    "reference"};

  for (const std::string& environment : {kSmallMemory, kFewBlocks}) {
    expect_cpu_instead(words, environment, {"domains.csv"});
    EXPECT_EQ(manifest("instead")["clustering"]["device"], "cpu");
  }
  expect_refused(words, kSmallMemory,
                 {"the reference method takes up to", "20000 are free", "--device cpu"});
  expect_refused(words, kFewBlocks, {"cuda:0"});
}

TEST_F(ScarceMemory, SweepIsTheCpus) {
  embed();
  const std::vector<std::string> words = sweep_words();

  // Of which the embeddings take 57,600, and the first of them once more, in float, to be scored.
  const std::string one_set_too_many = "M2ST_SIMT_MEMORY=90000";
  for (const std::string& environment : {kSmallMemory, one_set_too_many, kFewBlocks}) {
    expect_cpu_instead(words, environment, {"domains.csv", "sweep.csv"});
  }
  expect_refused(words, kSmallMemory, {"the cells take up to 76800 bytes", "20000 are free"});
  expect_refused(words, one_set_too_many, {"one option set with specific dimension 3 takes up to"});
  expect_refused(words, kFewBlocks, {"cuda:0"});
}

// The blocks that are just too few run out as late as they can: behind the first batch.
TEST_F(ScarceMemory, RowsOfASweepThatEndsAreThereForTheNext) {
  embed();
  const auto sweep = [&](const std::string& device, int blocks, const std::string& out) {
    std::vector<std::string> words = sweep_words();
    words.insert(words.end(), {"-o", path(out)});
    return run_on(device, "M2ST_SIMT_BLOCKS=" + std::to_string(blocks), words);
  };
  constexpr int kEnough = 4096;
  int too_few = 3, enough = kEnough;
  while (enough - too_few > 1) {
    const int blocks = (too_few + enough) / 2;
    const std::string out = "with" + std::to_string(blocks);
    (sweep("cuda", blocks, out).code == 0 ? enough : too_few) = blocks;
  }
  ASSERT_EQ(sweep("cuda", kEnough, "whole").code, 0);

  const std::string ended = "with" + std::to_string(too_few);
  const std::string rows = file_text(path(ended + "/sweep.csv"));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3) << rows;
  const ProgramResult result = sweep("cuda", kEnough, ended);

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("2 of 4 rows kept"), std::string::npos) << result.err;
  EXPECT_EQ(file_text(path(ended + "/sweep.csv")), file_text(path("whole/sweep.csv")));
}

TEST_F(ScarceMemory, SweepThatGoesOnElsewhereSaysSo) {
  embed();
  const auto sweep = [&](const std::string& device, std::vector<std::string> words) {
    words.insert(words.end(), {"-o", path("sweep")});
    return run_on(device, "", std::move(words));
  };
  std::vector<std::string> half = sweep_words();
  half.erase(std::find(half.begin(), half.end(), "5"));  // of --specific-dim
  ASSERT_EQ(sweep("cpu", half).code, 0);
  EXPECT_EQ(Json::parse(file_text(path("sweep/sweep_inputs.json")))["backend"], "cpu");

  const ProgramResult result = sweep("cuda", sweep_words());

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("computed by cpu, those to come are by cuda"), std::string::npos)
      << result.err;
  ASSERT_EQ(sweep("cpu", sweep_words()).code, 0);  // there is nothing left to do
  EXPECT_EQ(Json::parse(file_text(path("sweep/sweep_inputs.json")))["backend"], "cpu and cuda");
}

}  // namespace
}  // namespace m2st::test
