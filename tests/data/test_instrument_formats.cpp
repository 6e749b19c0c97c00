// Space Ranger, Xenium, Slide-seq and Stereo-seq: folders and HDF5 files written here as the
// instruments write them.

#include <gtest/gtest.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "data/io/read_expression.h"
#include "tests/data/expression_rows.h"
#include "tests/support/expect_error.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::Hdf5File;
using Names = std::vector<std::string>;
using Rows = std::vector<std::vector<float>>;

const Rows kCounts = {{1, 0, 2}, {0, 0, 0}, {3, 4, 0}, {0, 5, 6}};
const Names kSpots = {"A-1", "C-1", "G-1", "T-1"};
const Names kGenes = {"Actb", "Gapdh", "Tp53"};

class InstrumentTest : public ::testing::Test {
 protected:
  Expression read(const std::string& name, const ReadOptions& options = {}) {
    return read_expression(context_, folder_.path(name), options);
  }
  std::string folder(const std::string& name) {
    std::filesystem::create_directories(folder_.path(name));
    return folder_.path(name);
  }
  void write(const std::string& name, const std::string& text) { folder_.write(name, text); }

  void compressed(Hdf5File& file, const std::string& group) {
    file.numbers<std::int32_t>(group + "/data", {6}, {1, 2, 3, 4, 5, 6},
                               {.packing = test::Packing::kGzip});
    file.numbers<std::int64_t>(group + "/indices", {6}, {0, 2, 0, 1, 1, 2});
    file.numbers<std::int64_t>(group + "/indptr", {5}, {0, 2, 2, 4, 6});
    file.numbers<std::int32_t>(group + "/shape", {2}, {3, 4});
  }
  // 10x .h5 of version 3: fixed-length names.
  void tenx(const std::string& name, const Names& barcodes = kSpots,
            const Names& kinds = {"Gene Expression", "Gene Expression", "Gene Expression"}) {
    Hdf5File file(folder_.path(name));
    compressed(file, "/matrix");
    file.texts("/matrix/barcodes", barcodes, 32);
    file.texts("/matrix/features/id", {"E1", "E2", "E3"}, 16);
    file.texts("/matrix/features/name", kGenes, 16);
    file.texts("/matrix/features/feature_type", kinds, 32);
    file.texts("/matrix/features/genome", {"mm10", "mm10", "mm10"}, 8);
  }
  void expect_refused(const std::string& name, std::initializer_list<std::string> words,
                      const ReadOptions& options = {}) {
    expect_error(ExitCode::kInputInvalid, words, [&] { read(name, options); });
  }

  CpuContext context_{2};
  test::TemporaryFolder folder_;
};

TEST_F(InstrumentTest, ReadsTenxOfVersion3) {
  tenx("a.h5");

  const Expression expression = read("a.h5");

  EXPECT_EQ(expression.format, "10x .h5 v3");
  EXPECT_EQ(test::dense_rows(expression.values), kCounts);
  EXPECT_EQ(expression.cells, kSpots);
  EXPECT_EQ(expression.genes, kGenes);
  EXPECT_EQ(expression.gene_ids, (Names{"E1", "E2", "E3"}));
  EXPECT_TRUE(expression.coordinates.empty());
}

TEST_F(InstrumentTest, KeepsTenxGenesOnly) {
  tenx("a.h5", kSpots, {"Gene Expression", "Antibody Capture", "Gene Expression"});
  const Expression expression = read("a.h5");
  EXPECT_EQ(expression.genes, (Names{"Actb", "Tp53"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{1, 2}, {0, 0}, {3, 0}, {0, 6}}));
  EXPECT_EQ(expression.skipped, (Names{"1 features of kind 'Antibody Capture'"}));

  tenx("b.h5", kSpots, {"Custom", "Antibody Capture", "Custom"});
  expect_refused("b.h5", {"no genes"});
}

TEST_F(InstrumentTest, ReadsTenxOfVersion2ByGenome) {
  {
    Hdf5File file(folder_.path("a.h5"));
    for (const char* genome : {"/hg19", "/mm10"}) {
      compressed(file, genome);
      file.texts(std::string(genome) + "/barcodes", kSpots, 16);
      file.texts(std::string(genome) + "/genes", {"E1", "E2", "E3"}, 16);
      file.texts(std::string(genome) + "/gene_names", kGenes, 16);
    }
  }

  expect_refused("a.h5", {"several genomes", "--genome", "hg19, mm10"});
  expect_refused("a.h5", {"no genome 'rn6'"}, {.genome = "rn6"});
  const Expression expression = read("a.h5", {.genome = "mm10"});
  EXPECT_EQ(expression.format, "10x .h5 v2");
  EXPECT_EQ(test::dense_rows(expression.values), kCounts);
}

TEST_F(InstrumentTest, RefusesTenxWhoseShapeDisagrees) {
  tenx("a.h5", {"A-1", "C-1", "G-1"});
  expect_refused("a.h5", {"/matrix/shape", "3 features by 3 barcodes"});
}

const char* kPositions =
    "G-1,1,5,6,300,30\nX-1,0,0,0,9,9\nA-1,1,1,2,100,10\nT-1,1,7,8,400,40\nC-1,1,3,4,200,20\n";

TEST_F(InstrumentTest, JoinsVisiumSpotsByBarcodeWithOrWithoutHeader) {
  const std::string header =
      "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n";
  for (const auto& [name, text] :
       {std::pair<std::string, std::string>{"tissue_positions_list.csv", kPositions},
        {"tissue_positions_list.csv", header + kPositions},
        {"tissue_positions.csv", header + kPositions}}) {
    std::filesystem::remove_all(folder_.path("v"));
    folder("v/outs/spatial");
    tenx("v/outs/filtered_feature_bc_matrix.h5");
    write("v/outs/spatial/" + name, text);

    const Expression expression = read("v");

    EXPECT_EQ(expression.format, "Visium folder (10x .h5 v3)");
    EXPECT_EQ(expression.cells, kSpots);
    ASSERT_EQ(expression.coordinates.rows(), 4);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(expression.coordinates(i, 0), 10 * (i + 1)) << "x is the pixel column";
      EXPECT_EQ(expression.coordinates(i, 1), 100 * (i + 1)) << "y is the pixel row";
    }
  }
}

TEST_F(InstrumentTest, LeavesOutSpotsOutsideOfTheTissue) {
  folder("v/spatial");
  tenx("v/filtered_feature_bc_matrix.h5");
  write("v/spatial/tissue_positions_list.csv",
        "A-1,1,0,0,1,1\nC-1,0,0,0,2,2\nG-1,1,0,0,3,3\nT-1,1,0,0,4,4\n");

  const Expression expression = read("v");

  EXPECT_EQ(expression.cells, (Names{"A-1", "G-1", "T-1"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{1, 0, 2}, {3, 4, 0}, {0, 5, 6}}));
}

TEST_F(InstrumentTest, RefusesVisiumWithoutPositions) {
  folder("v/spatial");
  tenx("v/filtered_feature_bc_matrix.h5");
  expect_refused("v", {"spatial", "neither tissue_positions.csv"});
  write("v/spatial/tissue_positions_list.csv", "A-1,1,0,0,1,1\nC-1,1,0,0,2,2\n");
  expect_refused("v", {"2 of 4 cells have no row", "G-1, T-1"});
  write("v/spatial/tissue_positions_list.csv", "A-1,1,0\n");
  expect_refused("v", {"has 3 columns, need 6"});
  write("v/spatial/tissue_positions_list.csv", "A-1,1,0,0,1,x\n");
  expect_refused("v", {"line 1, column 6", "'x'"});
}

TEST_F(InstrumentTest, TakesVisiumHdPositionsFromTheBarcodes) {
  const Names squares = {"s_008um_00012_00345-1", "s_008um_00000_00001-1", "s_008um_00002_00000-1",
                         "s_008um_00100_00100-1"};
  folder("hd/binned_outputs/square_008um/spatial");
  folder("hd/binned_outputs/square_016um");
  tenx("hd/binned_outputs/square_008um/filtered_feature_bc_matrix.h5", squares);

  const Expression expression = read("hd");

  EXPECT_EQ(expression.format, "Visium HD folder, square_008um");
  EXPECT_EQ(expression.coordinates(0, 0), 345);
  EXPECT_EQ(expression.coordinates(0, 1), 12);
  EXPECT_EQ(expression.coordinates(2, 1), 2);
  expect_refused("hd", {"square_004um", "square_008um, square_016um"}, {.bin_size = 4});
}

TEST_F(InstrumentTest, JoinsXeniumCellsByName) {
  folder("x");
  tenx("x/cell_feature_matrix.h5", kSpots,
       {"Gene Expression", "Gene Expression", "Negative Control Probe"});
  expect_refused("x", {"cells.csv.gz"});
  write("x/cells.csv",
        "cell_id,x_centroid,y_centroid,cell_area\nT-1,4,40,9\nC-1,2,20,9\nA-1,1,10,9\n"
        "G-1,3,30,9\n");

  const Expression expression = read("x");

  EXPECT_EQ(expression.genes, (Names{"Actb", "Gapdh"}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(expression.coordinates(i, 1), 10 * (i + 1));
  EXPECT_EQ(expression.files.size(), 2u);
}

TEST_F(InstrumentTest, ReadsSlideSeqPairs) {
  folder("s");
  write("s/Puck_1.MappedDGEForR.csv",
        "GENE,A-1,C-1,G-1,T-1\nActb,1,0,3,0\nGapdh,0,0,4,5\nTp53,2,0,0,6\n");
  write("s/Puck_1.BeadLocationsForR.csv",
        "barcodes,xcoord,ycoord\nC-1,2,20\nA-1,1,10\nG-1,3,30\nT-1,4,40\n");

  const Expression expression = read("s");

  EXPECT_EQ(test::dense_rows(expression.values), kCounts);
  EXPECT_EQ(expression.genes, kGenes);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(expression.coordinates(i, 0), i + 1);

  write("s/Puck_2.MappedDGEForR.csv", "GENE,A-1\nActb,1\n");
  expect_refused("s", {"several samples", "Puck_1", "Puck_2"});
}

TEST_F(InstrumentTest, RefusesFoldersItDoesNotKnow) {
  folder("e");
  expect_refused("e", {"it holds: nothing"});
  write("e/readme.txt", "x");
  expect_refused("e", {"it holds: readme.txt", "MatrixMarket"});
  write("e/.zattrs", "{}");
  expect_refused("e", {"zarr", "write_h5ad"});
}

struct Place {
  std::int32_t x, y;
  std::uint8_t count;
};

struct GefGene {
  char name[16];
  std::uint32_t offset, count;
};

// A dataset of records with these fields.
struct Field {
  const char* name;
  std::size_t offset;
  Hdf5Id type;
};

template <class Record>
void records(Hdf5File& file, const std::string& path, const std::vector<Record>& values,
             std::initializer_list<Field> fields) {
  const Hdf5Handle type(H5Tcreate(H5T_COMPOUND, sizeof(Record)));
  for (const Field& field : fields) {
    ASSERT_GE(H5Tinsert(type.id(), field.name, field.offset, field.type), 0);
  }
  const hsize_t size = values.size();
  const Hdf5Handle space(H5Screate_simple(1, &size, nullptr));
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.id(), 1);
  const Hdf5Handle made(H5Dcreate2(file.id(), path.c_str(), type.id(), space.id(), links.id(),
                                   H5P_DEFAULT, H5P_DEFAULT));
  ASSERT_GE(H5Dwrite(made.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
}

void write_gef(const std::string& path, std::uint32_t second_offset) {
  Hdf5File file(path);
  const Hdf5Handle name(H5Tcopy(H5T_C_S1));
  H5Tset_size(name.id(), 16);
  records<Place>(file, "/geneExp/bin1/expression", {{0, 0, 1}, {9, 9, 2}, {10, 0, 3}, {5, 5, 4}},
                 {{"x", offsetof(Place, x), H5T_NATIVE_INT32},
                  {"y", offsetof(Place, y), H5T_NATIVE_INT32},
                  {"count", offsetof(Place, count), H5T_NATIVE_UINT8}});
  records<GefGene>(file, "/geneExp/bin1/gene", {{"Actb", 0, 3}, {"Gapdh", second_offset, 1}},
                   {{"gene", offsetof(GefGene, name), name.id()},
                    {"offset", offsetof(GefGene, offset), H5T_NATIVE_UINT32},
                    {"count", offsetof(GefGene, count), H5T_NATIVE_UINT32}});
}

TEST_F(InstrumentTest, GathersGefIntoSquares) {
  write_gef(folder_.path("a.gef"), 3);

  const Expression expression = read("a.gef", {.bin_size = 10});

  EXPECT_EQ(expression.format, "Stereo-seq GEF");
  EXPECT_EQ(expression.genes, (Names{"Actb", "Gapdh"}));
  EXPECT_EQ(expression.cells, (Names{"0_0", "10_0"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{3, 4}, {3, 0}}));
  write_gef(folder_.path("b.gef"), 2);
  expect_refused("b.gef", {"gene 1 does not begin where"}, {.bin_size = 10});
}

TEST_F(InstrumentTest, ReadsCellGef) {
  struct Cell {
    std::uint32_t id;
    std::int32_t x, y;
    std::uint32_t offset;
    std::uint16_t genes;
  };
  struct Count {
    std::uint32_t gene;
    std::uint16_t count;
  };
  struct Gene {
    char name[8];
  };
  const auto write_cells = [&](const std::string& path, std::uint32_t gene) {
    Hdf5File file(path);
    const Hdf5Handle name(H5Tcopy(H5T_C_S1));
    H5Tset_size(name.id(), 8);
    records<Cell>(file, "/cellBin/cell", {{7, 1, 10, 0, 2}, {9, 2, 20, 2, 1}},
                  {{"id", offsetof(Cell, id), H5T_NATIVE_UINT32},
                   {"x", offsetof(Cell, x), H5T_NATIVE_INT32},
                   {"y", offsetof(Cell, y), H5T_NATIVE_INT32},
                   {"offset", offsetof(Cell, offset), H5T_NATIVE_UINT32},
                   {"geneCount", offsetof(Cell, genes), H5T_NATIVE_UINT16}});
    records<Count>(file, "/cellBin/cellExp", {{0, 5}, {gene, 6}, {0, 7}},
                   {{"geneID", offsetof(Count, gene), H5T_NATIVE_UINT32},
                    {"count", offsetof(Count, count), H5T_NATIVE_UINT16}});
    records<Gene>(file, "/cellBin/gene", {{"Actb"}, {"Gapdh"}}, {{"gene", 0, name.id()}});
  };
  write_cells(folder_.path("a.gef"), 1);

  const Expression expression = read("a.gef");

  EXPECT_EQ(expression.cells, (Names{"7", "9"}));
  EXPECT_EQ(test::dense_rows(expression.values), (Rows{{5, 6}, {7, 0}}));
  EXPECT_EQ(expression.coordinates(1, 1), 20);
  write_cells(folder_.path("b.gef"), 2);
  expect_refused("b.gef", {"names gene 2 of 2"});
}

}  // namespace
}  // namespace m2st::data
