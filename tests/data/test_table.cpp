// Text tables as people write them: any delimiter, header or none, quotes, byte order marks, gzip;
// and errors that name the line.

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "data/io/npy.h"
#include "data/io/table.h"
#include "engine/random.h"
#include "tests/data/npy_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using Strings = std::vector<std::string>;

class TableTest : public ::testing::Test {
 protected:
  // Coordinates read back as one row after the other.
  std::vector<double> coordinates(const std::string& text, Strings* cells = nullptr) {
    const CoordinateTable table = read_coordinates(context_, folder_.write("c.csv", text));
    if (cells != nullptr) *cells = table.cells;
    return {table.coordinates.span().begin(), table.coordinates.span().end()};
  }
  LabelTable labels(const std::string& text, const std::string& column = "") {
    return read_labels(context_, folder_.write("l.csv", text), column);
  }
  void expect_bad_coordinates(const std::string& text, std::initializer_list<std::string> words) {
    const std::string path = folder_.write("c.csv", text);
    expect_error(ExitCode::kInputInvalid, words, [&] { read_coordinates(context_, path); });
  }

  CpuContext context_{1};
  test::TemporaryFolder folder_;
};

const std::vector<double> kWant{1, 2, 3.5, -4e2};
const Strings kCells{"A-1", "B-1"};

TEST_F(TableTest, ReadsCoordinatesOfAnyDelimiterAndLineEnd) {
  EXPECT_EQ(coordinates("1,2\n3.5,-4e2\n"), kWant);
  EXPECT_EQ(coordinates("1;2\r\n3.5;-4e2\r\n"), kWant);
  EXPECT_EQ(coordinates("1\t2\n3.5\t-4e2"), kWant);
  EXPECT_EQ(coordinates("  1   2\n+3.5 \t -400 \n\n\n"), kWant);
  EXPECT_EQ(coordinates("1 , 2\r3.5 , -4e2\r"), kWant);
  EXPECT_EQ(coordinates("# from numpy.savetxt\n1 2\n\n3.5 -4e2\n"), kWant);
}

TEST_F(TableTest, FindsCoordinatesByTheirNames) {
  Strings cells;

  EXPECT_EQ(coordinates("\xef\xbb\xbf"
                        "barcode,x,y\nA-1,1,2\nB-1,3.5,-400\n",
                        &cells),
            kWant);
  EXPECT_EQ(cells, kCells);
  EXPECT_EQ(coordinates("area,Y,X,cell\n9,2,1,a\n9,-400,3.5,b\n", &cells), kWant);
  EXPECT_TRUE(cells.empty());
  EXPECT_EQ(coordinates("barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,"
                        "pxl_col_in_fullres\nA-1,1,0,0,2,1\nB-1,1,0,2,-400,3.5\n",
                        &cells),
            kWant);
  EXPECT_EQ(cells, kCells);
  EXPECT_EQ(coordinates("cell_id,x_centroid,y_centroid\n1,1,2\n2,3.5,-400\n", &cells), kWant);
  EXPECT_EQ(cells, (Strings{"1", "2"}));
}

TEST_F(TableTest, FindsCoordinatesByTheirPlace) {
  Strings cells;

  EXPECT_EQ(coordinates("A-1,1,2\nB-1,3.5,-400\n", &cells), kWant);
  EXPECT_EQ(cells, kCells);
  EXPECT_EQ(coordinates(",0,1\nA-1,1,2\nB-1,3.5,-400\n", &cells), kWant);
  EXPECT_EQ(cells, kCells);
  // Space Ranger's list without a header: pixel column and pixel row are the last two.
  EXPECT_EQ(coordinates("A-1,1,0,16,2,1\nB-1,0,50,102,-400,3.5\n", &cells), kWant);
  EXPECT_EQ(cells, kCells);
  EXPECT_EQ(coordinates("row,column\n1,2\n3.5,-400\n", &cells), kWant);
  EXPECT_TRUE(cells.empty());
  EXPECT_EQ(coordinates("0,5,6\n1,7,8\n2,9,10\n", &cells),
            (std::vector<double>{5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(cells, (Strings{"0", "1", "2"}));
  EXPECT_EQ(coordinates("7,5,6\n1,7,8\n", &cells), (std::vector<double>{7, 5, 6, 1, 7, 8}));
  EXPECT_TRUE(cells.empty());
}

TEST_F(TableTest, UndoesQuotes) {
  Strings cells;

  EXPECT_EQ(coordinates("\"cell\";\"x\";\"y\"\n\"A;\"\"1\"\"\"; 1 ;\"2\"\nB-1;3.5;-400\n", &cells),
            kWant);
  EXPECT_EQ(cells, (Strings{"A;\"1\"", "B-1"}));
  EXPECT_EQ(coordinates("\"x\" \"y\"\n\"A-1\" 1 2\n\"B-1\" 3.5 -400\n", &cells), kWant);
  EXPECT_EQ(cells, kCells);
}

TEST_F(TableTest, ErrorsNameTheLineAndTheValue) {
  expect_bad_coordinates("x,y\n1,2\nNA,4\n", {"line 3", "column 1", "'NA'", "missing"});
  expect_bad_coordinates("1,2\n3,\n", {"line 2", "column 2", "missing"});
  expect_bad_coordinates("NA,2\n3,4\n", {"line 1", "'NA'"});
  expect_bad_coordinates("x,y\n1,2\n\n3,abc\n", {"line 4", "'abc'", "not a number"});
  expect_bad_coordinates("1.0,abc\n3,4\n", {"line 1", "'abc'"});
  expect_bad_coordinates("1,2\n3,inf\n", {"line 2", "'inf'"});
  expect_bad_coordinates("1,2\n3,1e999\n", {"line 2", "'1e999'"});
  expect_bad_coordinates("1,5;2,5\n3,5;4,5\n", {"line 1", "'1,5'", "point"});
  expect_bad_coordinates("1,2\n3\n", {"line 2", "1 field", "need 2"});
  expect_bad_coordinates("1,2\n3,4,5\n", {"line 2", "3 fields", "need 2"});
  expect_bad_coordinates("c,\"1,2\nd,3,4\n", {"line 1", "quote"});
  expect_bad_coordinates("c,\"1\"2,2\n", {"line 1", "quote"});
}

TEST_F(TableTest, RefusesWhatIsNoTableOfCoordinates) {
  expect_bad_coordinates("", {"is empty"});
  expect_bad_coordinates("\n \n", {"no rows"});
  expect_bad_coordinates("x,y\n", {"no cells"});
  expect_bad_coordinates("5\n6\n", {"1 column"});
  expect_bad_coordinates("a,b,c,d,e\n1,2,3,4,5\n", {"5 columns", "name"});
  expect_bad_coordinates("\x89HDF\r\n\x1a\n and more", {"HDF5"});
  expect_bad_coordinates("PK\x03\x04 and more", {"zip"});
  expect_bad_coordinates(
      "\xff\xfe"
      "1 2 3",
      {"UTF-16"});
  expect_bad_coordinates(std::string("1,2\0\n", 5), {"zero bytes"});
  expect_bad_coordinates(test::npy_file("<f8", false, "(2,)", test::raw_bytes<double>({1, 2})),
                         {"2 by 1"});
  expect_error(ExitCode::kInputMissing, {"none.csv"},
               [&] { read_coordinates(context_, folder_.path("none.csv")); });
  expect_error(ExitCode::kInputMissing, {"folder"},
               [&] { read_labels(context_, folder_.path(""), ""); });
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string bytes(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

TEST_F(TableTest, ReadsGzipAndNoticesDamage) {
  const std::string whole = gzipped("x,y\n1,2\n3.5,-400\n");

  EXPECT_EQ(coordinates(whole), kWant);
  for (std::size_t size = 2; size < whole.size(); size += 3) {
    expect_bad_coordinates(whole.substr(0, size), {"c.csv"});
  }
  std::string wrong_sum = whole;
  wrong_sum[whole.size() - 6] ^= 1;
  expect_bad_coordinates(wrong_sum, {"damaged"});
}

TEST_F(TableTest, ReadsOneLabelALine) {
  EXPECT_EQ(labels("L1\nL2/3\n\nLayer 4\n").labels, (Strings{"L1", "L2/3", "", "Layer 4"}));
  EXPECT_EQ(labels("\nL1\r\n#2\r\n").labels, (Strings{"", "L1", "#2"}));
  EXPECT_EQ(labels("domain\n3\n1\nNA\n").labels, (Strings{"3", "1", "NA"}));
  EXPECT_EQ(labels("truth\nA\nB\n", "truth").labels, (Strings{"A", "B"}));
  EXPECT_EQ(labels("2\n1\n").labels, (Strings{"2", "1"}));
  EXPECT_TRUE(labels("2\n1\n").cells.empty());
}

TEST_F(TableTest, ReadsLabelColumns) {
  const std::string text = "cell,domain,confidence\nA-1,0,0.5\n\nB-1,3,0.25\n";

  EXPECT_EQ(labels(text).labels, (Strings{"0", "3"}));
  EXPECT_EQ(labels(text).cells, kCells);
  EXPECT_EQ(labels(text, "confidence").labels, (Strings{"0.5", "0.25"}));
  EXPECT_EQ(labels("A-1\t4\nB-1\t5\n").labels, (Strings{"4", "5"}));
  EXPECT_EQ(labels("\tlayer\nA-1\tWM\nB-1\t\n").labels, (Strings{"WM", ""}));
  expect_error(ExitCode::kInputInvalid, {"'truth'", "'cell', 'domain', 'confidence'"},
               [&] { labels(text, "truth"); });
  expect_error(ExitCode::kInputInvalid, {"no cells"}, [&] { labels("cell,domain\n"); });
}

TEST_F(TableTest, ReadsLabelsFromNpy) {
  const std::vector<std::int64_t> codes{4, -1, 4};

  EXPECT_EQ(labels(npy_bytes<std::int64_t>({codes.data(), 3, 1}, true)).labels,
            (Strings{"4", "-1", "4"}));
  expect_error(ExitCode::kInputInvalid, {"1 by 3"}, [&] {
    labels(npy_bytes<std::int64_t>({codes.data(), 1, 3}));
  });
}

TEST_F(TableTest, CodesFollowFirstAppearance) {
  EXPECT_EQ(label_codes({"b", "a", "NA", "b", "", "nan", "c", "None"}),
            (std::vector<std::int32_t>{0, 1, -1, 0, -1, -1, 2, -1}));
}

// Any damage gives either a table or an error of code 4, never anything else.
TEST_F(TableTest, FlippedAndCutTextNeverCrashes) {
  const std::string whole = "\"cell\",x,y\n\"A\"\"1\",1.5,-2e3\nB,3,4\nC,5,NA\n";
  const RandomKey key{2, stream_of(Purpose::kTest, 0), 0};
  int refused = 0, accepted = 0;

  for (std::uint32_t trial = 0; trial < 600; ++trial) {
    std::string text = trial % 2 == 0 ? whole : gzipped(whole);
    if (trial % 5 == 0) {
      text.resize(random_index(key, static_cast<std::uint32_t>(text.size()), trial, 0));
    }
    for (std::uint32_t flip = 1; flip <= 2 && !text.empty(); ++flip) {
      const auto size = static_cast<std::uint32_t>(text.size());
      const std::uint32_t where = random_index(key, size, trial, 2 * flip);
      text[where] = static_cast<char>(random_index(key, 256, trial, 2 * flip + 1));
    }
    const std::string path = folder_.write("t.csv", text);
    for (const bool as_labels : {false, true}) {
      try {
        if (as_labels) {
          read_labels(context_, path, "");
        } else {
          read_coordinates(context_, path);
        }
        ++accepted;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ExitCode::kInputInvalid) << trial << ": " << error.what();
        ++refused;
      }
    }
  }

  EXPECT_GT(refused, 100);
  EXPECT_GT(accepted, 100);
}

TEST_F(TableTest, ReadsTheSharedLabels) {
  M2ST_NEEDS_SHARED("data/breast_m2st/labels.txt");
  const LabelTable truth =
      read_labels(context_, test::shared_path("data/breast_m2st/labels.txt"), "");

  const std::vector<std::int32_t> codes = label_codes(truth.labels);

  EXPECT_EQ(codes.size(), 3798u);
  EXPECT_EQ(*std::max_element(codes.begin(), codes.end()), 19);
  EXPECT_EQ(*std::min_element(codes.begin(), codes.end()), 0);
}

}  // namespace
}  // namespace m2st::data
