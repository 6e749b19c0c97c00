// MatrixMarket, tables of counts, GEM, .npz: read from files written here as instruments write
// them; what is wrong with one is said with its line.

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "data/io/npy.h"
#include "data/io/read_expression.h"
#include "data/io/zip_archive.h"
#include "tests/data/expression_rows.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using Names = std::vector<std::string>;
using Rows = std::vector<std::vector<float>>;

class TextFormatTest : public ::testing::Test {
 protected:
  std::string gzip(const std::string& name, const std::string& text) {
    const std::string path = folder_.path(name);
    const gzFile file = gzopen(path.c_str(), "wb");
    EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
              static_cast<int>(text.size()));
    EXPECT_EQ(gzclose(file), Z_OK);
    return path;
  }
  std::string folder(const std::string& name) {
    std::filesystem::create_directories(folder_.path(name));
    return folder_.path(name);
  }
  Expression read(const std::string& path, const ReadOptions& options = {}) {
    return read_expression(context_, path, options);
  }
  void expect_refused(const std::string& text, std::initializer_list<std::string> words,
                      const ReadOptions& options = {}) {
    const std::string path = folder_.write("wrong", text);
    expect_error(ExitCode::kInputInvalid, words, [&] { read(path, options); });
  }

  CpuContext context_{2};
  test::TemporaryFolder folder_;
};

const char* kMarket =
    "%%MatrixMarket matrix coordinate integer general\n%metadata_json: {}\n3 4 6\n"
    "1 1 1\n3 1 2\n1 3 3\n2 3 4\n2 4 5\n3 4 6\n";
const Rows kCounts = {{1, 0, 2}, {0, 0, 0}, {3, 4, 0}, {0, 5, 6}};
const Names kBarcodes = {"A-1", "C-1", "G-1", "T-1"};
const char* kBarcodeLines = "A-1\nC-1\nG-1\nT-1\n";
const char* kFeatureLines =
    "E1\tActb\tGene Expression\nE2\tGapdh\tGene Expression\nE3\tTp53\tGene Expression\n";

TEST_F(TextFormatTest, ReadsMarketFoldersOfEveryVersion) {
  folder("v3");
  gzip("v3/matrix.mtx.gz", kMarket);
  gzip("v3/features.tsv.gz", kFeatureLines);
  gzip("v3/barcodes.tsv.gz", kBarcodeLines);
  folder("v2");
  folder_.write("v2/matrix.mtx", kMarket);
  folder_.write("v2/genes.tsv", "E1\tActb\nE2\tGapdh\nE3\tTp53\n");
  folder_.write("v2/barcodes.tsv", kBarcodeLines);
  folder("starsolo");
  folder_.write("starsolo/s1_matrix.mtx", kMarket);
  folder_.write("starsolo/s1_features.tsv", kFeatureLines);
  folder_.write("starsolo/s1_barcodes.tsv", "A-1\r\nC-1\r\nG-1\r\nT-1\r\n");

  for (const char* name : {"v3", "v2", "starsolo"}) {
    const Expression expression = read(folder_.path(name));
    EXPECT_EQ(test::dense_rows(expression.values), kCounts) << name;
    EXPECT_EQ(expression.cells, kBarcodes) << name;
    EXPECT_EQ(expression.genes, (Names{"Actb", "Gapdh", "Tp53"})) << name;
    EXPECT_EQ(expression.gene_ids, (Names{"E1", "E2", "E3"})) << name;
    EXPECT_TRUE(expression.counts);
    EXPECT_EQ(expression.files.size(), 3u);
  }
}

TEST_F(TextFormatTest, KeepsGenesOnlyAndMakesNamesUnique) {
  folder("m");
  folder_.write("m/matrix.mtx", kMarket);
  folder_.write("m/features.tsv",
                "E1\tActb\tGene Expression\nC1\tNeg\tNegative Control Probe\n"
                "E3\tActb\tGene Expression\n");
  folder_.write("m/barcodes.tsv", kBarcodeLines);

  const Expression expression = read(folder_.path("m"));

  EXPECT_EQ(expression.genes, (Names{"Actb", "Actb-1"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{1, 2}, {0, 0}, {3, 0}, {0, 6}}));
  EXPECT_EQ(expression.skipped, (Names{"1 features of kind 'Negative Control Probe'"}));
}

TEST_F(TextFormatTest, ReadsMarketFilesAloneWithRealsAndCrlf) {
  const std::string path = folder_.write(
      "x.mtx", "%%MatrixMarket matrix coordinate real general\r\n2 2 2\r\n1 2 0.5\r\n2 1 2e0\r\n");

  const Expression expression = read(path);

  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{0, 2}, {0.5, 0}}));
  EXPECT_FALSE(expression.counts);
  EXPECT_EQ(expression.cells, (Names{"0", "1"}));
}

TEST_F(TextFormatTest, RefusesMarketFilesThatBreakTheirWord) {
  const std::string head = "%%MatrixMarket matrix coordinate integer general\n";
  expect_refused(head + "3 299999999 1\n1 1 1\n", {"299999999 columns", "damaged"});
  expect_refused(head + "3 4 5\n1 1 1\n2 2 2\n3 3 3\n3 4 4\n", {"claims 5 entries", "are 4"});
  expect_refused(head + "3 4 1\n1 1 1\n2 2 2\n", {"claims 1 entries", "more"});
  expect_refused(head + "3 4 1\n0 1 1\n", {"line 3", "counted from 0"});
  expect_refused(head + "3 4 1\n4 1 1\n", {"line 3", "outside the 3 by 4"});
  expect_refused(head + "3 4 1\n1 1 x\n", {"line 3", "'1 1 x'"});
  expect_refused(head + "3 4 4294967297\n1 1 1\n", {"claims 4294967297 entries", "are 1"});
  expect_refused(head + "3 4\n", {"line 2", "no size"});
  expect_refused(head + "99999999999 4 1\n1 1 1\n", {"line 2", "no size"});
  expect_refused(head, {"ends before"});
  expect_refused("%%MatrixMarket matrix array real general\n1 1\n1\n", {"need a matrix"});
  folder("m");
  folder_.write("m/matrix.mtx", kMarket);
  folder_.write("m/barcodes.tsv", "A-1\nC-1\n");
  expect_error(ExitCode::kInputInvalid, {"neither features.tsv nor genes.tsv"},
               [&] { read(folder_.path("m")); });
  folder_.write("m/features.tsv", kFeatureLines);
  expect_error(ExitCode::kInputInvalid, {"3 by 4", "3 features and 2 barcodes"},
               [&] { read(folder_.path("m")); });
}

TEST_F(TextFormatTest, RefusesGzipThatIsCutShortOrChanged) {
  folder("m");
  std::string text = "%%MatrixMarket matrix coordinate integer general\n2000 2000 2000\n";
  for (int i = 1; i <= 2000; ++i)
    text += concat(i, ' ', 1 + i * 7919 % 2000, ' ', i % 13 + 1, '\n');
  const std::string path = gzip("x.mtx.gz", text);
  ASSERT_EQ(read(path).values.entries(), 2000);
  const auto bytes = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, bytes - 20);
  expect_error(ExitCode::kInputInvalid, {path, "cut short"}, [&] { read(path); });
}

TEST_F(TextFormatTest, ReadsTablesGeneByGeneAndCellByCell) {
  const std::string beads = folder_.write(
      "beads.csv", "barcodes,xcoord,ycoord\nT-1,4,40\nG-1,3,30\nA-1,1,10\nC-1,2,20\nX-1,9,9\n");
  const std::string by_gene =
      folder_.write("genes.csv",
                    "\"\",\"A-1\",\"C-1\",\"G-1\",\"T-1\"\nActb,1,0,3,0\nGapdh,0,0,4,5\n"
                    "Tp53,2,0,0,6\n");
  const std::string r_style = folder_.write(
      "genes.tsv", "A-1\tC-1\tG-1\tT-1\nActb\t1\t0\t3\t0\nGapdh\t0\t0\t4\t5\nTp53\t2\t0\t0\t6\n");
  const std::string by_cell = folder_.write("cells.csv",
                                            "\xef\xbb\xbf"
                                            "cell;Actb;Gapdh;Tp53\r\nA-1;1;0;2\r\nC-1;0;0;0\r\n"
                                            "G-1;3.0;4;0\r\nT-1;0;\"5\";6\r\n");

  for (const std::string& path : {by_gene, r_style, by_cell}) {
    const Expression expression = read(path, {.coordinates = beads});
    EXPECT_EQ(test::dense_rows(expression.values), kCounts) << path;
    EXPECT_EQ(expression.cells, kBarcodes);
    EXPECT_EQ(expression.genes, (Names{"Actb", "Gapdh", "Tp53"}));
    ASSERT_EQ(expression.coordinates.rows(), 4);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(expression.coordinates(i, 1), 10 * (i + 1));
    EXPECT_EQ(expression.files.size(), 2u);
  }
}

TEST_F(TextFormatTest, ReadsOneTableWithPositionsAndColumnsOfItsOwn) {
  const std::string path = folder_.write("one.csv", "id,x,y,Actb,Gapdh\nA,1,10,1,0\nC,2,20,0,2\n");
  const std::string meta =
      folder_.write("meta.csv", "name,px2,py2,slice,layer\nC,2,20,s2,L1\nA,1,10,s1,NA\n");

  const Expression alone = read(path);
  const Expression joined = read(path, {.library_key = "slice",
                                        .truth_key = "layer",
                                        .coordinates = meta,
                                        .id_column = "name",
                                        .x_column = "px2",
                                        .y_column = "py2"});

  EXPECT_EQ(alone.genes, (Names{"Actb", "Gapdh"}));
  EXPECT_EQ(alone.coordinates(1, 1), 20);
  EXPECT_EQ(joined.sections, (Names{"s1", "s2"}));
  EXPECT_EQ(joined.labels, (Names{"NA", "L1"}));
  EXPECT_EQ(joined.coordinates(1, 1), 20);
}

TEST_F(TextFormatTest, ReadsCosMxByItsTwoColumns) {
  const std::string counts = folder_.write(
      "exprMat_file.csv", "fov,cell_ID,Actb,Gapdh\n1,0,9,9\n1,1,1,0\n1,2,0,2\n2,1,3,0\n");
  const std::string meta = folder_.write(
      "metadata_file.csv",
      "fov,cell_ID,Area,CenterX_global_px,CenterY_global_px\n2,1,5,7,70\n1,1,5,1,10\n1,2,5,2,20\n");

  const Expression expression = read(counts, {.coordinates = meta});

  EXPECT_EQ(expression.cells, (Names{"1_1", "1_2", "2_1"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{1, 0}, {0, 2}, {3, 0}}));
  EXPECT_EQ(expression.coordinates(2, 1), 70);
}

TEST_F(TextFormatTest, RefusesTablesWithTheLineThatIsWrong) {
  expect_refused("cell,A,B\nx,1,2\ny,1\n", {"line 3", "has 2 fields, the first line 3"});
  expect_refused("cell,A,B\nx,1,NA\n", {"line 2", "field 3", "missing value"});
  expect_refused("cell;A;B\nx;1;2,5\n", {"line 2", "'2,5'", "with a point"});
  expect_refused("cell,A,B\nx,1,two\n", {"line 2", "'two'", "not a number"});
  expect_refused("cell,A,B\nx,1,inf\n", {"not finite", "cell x gene B"});
  expect_refused("cell,A,B\n", {"no others"});
  expect_refused("cell,A,B\nx,1,2\nx,3,4\n", {"'x'", "twice", "--make-unique"});
  const std::string places = folder_.write("p.csv", "cell,x,y\nx,1,2\n");
  expect_refused("cell,A,B\nx,1,2\ny,3,4\n", {"1 of 2 cells have no row", "y"},
                 {.coordinates = places});
  const std::string twice = folder_.write("q.csv", "cell,x,y\nx,1,2\nx,3,4\n");
  expect_refused("cell,A,B\nx,1,2\n", {"'x'", "twice"}, {.coordinates = twice});
  expect_refused("cell,A,B\nx,1,2\n", {"no column 'z'", "cell, x, y"},
                 {.coordinates = places, .x_column = "z", .y_column = "y"});
}

const std::string kGem =
    "#FileFormat=GEMv0.1\n#BinSize=1\ngeneID\tgeneName\tx\ty\tMIDCount\tExonCount\tCellID\n"
    "E1\tActb\t0\t0\t1\t1\t7\nE1\tActb\t9\t9\t2\t0\t7\nE1\tActb\t10\t0\t3\t0\t8\n"
    "E2\tGapdh\t-1\t-1\t4\t0\t0\nE1\tActb\t1\t1\t5\t0\t7\n";

TEST_F(TextFormatTest, GathersGemIntoSquares) {
  const Expression expression = read(gzip("a.gem.gz", kGem), {.bin_size = 10});

  EXPECT_EQ(expression.genes, (Names{"Actb", "Gapdh"}));
  EXPECT_EQ(expression.gene_ids, (Names{"E1", "E2"}));
  EXPECT_EQ(expression.cells, (Names{"-10_-10", "0_0", "10_0"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{0, 4}, {8, 0}, {3, 0}}));
  EXPECT_EQ(expression.coordinates(0, 0), -5);
  EXPECT_EQ(expression.coordinates(2, 0), 15);
}

TEST_F(TextFormatTest, GathersGemByCell) {
  const Expression expression = read(folder_.write("a.gem", kGem));

  EXPECT_EQ(expression.cells, (Names{"7", "8"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{8}, {3}}));
  // The middle of eight molecules: (1·0 + 2·9 + 5·1) / 8.
  EXPECT_EQ(expression.coordinates(0, 0), 23.0 / 8);
  EXPECT_EQ(expression.skipped, (Names{"1 lines outside of any cell (CellID 0)"}));
}

TEST_F(TextFormatTest, ReadsGemWithoutGeneNamesOrCells) {
  const Expression expression =
      read(folder_.write("a.gem", "geneID\tx\ty\tMIDCounts\nA\t5\t5\t2\nB\t205\t5\t3\n"));

  EXPECT_EQ(expression.cells, (Names{"0_0", "200_0"}));
  EXPECT_EQ(expression.warnings.size(), 1u);  // the bin size was not given
}

TEST_F(TextFormatTest, RefusesGemWithTheLineThatIsWrong) {
  const std::string head = "geneID\tx\ty\tMIDCount\n";
  expect_refused(head + "A\t1\t2\n", {"line 2", "has 3 fields, the header 4"});
  expect_refused(head + "A\t1.5\t2\t1\n", {"line 2", "x is '1.5'"});
  expect_refused(head + "A\t1\t99999999999\t1\n", {"line 2", "y is '99999999999'"});
  expect_refused(head + "A\t1\t2\t-1\n", {"line 2", "below 0"});
  expect_refused(head, {"no cells"});
}

TEST_F(TextFormatTest, ReadsSparseAndDenseNumPyFiles) {
  const auto column = [](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    return npy_bytes<T>(MatrixView<const T>{values.data(), std::ssize(values), 1}, true);
  };
  std::string format = npy_bytes<float>({nullptr, 0, 1}, true);
  format.replace(format.find("'<f4'"), 5, "'|S3'");
  format.replace(format.find("(0,)"), 4, "()  ");
  const auto archive = [&](const std::string& form, std::vector<std::int32_t> indices,
                           std::vector<std::int64_t> offsets, std::vector<double> data) {
    return zip_bytes({{"indices.npy", column(indices)},
                      {"indptr.npy", column(offsets)},
                      {"format.npy", format + form},
                      {"shape.npy", column(std::vector<std::int64_t>{4, 3})},
                      {"data.npy", column(data)}});
  };
  const std::string rows = folder_.write(
      "r.npz", archive("csr", {0, 2, 0, 1, 1, 2}, {0, 2, 2, 4, 6}, {1, 2, 3, 4, 5, 6}));
  const std::string columns =
      folder_.write("c.npz", archive("csc", {0, 2, 2, 3, 0, 3}, {0, 2, 4, 6}, {1, 3, 4, 5, 2, 6}));
  const std::vector<double> whole{1, 0, 2, 0, 0, 0, 3, 4, 0, 0, 5, 6};
  const std::string dense =
      folder_.write("d.npy", npy_bytes<double>(MatrixView<const double>{whole.data(), 4, 3}));

  for (const std::string& path : {rows, columns, dense}) {
    EXPECT_EQ(test::dense_rows(read(path).values), kCounts) << path;
  }
  expect_error(ExitCode::kInputInvalid, {"holds index 3"}, [&] {
    read(folder_.write("w.npz",
                       archive("csr", {0, 3, 0, 1, 1, 2}, {0, 2, 2, 4, 6}, {1, 2, 3, 4, 5, 6})));
  });
  expect_error(ExitCode::kInputInvalid, {"indptr does not ascend"}, [&] {
    read(folder_.write("w.npz",
                       archive("csr", {0, 1, 0, 1, 1, 2}, {0, 4, 2, 4, 6}, {1, 2, 3, 4, 5, 6})));
  });
  expect_error(ExitCode::kInputInvalid, {"indptr"}, [&] {
    read(folder_.write("w.npz",
                       archive("csr", {0, 2, 0, 1, 1, 2}, {0, 2, 2, 4, (std::int64_t{1} << 32) + 6},
                               {1, 2, 3, 4, 5, 6})));
  });
  expect_error(ExitCode::kInputInvalid, {"'bsr'"}, [&] {
    read(folder_.write("w.npz", archive("bsr", {0}, {0, 1}, {1})));
  });
}

TEST_F(TextFormatTest, RefusesOptionsOfOtherFormats) {
  const std::string path = folder_.write("a.csv", "cell,A,B\nx,1,2\n");
  expect_error(ExitCode::kUsage, {"--layer", ".h5ad"}, [&] { read(path, {.layer = "counts"}); });
  expect_error(ExitCode::kUsage, {"--truth-key"}, [&] { read(path, {.truth_key = "domain"}); });
  expect_error(ExitCode::kInputMissing, {"none"}, [&] { read(folder_.path("none")); });
  expect_refused("", {"empty"});
}

TEST_F(TextFormatTest, GivesTheSameForAnyNumberOfThreads) {
  std::string table = "cell";
  for (int g = 0; g < 40; ++g) table += concat(",g", g);
  table += '\n';
  for (int c = 0; c < 500; ++c) {
    table += concat("c", c);
    for (int g = 0; g < 40; ++g) table += concat(',', (c * 31 + g * 17) % 7 == 0 ? c % 9 : 0);
    table += '\n';
  }
  const std::string path = folder_.write("t.csv", table);
  CpuContext alone(1), many(5);

  const Expression one = read_expression(alone, path, {});
  const Expression five = read_expression(many, path, {});

  EXPECT_EQ(one.values.offsets, five.values.offsets);
  EXPECT_EQ(one.values.indices, five.values.indices);
  EXPECT_EQ(one.values.values, five.values.values);
  EXPECT_EQ(one.cells, five.cells);
}

}  // namespace
}  // namespace m2st::data
