// Results in .h5ad files are where they belong and read back; what was there stays; a target is
// whole or as it was. That anndata and scanpy take the files is tests/tools/test_anndata.py.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "data/graph/given_graph.h"
#include "data/io/h5ad_frame.h"
#include "data/io/h5ad_results.h"
#include "data/io/hdf5_source.h"
#include "data/io/own_process.h"
#include "data/io/read_expression.h"
#include "engine/whole_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;

// Four cells, three genes, two scales, a graph of two edges.
class H5adResultsTest : public testing::Test {
 protected:
  H5adResultsTest() {
    expression_.cells = {"a", "b", "ä,\"", "d"};
    expression_.genes = {"G1", "G2", "G2-1"};
    expression_.gene_ids = {"E1", "E2", "E3"};
    expression_.values = {4, 3, {0, 1, 1, 3, 4}, {2, 0, 1, 1}, {1, 2.5, 3, 4}};
    expression_.sections = {"s", "s", "t", "t"};
    expression_.coordinates = Matrix<double>(context_.pool(), 4, 2);
    for (int i = 0; i < 8; ++i) expression_.coordinates.data()[i] = 0.1 * i;
    results_.labels = labels_;
    results_.domains = 3;
    results_.confidence = confidence_;
    results_.embeddings = {{first_.data(), 4, 2}, {second_.data(), 4, 1}};
    results_.graph = &graph_;
    results_.distances = distances_;
    results_.graph_facts = {{"coord_type", std::string("generic")}, {"radius", 2.5}};
    results_.colours = {"#000001", "#000002", "#000003"};
    results_.facts = {{"seed", std::int64_t{7}},
                      {"converged", true},
                      {"losses", std::vector<double>{3, 2, 1}},
                      {"version", std::string("0")}};
  }

  std::string base() {
    const std::string path = folder_.path("base.h5ad");
    H5adResults none;
    write_new(expression_, path, {}, none);
    return path;
  }
  void expect_results(const std::string& path, const std::string& key) {
    Hdf5Source file(path);
    H5adFrame obs(file, "/obs");
    EXPECT_EQ(obs.texts(key), (std::vector<std::string>{"1", "0", "", "2"}));
    EXPECT_EQ(obs.numbers(key + "_confidence"), (std::vector<double>{0.5, 1, 0, 0.25}));
    EXPECT_EQ(file.numbers<double>("/obsm/X_m2st"),
              (std::vector<double>{1, 2, 9, 3, 4, 10, 5, 6, 11, 7, 8, 12}));
    EXPECT_EQ(file.numbers<double>("/obsm/X_m2st_s1"),
              (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(file.object("/obsm/X_m2st_s2").shape, (std::vector<std::int64_t>{4, 1}));
    EXPECT_EQ(file.texts("/uns/" + key + "_colors"), results_.colours);
    EXPECT_EQ(file.numbers<std::int64_t>("/uns/m2st/seed"), (std::vector<std::int64_t>{7}));
    EXPECT_EQ(file.numbers<double>("/uns/m2st/losses"), (std::vector<double>{3, 2, 1}));
    EXPECT_EQ(file.texts("/uns/m2st/domain_key"), (std::vector<std::string>{key}));
  }
  void expect_graph(const std::string& path, const std::string& prefix) {
    Hdf5Source file(path);
    const std::string matrix = "/obsp/" + prefix + "_distances";
    EXPECT_EQ(file.object(matrix).text("encoding-type"), "csr_matrix");
    EXPECT_EQ(file.numbers<double>(matrix + "/data"), (std::vector<double>{1.5, 1.5}));
    EXPECT_EQ(file.numbers<std::int64_t>(matrix + "/indptr"),
              (std::vector<std::int64_t>{0, 1, 2, 2, 2}));
    EXPECT_EQ(file.texts("/uns/" + prefix + "_neighbors/connectivities_key"),
              (std::vector<std::string>{prefix + "_connectivities"}));
    EXPECT_EQ(file.numbers<double>("/uns/" + prefix + "_neighbors/params/radius"),
              (std::vector<double>{2.5}));
  }
  std::string written(const std::string& source) {
    const H5adPlaces places = h5ad_places(source, results_);
    const std::string target = folder_.path("result.h5ad");
    write_results(source, target, places, results_);
    return target;
  }
  // No temporary file was left.
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path("."))) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  CpuContext context_{1};
  test::TemporaryFolder folder_;
  Expression expression_;
  std::vector<std::int32_t> labels_ = {1, 0, -1, 2};
  std::vector<float> confidence_ = {0.5f, 1, 0, 0.25f};
  std::vector<float> first_ = {1, 2, 3, 4, 5, 6, 7, 8}, second_ = {9, 10, 11, 12};
  Adjacency graph_{{0, 1, 2, 2, 2}, {1, 0}};
  std::vector<double> distances_ = {1.5, 1.5};
  H5adResults results_;
};

TEST_F(H5adResultsTest, NewFilesHoldWhatWasRead) {
  const Expression back = read_expression(context_, base(), {.library_key = "section"});

  EXPECT_EQ(back.cells, expression_.cells);
  EXPECT_EQ(back.genes, expression_.genes);
  EXPECT_EQ(back.gene_ids, expression_.gene_ids);
  EXPECT_EQ(back.sections, expression_.sections);
  EXPECT_EQ(back.values.offsets, expression_.values.offsets);
  EXPECT_EQ(back.values.indices, expression_.values.indices);
  EXPECT_EQ(back.values.values, expression_.values.values);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(back.coordinates.data()[i], 0.1 * i);
}

TEST_F(H5adResultsTest, SectionsThatNobodyNamedAreWarnedOf) {
  const Expression unnamed = read_expression(context_, base(), {});

  ASSERT_EQ(unnamed.warnings.size(), 1u);
  EXPECT_NE(unnamed.warnings[0].find("--library-key section"), std::string::npos);
  EXPECT_TRUE(read_expression(context_, base(), {.library_key = "section"}).warnings.empty());
}

TEST_F(H5adResultsTest, NewFilesWithResultsHaveBoth) {
  const std::string path = folder_.path("new.h5ad");

  H5adPlaces places;
  places.key = "domain";
  write_new(expression_, path, places, results_);

  expect_results(path, "domain");
  expect_graph(path, "spatial");
  EXPECT_EQ(read_expression(context_, path, {}).cells, expression_.cells);
}

TEST_F(H5adResultsTest, CopiesKeepWhatWasThere) {
  const std::string result = written(base());

  expect_results(result, "domain");
  expect_graph(result, "spatial");
  Hdf5Source file(result);
  EXPECT_EQ(file.object("/obs").attribute("column-order")->texts,
            (std::vector<std::string>{"section", "domain", "domain_confidence"}));
  EXPECT_EQ(file.object("/obs/domain").text("encoding-type"), "categorical");
  EXPECT_EQ(file.object("/obs/domain/codes").bytes, 1);
  const Expression back = read_expression(context_, result, {.use_graph = "spatial_distances"});
  EXPECT_EQ(back.values.values, expression_.values.values);
  EXPECT_EQ(files(), (std::vector<std::string>{"base.h5ad", "result.h5ad"}));
}

TEST_F(H5adResultsTest, SameResultsAreTheSameBytes) {
  const std::string source = base();
  const std::string once = read_whole_file(written(source), ExitCode::kInputMissing);

  EXPECT_EQ(read_whole_file(written(source), ExitCode::kInputMissing), once);
}

TEST_F(H5adResultsTest, OwnResultsAreReplacedOthersAreKept) {
  const std::string once = written(base());
  labels_ = {0, 0, 1, 1};
  write_results(once, folder_.path("twice.h5ad"), h5ad_places(once, results_), results_);
  {
    Hdf5Source file(folder_.path("twice.h5ad"));
    EXPECT_EQ(H5adFrame(file, "/obs").texts("domain"),
              (std::vector<std::string>{"0", "0", "1", "1"}));
    EXPECT_EQ(file.object("/obs/m2st_domain").kind, Hdf5Kind::kAbsent);
  }
  labels_ = {1, 0, -1, 2};
  results_.key = "section";  // which the file has of its own
  const H5adPlaces places = h5ad_places(base(), results_);
  ASSERT_EQ(places.key, "m2st_section");
  ASSERT_EQ(places.warnings.size(), 1u);
  EXPECT_NE(places.warnings[0].find("obs/section"), std::string::npos);
  write_results(base(), folder_.path("kept.h5ad"), places, results_);
  expect_results(folder_.path("kept.h5ad"), "m2st_section");
  Hdf5Source kept(folder_.path("kept.h5ad"));
  EXPECT_EQ(H5adFrame(kept, "/obs").texts("section"), expression_.sections);
}

TEST_F(H5adResultsTest, GraphsOfOthersAreKept) {
  const std::string source = base();
  {
    const Hdf5Handle file = open_hdf5(source, Hdf5Access::kEdit);
    const Hdf5Handle made(H5Gcreate2(file.id(), "/obsp/spatial_connectivities", H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_TRUE(made.valid());
  }

  expect_graph(written(source), "m2st");
}

// As anndata 0.7 wrote frames: no encoding of columns, categories referenced.
TEST_F(H5adResultsTest, FramesOfOldFilesStayOld) {
  const std::string source = folder_.path("old.h5ad");
  {
    test::Hdf5File file(source);
    file.texts("/obs/index", {"a", "b", "c", "d"});
    file.attribute("/obs", "_index", "index");
    file.attribute("/obs", "encoding-type", "dataframe");
    file.attribute("/obs", "encoding-version", "0.1.0");
    file.attribute("/obs", "column-order", std::vector<std::string>{"kind"});
    file.texts("/obs/__categories/kind", {"x", "y"});
    file.numbers<std::int8_t>("/obs/kind", {4}, {0, 1, 1, 0});
    file.attribute_reference("/obs/kind", "categories", "/obs/__categories/kind");
    file.texts("/var/index", {"G"});
    file.attribute("/var", "_index", "index");
    file.numbers<float>("/X", {4, 1}, {1, 2, 3, 4});
  }

  const std::string result = written(source);

  expect_results(result, "domain");
  Hdf5Source file(result);
  EXPECT_TRUE(file.object("/obs/domain").is_dataset());
  EXPECT_EQ(file.object("/obs/domain").text("categories"), "/obs/__categories/domain");
  EXPECT_EQ(H5adFrame(file, "/obs").texts("kind"), (std::vector<std::string>{"x", "y", "y", "x"}));
  EXPECT_TRUE(takes_results(source));
}

TEST_F(H5adResultsTest, FramesWithoutColumnsGetTheirFirst) {
  expression_.sections.clear();
  const std::string source = base();
  {
    // What anndata 0.11 writes for no columns.
    const Hdf5Handle file = open_hdf5(source, Hdf5Access::kEdit);
    H5Adelete_by_name(file.id(), "/obs", "column-order", H5P_DEFAULT);
    const hsize_t none = 0;
    const Hdf5Handle space(H5Screate_simple(1, &none, nullptr));
    Hdf5Handle(H5Acreate_by_name(file.id(), "/obs", "column-order", H5T_NATIVE_DOUBLE, space.id(),
                                 H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }

  expect_results(written(source), "domain");
}

TEST_F(H5adResultsTest, ManyDomainsNeedWiderCodes) {
  results_.domains = 200;
  labels_ = {199, 0, -1, 127};

  Hdf5Source file(written(base()));

  EXPECT_EQ(file.object("/obs/domain/codes").bytes, 4);
  EXPECT_EQ(H5adFrame(file, "/obs").texts("domain"),
            (std::vector<std::string>{"199", "0", "", "127"}));
}

TEST_F(H5adResultsTest, InPlaceReplacesTheFileBehindALink) {
  const std::string source = base(), link = folder_.path("link.h5ad");
  ::chmod(source.c_str(), 0440);
  std::filesystem::create_symlink(source, link);

  write_results(link, link, h5ad_places(link, results_), results_);

  expect_results(source, "domain");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  struct stat status {};
  ASSERT_EQ(::stat(source.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0440u);
  EXPECT_EQ(files(), (std::vector<std::string>{"base.h5ad", "link.h5ad"}));
}

TEST_F(H5adResultsTest, OtherNumbersOfCellsAreRefused) {
  labels_.push_back(0);
  results_.labels = labels_;
  expect_error(ExitCode::kInputInvalid, {"4 cells", "of 5"},
               [&] { h5ad_places(base(), results_); });
}

// A disk that is full after so many bytes: the target is as it was, and nothing lies beside it.
TEST_F(H5adResultsTest, FullDisksLeaveTheTargetAsItWas) {
  const std::string source = base(), target = folder_.write("result.h5ad", "old");
  const auto whole = static_cast<rlim_t>(std::filesystem::file_size(written(base())));
  folder_.write("result.h5ad", "old");
  const H5adPlaces places = h5ad_places(source, results_);
  for (rlim_t limit = 0; limit < whole; limit += 1 + whole / 40) {
    // In a process of its own, because limits stay.
    expect_error(ExitCode::kOutput, {"result.h5ad"}, [&] {
      in_own_process("test", 100, ExitCode::kInternal, [&] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limits{limit, limit};
        ::setrlimit(RLIMIT_FSIZE, &limits);
        write_results(source, target, places, results_);
      });
    });
    ASSERT_EQ(read_whole_file(target, ExitCode::kInputMissing), "old") << limit;
    ASSERT_EQ(files(), (std::vector<std::string>{"base.h5ad", "result.h5ad"})) << limit;
  }
}

TEST_F(H5adResultsTest, FoldersThatMayNotBeWrittenAreRefused) {
  const std::string source = base();
  const H5adPlaces places = h5ad_places(source, results_);

  expect_error(ExitCode::kOutput, {"/proc/result.h5ad"},
               [&] { write_results(source, "/proc/result.h5ad", places, results_); });
  expect_error(ExitCode::kOutput, {"none"},
               [&] { write_results(source, folder_.path("none/result.h5ad"), places, results_); });
}

TEST_F(H5adResultsTest, NoCellsAreAFileToo) {
  Expression none;
  none.genes = {"G"};
  H5adResults results;

  write_new(none, folder_.path("none.h5ad"), {}, results);

  Hdf5Source file(folder_.path("none.h5ad"));
  EXPECT_EQ(H5adFrame(file, "/obs").rows(), 0);
}

}  // namespace
}  // namespace m2st::data
