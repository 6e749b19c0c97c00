// convert, result.h5ad and --in-place: what they refuse, and that nothing is replaced then.
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "data/io/h5ad_results.h"
#include "data/io/hdf5_source.h"
#include "data/io/read_expression.h"
#include "tests/apps/tissue.h"
#include "tests/support/hdf5_file.h"

namespace m2st::test {
namespace {

class Convert : public Tissue {
 protected:
  // 300 cells, 5 genes, 2 batches, no places of their own.
  std::string source() {
    data::Expression expression;
    for (int i = 0; i < 300; ++i) {
      expression.cells.push_back("cell" + std::to_string(i));
      expression.sections.push_back(i < 100 ? "one" : "two");
    }
    expression.genes = {"A", "B", "C", "D", "E"};
    expression.values.rows = 300;
    expression.values.columns = 5;
    expression.values.offsets.push_back(0);
    for (int i = 0; i < 300; ++i) {
      for (int g = 0; g < 5; ++g) {
        if ((i * 7 + g * 3) % 4 == 0) continue;
        expression.values.indices.push_back(g);
        expression.values.values.push_back(static_cast<float>(1 + (i * i + g) % 9));
      }
      expression.values.offsets.push_back(expression.values.entries());
    }
    const std::string file = path("source.h5ad");
    data::write_new(expression, file, {}, {});
    return file;
  }
  std::vector<std::string> run(const std::string& input, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run",     input,      "--coords", path("coords.npy"), "-k",
                                      "3",       "--epochs", "2",        "--hidden",         "16",
                                      "--heads", "2",        "-o",       path("out")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void expect_refused(const std::vector<std::string>& words, int code,
                      const std::vector<std::string>& phrases) {
    const ProgramResult result = run_program(words);

    EXPECT_EQ(result.code, code) << result.err;
    for (const std::string& phrase : phrases) {
      EXPECT_NE(result.err.find(phrase), std::string::npos) << phrase << " in: " << result.err;
    }
  }
  void expect_ok(const std::vector<std::string>& words) {
    const ProgramResult result = run_program(words);
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, "");
  }
};

TEST_F(Convert, GoesToAFolderAndBack) {
  expect_ok({"convert", source(), "--library-key", "section", "-o", path("mtx")});
  expect_ok({"convert", path("mtx"), "-o", path("back.h5ad")});

  CpuContext context(1);
  const data::Expression before = data::read_expression(context, path("source.h5ad"), {});
  const data::Expression after = data::read_expression(context, path("back.h5ad"), {});
  EXPECT_EQ(after.cells, before.cells);
  EXPECT_EQ(after.genes, before.genes);
  EXPECT_EQ(after.values.indices, before.values.indices);
  EXPECT_EQ(after.values.values, before.values.values);
  EXPECT_EQ(file_text(path("mtx/sections.csv")).substr(0, 30), "cell,section\ncell0,one\ncell1,o");
}

TEST_F(Convert, WhatIsThereIsKept) {
  write_text(path("there.h5ad"), "mine");
  expect_refused({"convert", source(), "-o", path("there.h5ad")}, 8, {"there.h5ad", "--force"});
  expect_refused({"convert", path("source.h5ad"), "-o", path(".")}, 8, {"--force"});
  EXPECT_EQ(file_text(path("there.h5ad")), "mine");

  expect_ok({"convert", path("source.h5ad"), "-o", path("there.h5ad"), "--force"});
  EXPECT_NE(file_text(path("there.h5ad")), "mine");
}

TEST_F(Convert, InputsAndOutputsThatCannotBe) {
  expect_refused({"convert", path("none.h5ad"), "-o", path("x.h5ad")}, 3, {"none.h5ad"});
  expect_refused({"convert", source(), "-o", "/proc/x.h5ad"}, 8, {"/proc/x.h5ad"});
  expect_refused({"convert", path("source.h5ad"), "-o", "/proc/x"}, 8, {"/proc/x"});
  expect_refused({"convert", path("source.h5ad"), "-o", path("none/x.h5ad")}, 8, {"none/x.h5ad"});
  write_text(path("cut.h5ad"), file_text(path("source.h5ad")).substr(0, 3000));
  expect_refused({"convert", path("cut.h5ad"), "-o", path("x.h5ad")}, 4, {"cut.h5ad"});
  EXPECT_FALSE(exists(path("x.h5ad")));
}

TEST_F(Convert, FullDisksLeaveNothing) {
  ProgramPlan plan;
  plan.arguments = {"convert", source(), "-o", path("x.h5ad")};
  expect_ok({"convert", path("source.h5ad"), "-o", path("whole.h5ad")});
  const auto whole = static_cast<std::int64_t>(std::filesystem::file_size(path("whole.h5ad")));
  for (std::int64_t limit = 100; limit < whole; limit += whole / 12) {
    plan.file_size_limit = limit;

    const ProgramResult result = run_program(plan);

    EXPECT_EQ(result.code, 8) << limit << " " << result.err;
    EXPECT_FALSE(exists(path("x.h5ad"))) << limit;
  }
}

TEST_F(Convert, RunsLeaveAnH5adWithTheDomains) {
  expect_ok(run(source(), {}));

  data::Hdf5Source result(path("out/result.h5ad"));
  std::string domains = "cell,domain,confidence\n";
  EXPECT_EQ(file_text(path("out/domains.csv")).substr(0, domains.size()), domains);
  EXPECT_EQ(result.object("/obs/domain/codes").rows(), 300);
  EXPECT_EQ(result.object("/obsm/X_m2st").shape, (std::vector<std::int64_t>{300, 24}));
  EXPECT_EQ(result.texts("/uns/domain_colors").size(), 3u);
}

TEST_F(Convert, CellsThatPreparationLeftOutHaveNoDomain) {
  data::Expression expression;
  CpuContext context(1);
  expression = data::read_expression(context, source(), {});
  const auto first = expression.values.offsets[1];
  std::fill_n(expression.values.values.begin(), first, 1e-3f);
  data::write_new(expression, path("poor.h5ad"), {}, {});

  expect_ok(run(path("poor.h5ad"), {"--min-counts", "0.5", "--recipe", "none"}));

  data::Hdf5Source result(path("out/result.h5ad"));
  const auto codes = result.numbers<std::int64_t>("/obs/domain/codes");
  ASSERT_EQ(codes.size(), 300u);
  EXPECT_EQ(codes[0], -1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), -1), 1);
  const auto embedding = result.numbers<double>("/obsm/X_m2st");
  EXPECT_TRUE(embedding[0] != embedding[0]);
  EXPECT_TRUE(embedding[24] == embedding[24]);
  EXPECT_EQ(result.numbers<std::int64_t>("/obsp/spatial_connectivities/indptr")[1], 0);
}

TEST_F(Convert, ResultFilesCanBeLeftOut) {
  expect_ok(run_words("out", {"--h5ad", "off"}));

  EXPECT_FALSE(exists(path("out/result.h5ad")));
}

TEST_F(Convert, InPlaceIsForH5adOnly) {
  expect_refused(run_words("out", {"--in-place"}), 2, {"--in-place", "features"});
  {
    // Before anndata 0.7 frames were records.
    Hdf5File file(path("old.h5ad"));
    file.texts("/obs", {"a", "b"});
    file.numbers<float>("/X", {2, 1}, {1, 2});
  }
  expect_refused(run(path("old.h5ad"), {"--in-place"}), 4, {"old.h5ad", "0.7"});
  EXPECT_FALSE(exists(path("out")));
}

TEST_F(Convert, InPlaceFailuresLeaveTheInputAsItWas) {
  const std::string before = file_text(source());
  ProgramPlan plan;
  plan.arguments = run(path("source.h5ad"), {"--in-place"});
  plan.file_size_limit = static_cast<std::int64_t>(before.size()) + 2000;

  const ProgramResult result = run_program(plan);

  EXPECT_EQ(result.code, 8) << result.err;
  EXPECT_EQ(file_text(path("source.h5ad")), before);
  EXPECT_FALSE(exists(path("out/domains.csv")));
}

}  // namespace
}  // namespace m2st::test
