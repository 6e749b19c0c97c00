// .h5ad files of every era give the same expression, written here as anndata wrote them then, and
// the published STARmap file gives the counts that are shared as .npz.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/io/read_expression.h"
#include "tests/data/expression_rows.h"
#include "tests/data/h5ad_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::H5adFile;
using test::Hdf5File;
using test::Packing;

using Row = std::vector<std::pair<int, float>>;

Row row_of(const SparseMatrix& matrix, std::int64_t row) {
  Row entries;
  for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
    entries.emplace_back(matrix.indices[e], matrix.values[e]);
  }
  return entries;
}

class H5adTest : public ::testing::Test {
 protected:
  Expression read(const ReadOptions& options = {}) {
    return read_expression(context_, path_, options);
  }
  void expect_counts(const Expression& expression) {
    EXPECT_EQ(test::dense_rows(expression.values), test::kCounts);
    EXPECT_EQ(expression.cells, test::kCells);
    EXPECT_EQ(expression.genes, test::kGenes);
    EXPECT_TRUE(expression.counts);
    EXPECT_FALSE(expression.hash.empty());
    for (std::int64_t e = 0; e < expression.values.entries(); ++e) {
      EXPECT_NE(expression.values.values[e], 0);
    }
  }

  CpuContext context_{2};
  test::TemporaryFolder folder_;
  std::string path_ = folder_.path("a.h5ad");
};

TEST_F(H5adTest, ReadsSparseMatricesByCellAndByGene) {
  for (const bool by_cell : {true, false}) {
    {
      H5adFile file(path_);
      file.frames();
      file.positions();
      by_cell ? file.rows("/X") : file.columns("/X");
    }
    const Expression expression = read();
    expect_counts(expression);
    EXPECT_EQ(expression.format, "AnnData .h5ad (0.8 or newer)");
    ASSERT_EQ(expression.coordinates.cols(), 2);
    EXPECT_EQ(expression.coordinates(2, 0), 2);
    EXPECT_EQ(expression.coordinates(2, 1), 12);
  }
}

TEST_F(H5adTest, ReadsEveryNumberTypeOfValuesAndIndices) {
  const auto expect_read = [&](const auto& write) {
    {
      H5adFile file(path_);
      file.frames();
      write(file);
    }
    expect_counts(read());
  };
  expect_read([](H5adFile& f) { f.rows<std::int64_t, std::int64_t>("/X"); });
  expect_read([](H5adFile& f) { f.rows<double, std::uint16_t>("/X"); });
  expect_read([](H5adFile& f) { f.rows<std::uint8_t, std::uint8_t>("/X"); });
  expect_read([](H5adFile& f) { f.rows<std::uint32_t, std::uint32_t>("/X"); });
  expect_read([](H5adFile& f) { f.rows("/X", {.packing = Packing::kGzip}); });
  expect_read([](H5adFile& f) { f.rows("/X", {.packing = Packing::kLzf, .chunk = {4}}); });
  expect_read([](H5adFile& f) { f.numbers("/X", {4, 3}, test::dense_counts()); });
  expect_read([](H5adFile& f) {
    f.numbers("/X", {4, 3}, test::dense_counts(),
              {.type = H5T_STD_I64BE, .packing = Packing::kLzf, .chunk = {3, 2}});
  });
  expect_read([](H5adFile& f) {
    f.numbers("/X", {4, 3}, test::dense_counts(), {.type = H5T_IEEE_F64BE});
  });
}

TEST_F(H5adTest, SortsAndAddsUpEntriesAndLeavesOutZeros) {
  {
    H5adFile file(path_);
    file.frames();
    file.numbers<float>("/X/data", {8}, {2, 1, 4, 1, 2, 6, 0, 5});
    file.numbers<std::int32_t>("/X/indices", {8}, {2, 0, 1, 0, 0, 2, 0, 1});
    file.numbers<std::int32_t>("/X/indptr", {5}, {0, 2, 2, 5, 8});
    file.shaped("/X", "csr_matrix");
  }

  expect_counts(read());
}

TEST_F(H5adTest, ReadsNamesInEveryEncoding) {
  {
    H5adFile file(path_);
    // 0.13: nullable strings as names.
    file.texts("/obs/cell_id/values", test::kCells);
    file.booleans("/obs/cell_id/mask", {0, 0, 0, 0});
    file.encoded("/obs/cell_id", "nullable-string-array", "0.1.0");
    file.encoded("/obs", "dataframe", "0.2.0");
    file.attribute("/obs", "_index", "cell_id");
    // R writers: fixed length.
    file.texts("/var/genes", test::kGenes, 8);
    file.attribute("/var", "_index", "genes");
    file.attribute_numbers<double>("/var", "column-order", {});
    file.rows("/X");
  }
  expect_counts(read());
  {
    H5adFile file(path_);
    file.numbers<std::int64_t>("/obs/_index", {4}, {10, 11, 12, 13});
    file.attribute("/obs", "_index", "_index");
    file.frame("/var", {"A", "B\xe9", "A"});
    file.rows("/X");
  }
  const Expression odd = read();
  EXPECT_EQ(odd.cells, (std::vector<std::string>{"10", "11", "12", "13"}));
  EXPECT_EQ(odd.genes, (std::vector<std::string>{"A", "B\xc3\xa9", "A-1"}));
  EXPECT_EQ(odd.warnings.size(), 2u);
}

TEST_F(H5adTest, ReadsColumnsOfEveryKind) {
  {
    H5adFile file(path_);
    file.frames();
    file.rows("/X");
    file.categorical("/obs/domain", {1, -1, 0, 1}, {"WM", "L1"});
    file.numbers<std::int16_t>("/obs/cluster/codes", {4}, {2, 0, 1, -1});
    file.numbers<std::int64_t>("/obs/cluster/categories", {3}, {10, 20, 30});
    file.encoded("/obs/cluster", "categorical", "0.2.0");
    file.numbers<std::int64_t>("/obs/count/values", {4}, {5, 6, 7, 8});
    file.booleans("/obs/count/mask", {0, 1, 0, 0});
    file.encoded("/obs/count", "nullable-integer", "0.1.0");
    file.booleans("/obs/good", {1, 0, 1, 1});
    file.numbers<float>("/obs/share", {4}, {0.5, 1, NAN, 2});
    file.texts("/obs/note", {"a", "", "c", "d"});
  }
  using Texts = std::vector<std::string>;

  EXPECT_EQ(read({.truth_key = "domain"}).labels, (Texts{"L1", "", "WM", "L1"}));
  EXPECT_EQ(read({.truth_key = "cluster"}).labels, (Texts{"30", "10", "20", ""}));
  EXPECT_EQ(read({.truth_key = "count"}).labels, (Texts{"5", "", "7", "8"}));
  EXPECT_EQ(read({.truth_key = "good"}).labels, (Texts{"True", "False", "True", "True"}));
  EXPECT_EQ(read({.library_key = "share"}).sections, (Texts{"0.5", "1", "", "2"}));
  EXPECT_EQ(read({.library_key = "note"}).sections, (Texts{"a", "", "c", "d"}));
  test::expect_error(ExitCode::kInputInvalid, {"no column 'none'", "cluster, count, domain"},
                     [&] { read({.truth_key = "none"}); });
}

TEST_F(H5adTest, ReadsCategoriesByReferenceAsIn07) {
  {
    Hdf5File file(path_);
    file.texts("/obs/_index", test::kCells);
    file.attribute("/obs", "_index", "_index");
    file.texts("/obs/__categories/domain", {"WM", "L1"});
    file.numbers<std::int8_t>("/obs/domain", {4}, {1, -1, 0, 1});
    file.attribute_reference("/obs/domain", "categories", "/obs/__categories/domain");
    file.texts("/var/_index", test::kGenes);
    file.attribute("/var", "_index", "_index");
    file.numbers("/X", {4, 3}, test::dense_counts());
  }

  const Expression expression = read({.truth_key = "domain"});

  expect_counts(expression);
  EXPECT_EQ(expression.format, "AnnData .h5ad (0.7)");
  EXPECT_EQ(expression.labels, (std::vector<std::string>{"L1", "", "WM", "L1"}));
}

struct OldCell {
  char index[8];
  std::int8_t domain;
  double size;
};

// obs or var as one dataset of records.
template <class Record>
void write_records(
    Hdf5File& file, const std::string& path, const std::vector<Record>& records,
    const std::vector<std::pair<const char*, std::pair<std::size_t, Hdf5Id>>>& fields) {
  const Hdf5Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Record)));
  for (const auto& [name, field] : fields) {
    ASSERT_GE(H5Tinsert(type.id(), name, field.first, field.second), 0);
  }
  const hsize_t size = records.size();
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr));
  const Hdf5Handle made(H5Dcreate2(file.id(), path.c_str(), type.id(), space.id(), H5P_DEFAULT,
                                   H5P_DEFAULT, H5P_DEFAULT));
  ASSERT_GE(H5Dwrite(made.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, records.data()), 0);
}

TEST_F(H5adTest, ReadsRecordsFromBefore07) {
  struct OldGene {
    char index[8];
  };
  struct OldPlace {
    double spatial[2];
  };
  {
    Hdf5File file(path_);
    const Hdf5Handle name(H5Tcopy(H5T_C_S1));
    H5Tset_size(name.id(), 8);
    const hsize_t two = 2;
    const Hdf5Handle pair(H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &two));
    write_records<OldCell>(file, "/obs",
                           {{"AAA-1", 1, 0.5}, {"CCC-1", -1, 2}, {"GGG-1", 0, 3}, {"TTT-1", 1, 4}},
                           {{"index", {offsetof(OldCell, index), name.id()}},
                            {"domain", {offsetof(OldCell, domain), H5T_NATIVE_INT8}},
                            {"size", {offsetof(OldCell, size), H5T_NATIVE_DOUBLE}}});
    write_records<OldGene>(file, "/var", {{"Actb"}, {"Gapdh"}, {"Tp53"}},
                           {{"index", {0, name.id()}}});
    write_records<OldPlace>(file, "/obsm", {{{0, 10}}, {{1, 11}}, {{2, 12}}, {{3, 13}}},
                            {{"spatial", {0, pair.id()}}});
    file.texts("/uns/domain_categories", {"WM", "L1"});
    file.numbers<float>("/X/data", {6}, {1, 2, 3, 4, 5, 6});
    file.numbers<std::int32_t>("/X/indices", {6}, {0, 2, 0, 1, 1, 2});
    file.numbers<std::int32_t>("/X/indptr", {5}, {0, 2, 2, 4, 6});
    file.attribute("/X", "h5sparse_format", "csr");
    file.attribute_numbers<std::int64_t>("/X", "h5sparse_shape", {4, 3});
  }

  const Expression expression = read({.library_key = "size", .truth_key = "domain"});

  expect_counts(expression);
  EXPECT_EQ(expression.format, "AnnData .h5ad (before 0.7)");
  EXPECT_EQ(expression.labels, (std::vector<std::string>{"L1", "", "WM", "L1"}));
  EXPECT_EQ(expression.sections, (std::vector<std::string>{"0.5", "2", "3", "4"}));
  ASSERT_EQ(expression.coordinates.cols(), 2);
  EXPECT_EQ(expression.coordinates(3, 1), 13);
}

TEST_F(H5adTest, TakesTheMatrixThatWasAskedFor) {
  {
    H5adFile file(path_);
    file.frames();
    file.numbers<float>("/X", {4, 3}, {.5, 0, .5, 0, 0, 0, .5, .5, 0, 0, .5, .5});
    file.rows("/layers/counts");
    file.columns("/raw/X");
    file.frame("/raw/var", test::kGenes);
    file.numbers<float>("/obsm/X_pca", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
    file.positions();
    file.group("/uns/log1p");
  }

  const Expression plain = read();
  EXPECT_FALSE(plain.counts);
  EXPECT_TRUE(plain.logged);
  const Expression layer = read({.layer = "counts"});
  expect_counts(layer);
  EXPECT_FALSE(layer.logged);
  expect_counts(read({.use_raw = true}));
  const Expression features = read({.use_representation = "X_pca"});
  EXPECT_EQ(features.values.rows, 0);
  ASSERT_EQ(features.features.rows(), 4);
  EXPECT_EQ(features.features(3, 0), 7);
  test::expect_error(ExitCode::kInputInvalid, {"layers/none not found", "counts"},
                     [&] { read({.layer = "none"}); });
  test::expect_error(ExitCode::kUsage, {"exclude each other"},
                     [&] { read({.layer = "counts", .use_raw = true}); });
  test::expect_error(ExitCode::kInputInvalid, {"obsm/X_umap not found", "X_pca, spatial"},
                     [&] { read({.use_representation = "X_umap"}); });
}

TEST_F(H5adTest, FindsPositionsWhereverTheyAre) {
  const auto expect_places = [&](const auto& write, const ReadOptions& options) {
    {
      H5adFile file(path_);
      file.frames();
      file.rows("/X");
      write(file);
    }
    const Expression expression = read(options);
    ASSERT_EQ(expression.coordinates.rows(), 4);
    EXPECT_EQ(expression.coordinates(1, 0), 1);
    EXPECT_EQ(expression.coordinates(1, 1), 11);
  };
  expect_places([](H5adFile& f) { f.positions(); }, {});
  expect_places(
      [](H5adFile& f) {
        f.numbers<std::int64_t>("/obsm/X_spatial", {4, 3},
                                {0, 10, 5, 1, 11, 5, 2, 12, 5, 3, 13, 5});
      },
      {});
  expect_places(
      [](H5adFile& f) {
        f.numbers<float>("/obsm/where", {4, 2}, {0, 10, 1, 11, 2, 12, 3, 13});
      },
      {.spatial_key = "where"});
  expect_places(
      [](H5adFile& f) {
        f.frame("/obsm/spatial", test::kCells);
        f.numbers<double>("/obsm/spatial/y", {4}, {10, 11, 12, 13});
        f.numbers<double>("/obsm/spatial/x", {4}, {0, 1, 2, 3});
      },
      {});
  const auto columns = [](H5adFile& f) {
    f.numbers<double>("/obs/x_centroid", {4}, {0, 1, 2, 3});
    f.numbers<double>("/obs/y_centroid", {4}, {10, 11, 12, 13});
  };
  expect_places(columns, {});
  expect_places(columns, {.x_column = "x_centroid", .y_column = "y_centroid"});
}

TEST_F(H5adTest, SaysWhatItFoundAndWhatItSkipped) {
  {
    H5adFile file(path_);
    file.frames();
    file.rows("/X");
    file.rows("/layers/counts");
    file.numbers<float>("/obsm/X_pca", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
    file.categorical("/obs/domain", {1, -1, 0, 1}, {"WM", "L1"});
    file.text("/uns/title", "x");
  }

  const Expression expression = read();

  ASSERT_EQ(expression.found.size(), 1u);
  EXPECT_NE(expression.found[0].find("csr_matrix of float32, 4 cells by 3 genes"),
            std::string::npos);
  std::string skipped;
  for (const std::string& line : expression.skipped) skipped += line + "\n";
  for (const char* words : {"obsm/spatial not found; keys present: X_pca; use --spatial-key",
                            "layers: counts", "obsm: X_pca", "obs: domain", "uns: title"}) {
    EXPECT_NE(skipped.find(words), std::string::npos) << words << " not in\n" << skipped;
  }
}

TEST_F(H5adTest, TakesTheUsersOwnGraph) {
  {
    H5adFile file(path_);
    file.frames();
    file.rows("/X");
    file.numbers<float>("/obsp/mine/data", {5}, {1, 1, 1, 0, 1});
    file.numbers<std::int32_t>("/obsp/mine/indices", {5}, {1, 0, 2, 3, 3});
    file.numbers<std::int32_t>("/obsp/mine/indptr", {5}, {0, 1, 4, 4, 5});
    file.shaped("/obsp/mine", "csr_matrix", {4, 4});
  }

  for (const char* name : {"mine", "obsp/mine"}) {
    const Expression expression = read({.use_graph = name});
    // 1-2 went one way, 1-3 is a stored zero, 3-3 a self loop.
    EXPECT_EQ(expression.graph.offsets, (std::vector<std::int64_t>{0, 1, 3, 4, 4}));
    EXPECT_EQ(expression.graph.neighbours, (std::vector<std::int32_t>{1, 0, 2, 1}));
    EXPECT_EQ(expression.warnings.size(), 1u);
  }
  test::expect_error(ExitCode::kInputInvalid, {"obsp/other", "mine"},
                     [&] { read({.use_graph = "other"}); });
}

TEST_F(H5adTest, ReadsThePublishedStarmapAsTheSharedCounts) {
  M2ST_NEEDS_SHARED("data/starmap_counts");
  const std::string folder = test::shared_path("data/starmap_counts");

  const Expression h5ad =
      read_expression(context_, folder + "/starmap_BY3_1k.h5ad", {.truth_key = "cluster_name"});
  const Expression npz =
      read_expression(context_, folder + "/X.npz", {.coordinates = folder + "/coords.npy"});

  EXPECT_EQ(h5ad.format, "AnnData .h5ad (0.7)");
  ASSERT_EQ(h5ad.cells.size(), 1549u);
  ASSERT_EQ(h5ad.genes.size(), 1020u);
  EXPECT_TRUE(h5ad.counts);
  EXPECT_EQ(h5ad.labels.size(), 1549u);
  ASSERT_EQ(npz.values.rows, 1207);
  // The shared cells are a part of the published ones: found by where they lie. The shared
  // positions were rounded once, so they are compared in hundredths.
  std::map<std::pair<long, long>, std::int64_t> rows;
  const auto place = [](const Matrix<double>& positions, std::int64_t row) {
    return std::pair{std::lround(100 * positions(row, 0)), std::lround(100 * positions(row, 1))};
  };
  for (std::int64_t i = 0; i < h5ad.coordinates.rows(); ++i) rows[place(h5ad.coordinates, i)] = i;
  for (std::int64_t i = 0; i < npz.values.rows; ++i) {
    const auto found = rows.find(place(npz.coordinates, i));
    ASSERT_NE(found, rows.end()) << i;
    ASSERT_EQ(row_of(npz.values, i), row_of(h5ad.values, found->second)) << i;
  }
}

}  // namespace
}  // namespace m2st::data
