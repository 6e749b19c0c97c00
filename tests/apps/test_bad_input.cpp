// Bad input gets a clear error with the right exit code, and leaves no result behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "data/io/npy.h"
#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

class BadInput : public Tissue {
 protected:
  // Runs `words`, expects `code` and every one of `phrases` on stderr, and no output folder.
  void expect_refused(const std::vector<std::string>& words, int code,
                      const std::vector<std::string>& phrases) {
    const ProgramResult result = run_program(words);

    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(result.out, "");
    for (const std::string& phrase : phrases) {
      EXPECT_NE(result.err.find(phrase), std::string::npos) << phrase << " in: " << result.err;
    }
    EXPECT_FALSE(exists(path("out")));
  }
  std::vector<std::string> run_with(const std::string& option, const std::string& value) const {
    return with(run_words("out"), option, value);
  }
  // An .npy of `rows` × 2 on a square lattice, changed by `change`.
  template <class Change>
  std::string coordinates_file(std::int64_t rows, Change&& change) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < rows; ++i) {
      values.push_back(static_cast<double>(i % 20));
      values.push_back(static_cast<double>(i / 20));
    }
    change(values);
    const std::string file = path("changed.npy");
    write_text(file, data::npy_bytes<double>({values.data(), rows, 2}));
    return file;
  }
  std::string features_file_with(float value, std::int64_t cell) {
    std::vector<float> values(300 * 12, 0.5f);
    values[static_cast<std::size_t>(cell * 12 + 3)] = value;
    const std::string file = path("changed_features.npy");
    write_text(file, data::npy_bytes<float>({values.data(), 300, 12}));
    return file;
  }
};

TEST_F(BadInput, MissingFiles) {
  for (const char* option : {"--features", "--coords"}) {
    expect_refused(run_with(option, path("none.npy")), 3, {"none.npy"});
  }
  expect_refused(run_words("out", {"--labels", path("none.txt")}), 3, {"none.txt"});
  expect_refused(run_words("out", {"--config", path("none.toml")}), 3, {"none.toml"});
}

TEST_F(BadInput, AFolderInPlaceOfAFile) {
  const ProgramResult result = run_program(run_with("--features", path(".")));

  EXPECT_TRUE(result.code == 3 || result.code == 4) << result.code << result.err;
}

TEST_F(BadInput, TruncatedFeatures) {
  const std::string whole = file_text(path("features.npy"));
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{40}}) {
    write_text(path("short.npy"), whole.substr(0, size));
    expect_refused(run_with("--features", path("short.npy")), 4, {"short.npy"});
  }
}

TEST_F(BadInput, FeaturesThatAreNotNpy) {
  write_text(path("text.npy"), "gene,count\nA,1\n");
  expect_refused(run_with("--features", path("text.npy")), 4, {"text.npy"});
  write_text(path("empty.npy"), "");
  expect_refused(run_with("--features", path("empty.npy")), 4, {"empty.npy"});
}

TEST_F(BadInput, ObjectArrays) {
  std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (300, 12), }";
  header += std::string(117 - header.size(), ' ') + "\n";
  std::string file = "\x93NUMPY";
  file += std::string("\x01\x00", 2) + static_cast<char>(header.size()) + '\0' + header;
  write_text(path("object.npy"), file + std::string(300 * 12 * 8, 'x'));

  expect_refused(run_with("--features", path("object.npy")), 4, {"object.npy", "object"});
}

TEST_F(BadInput, FeaturesAndCoordinatesOfDifferentLength) {
  const std::string file = coordinates_file(299, [](std::vector<double>&) {});

  expect_refused(run_with("--coords", file), 4, {"299 rows", "features.npy has 300"});
}

TEST_F(BadInput, LabelsOfDifferentLength) {
  write_text(path("few.txt"), "a\nb\n");

  expect_refused(run_words("out", {"--labels", path("few.txt")}), 4, {"few.txt", "300"});
}

TEST_F(BadInput, FeaturesThatAreNotFinite) {
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    expect_refused(run_with("--features", features_file_with(value, 17)), 4,
                   {"changed_features.npy", "1 value is not finite", "cell 17"});
  }
}

TEST_F(BadInput, CoordinatesThatAreNotFiniteNameTheFirstCells) {
  const std::string file = coordinates_file(300, [](std::vector<double>& values) {
    for (const std::size_t cell : {4, 9, 20, 77, 78, 299}) values[2 * cell] = NAN;
  });

  expect_refused(run_with("--coords", file), 4,
                 {"changed.npy", "6 cells", "4, 9, 20, 77, 78, ..."});
}

TEST_F(BadInput, CoincidentOrCollinearCellsForDelaunay) {
  const std::string coincident =
      coordinates_file(300, [](std::vector<double>& values) { values[0] = values[2]; });
  std::vector<std::string> words = run_words("out", {"--graph", "delaunay"});
  expect_refused(with(words, "--coords", coincident), 4, {"knn"});
  const std::string line = coordinates_file(300, [](std::vector<double>& values) {
    for (std::size_t i = 0; i < 300; ++i)
      values[2 * i] = values[2 * i + 1] = static_cast<double>(i);
  });
  expect_refused(with(words, "--coords", line), 4, {"knn"});
}

TEST_F(BadInput, ImpossibleNumbersOfDomains) {
  for (const char* domains : {"0", "-3", "301"}) {
    expect_refused(run_with("-k", domains), 5, {"--domains", domains, "300"});
  }
}

TEST_F(BadInput, ImpossibleRadii) {
  for (const char* radius : {"0", "-1", "nan"}) {
    expect_refused(run_words("out", {"--radius", radius}), 2, {"--radius", radius});
  }
}

TEST_F(BadInput, GraphOptionsThatContradictEachOther) {
  expect_refused(run_words("out", {"--radius", "5", "--neighbors", "4"}), 2, {"exclude"});
  expect_refused(run_words("out", {"--graph", "knn", "--radius", "5"}), 2, {"knn", "--radius"});
  expect_refused(run_words("out", {"--graph", "radius", "--neighbors", "4"}), 2,
                 {"radius", "--neighbors"});
  expect_refused(run_words("out", {"--graph", "knn", "--rings", "2"}), 2, {"--rings", "grid"});
  expect_refused(run_words("out", {"--min-radius", "2"}), 2, {"--min-radius", "delaunay"});
  expect_refused(run_words("out", {"--radius", "2", "--min-radius", "3"}), 2, {"least radius"});
  expect_refused(run_words("out", {"--graph", "radius", "--graph-semantics", "squidpy"}), 2,
                 {"squidpy", "--radius"});
  expect_refused(run_words("out", {"--graph", "knn", "--percentile", "90"}), 2,
                 {"--percentile", "--graph-semantics squidpy"});
  const auto squidpys = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"--graph-semantics", "squidpy"};
    words.insert(words.end(), more.begin(), more.end());
    return run_words("out", words);
  };
  expect_refused(squidpys({"--graph", "grid", "--percentile", "90"}), 2, {"--percentile", "knn"});
  expect_refused(squidpys({"--graph", "knn", "--percentile", "101"}), 2, {"--percentile", "100"});
  expect_refused(squidpys({"--transform", "sine"}), 2, {"--transform", "cosine"});
}

TEST_F(BadInput, ResultsThatCannotBePutInPlaceReplaceNothing) {
  const std::string domains = path("blocked/domains.csv");
  std::filesystem::create_directories(path("blocked/manifest.json"));
  std::ofstream(domains) << "old";
  expect_refused(run_words("blocked", {"--force"}), 8, {"manifest.json", "remove it"});

  std::ifstream file(domains);
  std::string kept;
  file >> kept;
  EXPECT_EQ(kept, "old");
}

TEST_F(BadInput, MoreNeighboursThanCells) {
  expect_refused(run_words("out", {"--graph", "knn", "--neighbors", "300"}), 5, {"300"});
}

TEST_F(BadInput, RadiusWhoseGraphWouldNotFit) {
  ASSERT_EQ(
      run_program({"simulate", "-n", "200000", "-k", "2", "--components", "1", "-o", path("large")})
          .code,
      0);

  expect_refused({"graph", "--coords", path("large/coords.npy"), "--graph", "radius", "--radius",
                  "1e9", "-o", path("out")},
                 6, {"radius"});
}

TEST_F(BadInput, TrainingThatWouldNotFitIsNotStarted) {
  expect_refused(run_with("--hidden", "4194304"), 6, {"training needs about", "--hidden"});
}

TEST_F(BadInput, WidthsThatHeadsDoNotDivide) {
  expect_refused(run_with("--hidden", "17"), 5, {"hidden", "17"});
}

TEST_F(BadInput, CudaIsRefusedInOneLine) {
  const ProgramResult result = run_program(run_words("out", {"--device", "cuda"}));

  EXPECT_EQ(result.code, 7);
  EXPECT_NE(result.err.find("--device cuda: "), std::string::npos) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
}

TEST_F(BadInput, UnknownKeysOfAConfigFile) {
  write_text(path("run.toml"), "epochs = 2\nlearning = 0.1\n");

  expect_refused(run_words("out", {"--config", path("run.toml")}), 2, {"'learning'"});
}

TEST_F(BadInput, LossThatIsNotFiniteStopsTheRun) {
  expect_refused(with(run_words("out", {"--lr", "1e9"}), "--epochs", "60"), 9,
                 {"epoch", "learning rate"});
}

TEST_F(BadInput, AdjacencyThatIsNotAGraph) {
  const std::vector<std::int64_t> offsets(301, 0);
  const std::vector<std::int32_t> none;
  ASSERT_EQ(run_program({"graph", "--coords", path("coords.npy"), "-o", path("graph")}).code, 0);
  write_text(path("graph/graph_indptr.npy"),
             data::npy_bytes<std::int64_t>({offsets.data(), 301, 1}, true));

  expect_refused(run_words("out", {"--adjacency", path("graph")}), 4, {});
}

TEST_F(BadInput, GraphsOfOtherCellsOrOfNone) {
  write_text(path("half.npy"),
             data::npy_bytes<double>({std::vector<double>(300, 1).data(), 150, 2}));
  write_text(path("text.npz"), "no archive");
  ASSERT_EQ(
      run_program({"graph", "--coords", path("half.npy"), "--graph", "knn", "-o", path("half")})
          .code,
      0);

  for (const char* graph : {"half", "half/graph.npz"}) {
    expect_refused(run_words("out", {"--use-graph", path(graph)}), 4, {"150 rows", "300 cells"});
  }
  expect_refused(run_words("out", {"--use-graph", path("text.npz")}), 4, {"text.npz", "save_npz"});
  expect_refused(run_words("out", {"--use-graph", path("none.npz")}), 3, {"none.npz"});
  expect_refused(run_words("out", {"--use-graph", path("half"), "--rings", "2"}), 2, {"--rings"});
}

TEST_F(BadInput, SectionsThatDoNotFit) {
  std::string sections;
  for (int i = 0; i < 299; ++i) sections += i == 7 ? "NA\n" : "one\n";
  write_text(path("short.txt"), sections);
  write_text(path("missing.txt"), sections + "two\n");
  std::string tiny;
  for (int i = 0; i < 300; ++i) tiny += i < 3 ? "tiny\n" : "one\n";
  write_text(path("tiny.txt"), tiny);
  std::string alone = "cell,number,section\n";
  for (int i = 0; i < 300; ++i) {
    alone += std::to_string(i) + "," + std::to_string(i) + ",one\n";
  }
  write_text(path("alone.csv"), alone);

  expect_refused(run_words("out", {"--sections", path("short.txt")}), 4, {"short.txt", "299"});
  expect_refused(run_words("out", {"--sections", path("missing.txt")}), 4,
                 {"missing.txt", "cell 7"});
  expect_refused(run_words("out", {"--sections", path("tiny.txt"), "--neighbors", "5"}), 5,
                 {"section 'tiny'"});
  expect_refused(run_words("out", {"--sections", path("alone.csv")}), 4,
                 {"alone.csv", "300 sections", "second column"});
}

TEST_F(BadInput, NeitherCoordinatesNorAdjacency) {
  expect_refused({"run", "--features", path("features.npy"), "-k", "3", "-o", path("out")}, 2,
                 {"--coords or --adjacency"});
}

}  // namespace
}  // namespace m2st::test
