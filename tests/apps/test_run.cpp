// m2st run: what it leaves, that it repeats itself, and that the stages alone give the same.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "data/io/output.h"
#include "m2st_version.h"
#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

class Run : public Tissue {
 protected:
  void expect_ok(const std::vector<std::string>& words) {
    const ProgramResult result = run_program(words);
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, "");
  }
  void expect_same_results(const std::string& one, const std::string& two) {
    for (const char* name : {"domains.csv", "embedding_scale1.npy", "embedding_scale2.npy"}) {
      EXPECT_TRUE(file_text(path(one) + "/" + name) == file_text(path(two) + "/" + name)) << name;
    }
  }
};

TEST_F(Run, LeavesEveryFileOfTheDesign) {
  expect_ok(run_words("out", {"--labels", path("labels.txt")}));

  std::istringstream domains(file_text(path("out/domains.csv")));
  std::string line;
  std::getline(domains, line);
  EXPECT_TRUE(line == "cell,domain" || line == "cell,domain,confidence") << line;
  int rows = 0;
  for (; std::getline(domains, line); ++rows) {
    EXPECT_EQ(line.substr(0, line.find(',')), std::to_string(rows));
    EXPECT_LT(std::stoi(line.substr(line.find(',') + 1)), 3);
  }
  EXPECT_EQ(rows, 300);
  EXPECT_NE(file_text(path("out/domains.svg")).find("</svg>"), std::string::npos);
  EXPECT_FALSE(exists(path("out/.partial")));
}

TEST_F(Run, ManifestTellsWhatRan) {
  expect_ok(run_words("out", {"--labels", path("labels.txt"), "--seed", "5"}));

  const Json manifest = Json::parse(file_text(path("out/manifest.json")));

  EXPECT_EQ(manifest["version"], kVersion);
  EXPECT_EQ(manifest["command"][1], "run");
  EXPECT_EQ(manifest["parameters"]["seed"], 5);
  EXPECT_EQ(manifest["parameters"]["epochs"], 3);
  EXPECT_EQ(manifest["parameters"]["graph"], "auto");
  EXPECT_EQ(manifest["data"]["cells"], 300);
  EXPECT_EQ(manifest["graph"]["kind"], "grid");
  EXPECT_EQ(manifest["training"]["losses"].size(), 3u);
  EXPECT_EQ(manifest["training"]["losses_per_scale"].size(), 2u);
  EXPECT_EQ(manifest["clustering"]["domain_sizes"].size(), 3u);
  EXPECT_NE(manifest["clustering"]["method"], "");
  EXPECT_TRUE(manifest["metrics"]["ari"].is_number());
  EXPECT_GE(manifest["hardware"]["threads"], 1);
  EXPECT_GT(manifest["stages"][0]["peak_resident_bytes"], 0);
  ASSERT_EQ(manifest["inputs"].size(), 3u);
  for (const Json& input : manifest["inputs"]) {
    EXPECT_EQ(input["xxh3_128"], data::file_hash(input["path"]));
  }
  for (const Json& output : manifest["outputs"]) {
    EXPECT_EQ(output["xxh3_128"],
              data::file_hash(path("out/") + output["file"].get<std::string>()));
  }
}

TEST_F(Run, FindsTheNumberOfDomains) {
  expect_ok(with(run_words("out", {"--k-range", "2-6"}), "-k", "auto"));

  const Json manifest = Json::parse(file_text(path("out/manifest.json")));
  EXPECT_EQ(manifest["parameters"]["domains"], "auto");
  EXPECT_EQ(manifest["parameters"]["k-range"], "2-6");
  const Json& count = manifest["domain_count"];
  EXPECT_EQ(count["domains"], manifest["clustering"]["domain_sizes"].size());
  ASSERT_EQ(count["curve"].size(), 5u);
  const Json* best = &count["curve"][0];
  for (const Json& point : count["curve"]) {
    if (point["criterion"] < (*best)["criterion"]) best = &point;
  }
  EXPECT_EQ(count["domains"], (*best)["domains"]);
  std::istringstream table(file_text(path("out/domain_counts.csv")));
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line, "domains,log_likelihood,criterion");
  std::getline(table, line);
  EXPECT_EQ(line.substr(0, 2), "2,");
}

TEST_F(Run, RefusesARangeOfDomainsAboveTheCells) {
  const ProgramResult result =
      run_program(with(run_words("out", {"--k-range", "400-500"}), "-k", "auto"));
  EXPECT_EQ(result.code, 5);
  EXPECT_NE(result.err.find("between 400 and 500"), std::string::npos) << result.err;
}

TEST_F(Run, GivesTheSameBytesForAnyNumberOfThreadsAndAgain) {
  expect_ok(with(run_words("one"), "-t", "1"));
  expect_ok(with(run_words("two"), "-t", "2"));
  expect_ok(with(run_words("five"), "-t", "5"));
  expect_ok(with(run_words("again"), "-t", "2"));

  expect_same_results("one", "two");
  expect_same_results("one", "five");
  expect_same_results("one", "again");
}

TEST_F(Run, DependsOnTheSeed) {
  expect_ok(run_words("one", {"--seed", "1"}));
  expect_ok(run_words("two", {"--seed", "2"}));

  EXPECT_NE(file_text(path("one/embedding_scale1.npy")),
            file_text(path("two/embedding_scale1.npy")));
}

TEST_F(Run, StagesFromFilesGiveTheSameBytes) {
  const std::vector<std::string> sizes = {"--epochs", "3", "--hidden", "16", "--heads", "2"};
  expect_ok(run_words("run"));
  expect_ok({"graph", "--coords", path("coords.npy"), "-o", path("graph")});
  std::vector<std::string> embed = {"embed",
                                    "--features",
                                    path("features.npy"),
                                    "--coords",
                                    path("coords.npy"),
                                    "--adjacency",
                                    path("graph"),
                                    "-o",
                                    path("stages")};
  embed.insert(embed.end(), sizes.begin(), sizes.end());
  expect_ok(embed);
  expect_ok({"cluster", "--embedding", path("stages/embedding_scale1.npy"), "--embedding",
             path("stages/embedding_scale2.npy"), "--features", path("features.npy"), "--coords",
             path("coords.npy"), "--adjacency", path("graph"), "-k", "3", "-o", path("stages"),
             "--force"});

  expect_same_results("run", "stages");
  EXPECT_EQ(file_text(path("run/domains.svg")), file_text(path("stages/domains.svg")));
}

TEST_F(Run, StagesNeedNoCoordinatesWhereThereIsAGraph) {
  expect_ok({"graph", "--coords", path("coords.npy"), "--graph", "knn", "-o", path("graph")});
  expect_ok({"embed", "--features", path("features.npy"), "--adjacency", path("graph"), "--epochs",
             "2", "--hidden", "16", "--scales", "1", "-o", path("stages")});
  expect_ok({"cluster", "--embedding", path("stages/embedding_scale1.npy"), "-k", "3", "-o",
             path("stages"), "--force"});

  EXPECT_TRUE(exists(path("stages/domains.csv")));
  EXPECT_FALSE(exists(path("stages/domains.svg")));
  EXPECT_FALSE(exists(path("stages/embedding_scale2.npy")));
}

TEST_F(Run, OneWayGraphsAreWalkedBothWaysFromAnyFile) {
  const std::vector<std::string> kind = {"--graph", "knn", "--graph-semantics", "squidpy"};
  expect_ok(run_words("run", kind));
  std::vector<std::string> graph = {"graph", "--coords", path("coords.npy"), "-o", path("graph")};
  graph.insert(graph.end(), kind.begin(), kind.end());
  expect_ok(graph);
  for (const char* file : {"graph", "graph/graph.npz"}) {
    expect_ok(run_words("again", {"--use-graph", path(file), "--force"}));

    expect_same_results("run", "again");
    const Json manifest = Json::parse(file_text(path("again/manifest.json")));
    ASSERT_EQ(manifest["warnings"].size(), 1u);
    EXPECT_NE(manifest["warnings"][0].get<std::string>().find("one way"), std::string::npos);
  }
}

TEST_F(Run, SectionsAreNotConnected) {
  std::string sections;
  for (int i = 0; i < 300; ++i) sections += i % 2 == 0 ? "even\n" : "odd\n";
  write_text(path("sections.txt"), sections);

  expect_ok(run_words("out", {"--sections", path("sections.txt"), "--graph", "knn"}));

  const Json graph = Json::parse(file_text(path("out/manifest.json")))["graph"];
  ASSERT_EQ(graph["sections"].size(), 2u);
  EXPECT_EQ(graph["sections"][0]["name"], "even");
  EXPECT_EQ(graph["sections"][1]["cells"], 150);
  EXPECT_GE(graph["components"], 2);
}

TEST_F(Run, EveryMethodOfClusteringGivesAllDomains) {
  expect_ok(run_words("out"));
  for (const char* method : {"kmeans", "mixture", "reference"}) {
    expect_ok({"cluster", "--embedding", path("out/embedding_scale1.npy"), "--embedding",
               path("out/embedding_scale2.npy"), "-k", "3", "--method", method, "-o",
               path(method)});

    const Json manifest = Json::parse(file_text(path(method) + "/manifest.json"));
    EXPECT_EQ(manifest["parameters"]["method"], method);
    EXPECT_EQ(manifest["clustering"]["domain_sizes"].size(), 3u);
  }
}

TEST_F(Run, TakesOptionsFromAConfigFileUnlessTyped) {
  write_text(path("run.toml"), "epochs = 2\nhidden = 8\nseed = 9\n");
  std::vector<std::string> words = run_words("out", {"--config", path("run.toml")});

  expect_ok(words);

  const Json parameters = Json::parse(file_text(path("out/manifest.json")))["parameters"];
  EXPECT_EQ(parameters["seed"], 9);
  EXPECT_EQ(parameters["epochs"], 3);
  EXPECT_EQ(parameters["hidden"], 16);
}

TEST_F(Run, DryRunPrintsThePlanAndWritesNothing) {
  const ProgramResult result = run_program(run_words("out", {"--dry-run"}));

  ASSERT_EQ(result.code, 0) << result.err;
  const Json plan = Json::parse(result.out);
  EXPECT_EQ(plan["cells"], 300);
  EXPECT_EQ(plan["graph"]["kind"], "grid");
  EXPECT_GT(plan["memory"]["training_bytes"], 0);
  EXPECT_TRUE(plan["memory"]["fits"]);
  EXPECT_FALSE(exists(path("out")));
}

TEST_F(Run, QuietSaysNothingAndJsonIsOneObjectALine) {
  EXPECT_EQ(run_program(run_words("quiet", {"-q"})).err, "");

  std::istringstream lines(run_program(run_words("json", {"--progress", "json"})).err);

  int epochs = 0;
  for (std::string line; std::getline(lines, line);) {
    epochs += Json::parse(line).contains("epoch") ? 1 : 0;
  }
  EXPECT_EQ(epochs, 3);
}

TEST_F(Run, TakesExtremeNumbersOfDomainsAndFlatTissue) {
  expect_ok(with(run_words("one_domain"), "-k", "1"));
  expect_ok(with(run_words("all_domains"), "-k", "300"));
  std::string coordinates = "x,y\n";
  for (int i = 0; i < 300; ++i) coordinates += "5,5\n";
  write_text(path("flat.csv"), coordinates);
  expect_ok(with(run_words("flat", {"--graph", "knn"}), "--coords", path("flat.csv")));
}

TEST_F(Run, TakesOneCell) {
  expect_ok({"simulate", "-n", "1", "-k", "1", "--components", "12", "-o", path("cell")});

  std::vector<std::string> words = with(run_words("out"), "-k", "1");
  words = with(words, "--features", path("cell/features.npy"));
  expect_ok(with(words, "--coords", path("cell/coords.npy")));

  EXPECT_EQ(file_text(path("out/domains.csv")).substr(0, 11), "cell,domain");
}

TEST_F(Run, KeepsTheNamesOfCells) {
  std::string coordinates = "barcode,x,y\n";
  for (int i = 0; i < 300; ++i) {
    coordinates += "spot_" + std::to_string(299 - i) + "," + std::to_string(i % 20) + "," +
                   std::to_string(i / 20) + "\n";
  }
  write_text(path("named.csv"), coordinates);

  expect_ok(with(run_words("out"), "--coords", path("named.csv")));

  EXPECT_NE(file_text(path("out/domains.csv")).find("\nspot_299,"), std::string::npos);
}

}  // namespace
}  // namespace m2st::test
