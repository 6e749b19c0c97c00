// The sweep as a user runs it: table, choice, continuing, and every kind of bad input.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "data/io/npy.h"
#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

constexpr const char* kColumns =
    "lambda1,lambda2,lambda3,specific_dim,sizes,iterations,objective,silhouette,davies_bouldin,"
    "calinski_harabasz,pas";

class SweepCommand : public Tissue {
 protected:
  void SetUp() override {
    Tissue::SetUp();
    write_text(path("grid.toml"),
               "lambda1 = [0.1, 10]\nlambda2 = [1e-3]\nlambda3 = [0.01, 0.1]\n"
               "specific_dim = [3, 6]\n");
  }

  // The tissue's components as the only embedding.
  std::vector<std::string> words(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {
        "sweep",           "--embeddings", path("features.npy"), "-k",           "3", "--grid",
        path("grid.toml"), "-o",           path("out"),          "--iterations", "10"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void write_embedding(const std::string& name, std::int64_t rows, std::int64_t cols,
                       const std::vector<float>& values) const {
    write_text(path(name), data::npy_bytes<float>({values.data(), rows, cols}));
  }

  static void expect_refused(const std::vector<std::string>& given, int code,
                             const std::string& said) {
    const ProgramResult result = run_program(given);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_NE(result.err.find(said), std::string::npos) << result.err;
    EXPECT_EQ(result.out, "");
  }

  std::int64_t lines_of(const std::string& name) const {
    const std::string text = file_text(path(name));
    return std::count(text.begin(), text.end(), '\n');
  }
};

TEST_F(SweepCommand, WritesATableTheChosenDomainsAndAManifest) {
  const ProgramResult result = run_program(
      words({"--truth", path("labels.txt"), "--coords", path("coords.npy"), "--choose", "truth"}));

  ASSERT_EQ(result.code, 0) << result.err;
  const std::string table = file_text(path("out/sweep.csv"));
  EXPECT_EQ(table.substr(0, table.find('\n')), std::string(kColumns) + ",ari,nmi,acc,purity");
  EXPECT_EQ(lines_of("out/sweep.csv"), 1 + 8);
  EXPECT_EQ(lines_of("out/domains.csv"), 1 + 300);
  const Json manifest = Json::parse(file_text(path("out/manifest.json")));
  EXPECT_EQ(manifest["sweep"]["option_sets"], 8);
  EXPECT_EQ(manifest["chosen"]["by"], "truth");
  double objective = 0;
  for (const auto& [name, term] : manifest["chosen"]["objective_terms"].items()) {
    objective += term.get<double>();
  }
  EXPECT_NEAR(objective, manifest["chosen"]["objective"], 1e-9 * std::abs(objective));
  const ProgramResult scored =
      run_program({"score", "--labels", path("out/domains.csv"), "--truth", path("labels.txt")});
  EXPECT_EQ(Json::parse(scored.out)["ari"], manifest["chosen"]["ari"]);
  EXPECT_NE(result.err.find("8/8 option sets"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(" left"), std::string::npos) << result.err;
}

TEST_F(SweepCommand, TableDoesNotDependOnThreads) {
  ASSERT_EQ(run_program(words({"-t", "1"})).code, 0);
  const std::string one = file_text(path("out/sweep.csv"));
  ASSERT_EQ(run_program(with(words({"-t", "4"}), "-o", path("four"))).code, 0);
  EXPECT_EQ(one, file_text(path("four/sweep.csv")));
  EXPECT_EQ(file_text(path("out/domains.csv")), file_text(path("four/domains.csv")));
}

// Three rows are taken away: the same command makes those and no others again.
TEST_F(SweepCommand, ContinuesWhereItWas) {
  ASSERT_EQ(run_program(words({})).code, 0);
  const std::string whole = file_text(path("out/sweep.csv"));
  std::string part = whole;
  for (int i = 0; i < 3; ++i) part.erase(part.rfind('\n', part.size() - 2) + 1);
  write_text(path("out/sweep.csv"), part);

  const ProgramResult again = run_program(words({}));

  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("5 of 8 rows kept"), std::string::npos) << again.err;
  EXPECT_EQ(file_text(path("out/sweep.csv")), whole);
}

TEST_F(SweepCommand, LargerGridKeepsTheRowsItHas) {
  ASSERT_EQ(run_program(words({})).code, 0);
  const ProgramResult more = run_program(words({"--lambda3", "0.01", "0.1", "1"}));
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_NE(more.err.find("8 of 12 rows kept"), std::string::npos) << more.err;
  EXPECT_EQ(lines_of("out/sweep.csv"), 1 + 12);
}

TEST_F(SweepCommand, OtherInputsNeedForceAndStartAfresh) {
  ASSERT_EQ(run_program(words({})).code, 0);
  expect_refused(words({"--seed", "5"}), 8, "--force");
  const ProgramResult forced = run_program(words({"--seed", "5", "--force"}));
  ASSERT_EQ(forced.code, 0) << forced.err;
  EXPECT_EQ(forced.err.find("rows kept"), std::string::npos) << forced.err;
}

TEST_F(SweepCommand, DamagedTableIsNamed) {
  ASSERT_EQ(run_program(words({})).code, 0);
  write_text(path("out/sweep.csv"), std::string(kColumns) + "\n1,2,3\n");
  expect_refused(words({}), 4, "line 2");
  EXPECT_EQ(run_program(words({"--force"})).code, 0);
}

TEST_F(SweepCommand, InterruptedSweepIsContinued) {
  write_text(path("long.toml"),
             "lambda1 = [0.1]\nlambda2 = [1e-3]\nlambda3 = [0.01]\nspecific_dim = "
             "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n");
  const std::vector<std::string> given =
      with(with(words({"--progress", "json", "-t", "1"}), "--grid", path("long.toml")),
           "--iterations", "4000");
  ProgramPlan plan;
  plan.arguments = given;
  plan.signal = SIGTERM;
  plan.signal_after = "option_sets_done\":2";

  const ProgramResult stopped = run_program(plan);

  EXPECT_EQ(stopped.code, 143) << stopped.err;
  EXPECT_GE(lines_of("out/sweep.csv"), 1 + 2);
  EXPECT_LT(lines_of("out/sweep.csv"), 1 + 10);
  EXPECT_FALSE(exists(path("out/domains.csv")));
  const ProgramResult continued = run_program(given);
  ASSERT_EQ(continued.code, 0) << continued.err;
  EXPECT_NE(continued.err.find("rows kept"), std::string::npos) << continued.err;
  EXPECT_EQ(lines_of("out/sweep.csv"), 1 + 10);
}

TEST_F(SweepCommand, MonotoneSolverAndHistoricStartRun) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--solver", "monotone", "--choose", "objective"},
        {"--start", "historic", "--seed", "1"}}) {
    const ProgramResult result = run_program(words(more));
    EXPECT_EQ(result.code, 0) << result.err;
    std::filesystem::remove_all(path("out"));
  }
}

TEST_F(SweepCommand, StartFilesAreChecked) {
  expect_refused(words({"--start", path("none")}), 3, "not a folder");
  std::filesystem::create_directory(path("start"));
  expect_refused(words({"--start", path("start")}), 3, "init.H.npy");
  const std::vector<float> few = {1, 2, 3, 4};
  write_embedding("start/init.H.npy", 2, 2, few);
  expect_refused(words({"--start", path("start")}), 4, "needs any x 300");
}

TEST_F(SweepCommand, SpecificDimAboveTheWidthIsCappedWithAWarning) {
  const ProgramResult result = run_program(words({"--specific-dim", "12", "500"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("specific_dim 500 is above the width 12"), std::string::npos);
  const Json manifest = Json::parse(file_text(path("out/manifest.json")));
  EXPECT_EQ(manifest["warnings"].size(), 1);
}

TEST_F(SweepCommand, ConstantColumnsAndUnderflowingWeightsHaveAResult) {
  std::vector<float> values(300 * 4, 7.0f);
  for (std::size_t i = 0; i < 300; ++i) values[i * 4] = static_cast<float>(i % 3) * 5;
  write_embedding("flat.npy", 300, 4, values);
  const ProgramResult result =
      run_program(with(words({"--lambda2", "1e300", "0.1", "--choose", "silhouette"}),
                       "--embeddings", path("flat.npy")));
  // Every row is there and finite, whether or not one of them kept all domains.
  EXPECT_TRUE(result.code == 0 || result.code == 9) << result.err;
  EXPECT_EQ(lines_of("out/sweep.csv"), 1 + 16);
  EXPECT_EQ(file_text(path("out/sweep.csv")).find("nan"), std::string::npos);
}

TEST_F(SweepCommand, RefusesBadEmbeddings) {
  std::vector<float> values(300 * 2, 1.0f);
  values[11] = std::numeric_limits<float>::quiet_NaN();
  write_embedding("nan.npy", 300, 2, values);
  expect_refused(with(words({}), "--embeddings", path("nan.npy")), 4, "nan.npy");
  write_embedding("narrow.npy", 300, 0, {});
  expect_refused(with(words({}), "--embeddings", path("narrow.npy")), 4, "narrow.npy");
  write_embedding("short.npy", 10, 2, std::vector<float>(20, 1.0f));
  std::vector<std::string> two = words({});
  two.insert(two.begin() + 3, path("short.npy"));
  expect_refused(two, 4, "10 rows");
  expect_refused(with(words({}), "--embeddings", path("none.npy")), 3, "none.npy");
}

TEST_F(SweepCommand, RefusesMoreDomainsThanThereCanBe) {
  expect_refused(with(words({}), "-k", "301"), 5, "301 domains");
  std::vector<float> values(300 * 2);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i / 2 % 2);
  write_embedding("two.npy", 300, 2, values);
  expect_refused(with(words({}), "--embeddings", path("two.npy")), 5, "only 2 of the 300 cells");
}

TEST_F(SweepCommand, RefusesAnUnusableTruth) {
  expect_refused(words({"--choose", "truth"}), 2, "--truth");
  expect_refused(words({"--choose", "pas"}), 2, "--coords");
  write_text(path("short.txt"), "a\nb\n");
  expect_refused(words({"--truth", path("short.txt")}), 4, "2 labels for 300 cells");
  std::string same;
  for (int i = 0; i < 300; ++i) same += "layer\n";
  write_text(path("same.txt"), same);
  expect_refused(words({"--truth", path("same.txt"), "--choose", "truth"}), 4, "one label only");
  const ProgramResult warned = run_program(words({"--truth", path("same.txt")}));
  EXPECT_EQ(warned.code, 0) << warned.err;
  EXPECT_NE(warned.err.find("one label only"), std::string::npos) << warned.err;
}

TEST_F(SweepCommand, RefusesBadGrids) {
  expect_refused(with(words({}), "--grid", path("none.toml")), 3, "none.toml");
  write_text(path("bad.toml"), "lambda1 = [1]\nlambda2 = [1]\nlambda3 = [1]\n");
  expect_refused(with(words({}), "--grid", path("bad.toml")), 2, "specific_dim");
  write_text(path("bad.toml"), "lambda4 = [1]\n");
  expect_refused(with(words({}), "--grid", path("bad.toml")), 2, "lambda4");
  expect_refused(words({"--lambda1", "-1"}), 2, "lambda1");
  expect_refused(words({"--lambda2", "nan"}), 2, "lambda2");
  expect_refused(words({"--specific-dim", "0"}), 2, "specific-dim");
}

}  // namespace
}  // namespace m2st::test
