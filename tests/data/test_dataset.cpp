// A dataset is checked as a whole: lengths, emptiness, finiteness, with the first cells named.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "data/io/dataset.h"
#include "data/io/npy.h"
#include "data/io/output.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using Strings = std::vector<std::string>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

class DatasetTest : public ::testing::Test {
 protected:
  std::string features(const std::vector<float>& values, std::int64_t cols) {
    const auto rows = static_cast<std::int64_t>(values.size()) / cols;
    return folder_.write("f.npy", npy_bytes<float>({values.data(), rows, cols}));
  }
  void expect_invalid(const std::string& f, const std::string& c,
                      std::initializer_list<std::string> words) {
    expect_error(ExitCode::kInputInvalid, words, [&] { read_dataset(context_, f, c); });
  }

  CpuContext context_{2};
  test::TemporaryFolder folder_;
};

TEST_F(DatasetTest, HoldsBothFilesAndTheirHashes) {
  const std::string f = features({1, 1, 1, 1}, 2);
  const std::string named = folder_.write("n.csv", "cell,x,y\nA,1,2\nB,3,4\n");
  const std::string bare = folder_.write("b.csv", "1,2\n3,4\n");

  const Dataset dataset = read_dataset(context_, f, named);

  EXPECT_EQ(dataset.size(), 2);
  EXPECT_EQ(dataset.cells, (Strings{"A", "B"}));
  EXPECT_EQ(dataset.coordinates(1, 0), 3);
  EXPECT_EQ(dataset.features_hash, file_hash(f));
  EXPECT_EQ(dataset.coordinates_hash, file_hash(named));
  EXPECT_EQ(read_dataset(context_, f, bare).cells, (Strings{"0", "1"}));
}

TEST_F(DatasetTest, LengthsMustAgree) {
  expect_invalid(features({1, 2, 3}, 1), folder_.write("c.csv", "1,2\n3,4\n"),
                 {"2 cells", "3", "same order"});
}

TEST_F(DatasetTest, NamesTheFirstValuesThatAreNotFinite) {
  const std::string c = folder_.write("c.csv", "1,2\n3,4\n5,6\n");
  const std::vector<double> bad{1, 2, 3, kInf, 5, 6};

  expect_invalid(features({1, kNan, 3, 4, -kInf, 6}, 2), c,
                 {"f.npy", "2 values", "cell 0 column 1 is nan", "cell 2 column 0 is -inf"});
  expect_invalid(features({kNan, kNan, kNan, kNan, kNan, kNan}, 2), c,
                 {"6 values", "cell 2 column 0", "..."});
  expect_invalid(features({1, 2, 3}, 1),
                 folder_.write("c.npy", npy_bytes<double>({bad.data(), 3, 2})),
                 {"c.npy", "1 value is", "cell 1 column 1 is inf"});
}

TEST_F(DatasetTest, NoCellsOrColumnsAreRefused) {
  const std::string c = folder_.write("c.csv", "1,2\n");

  expect_invalid(folder_.write("e.npy", npy_bytes<float>({nullptr, 0, 4})), c, {"0 cells"});
  expect_invalid(folder_.write("e.npy", npy_bytes<float>({nullptr, 1, 0})), c, {"0 columns"});
}

TEST_F(DatasetTest, ReadsTheSharedSets) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  for (const std::string name : {"starmap_m2st", "breast_m2st", "dlpfc_151672"}) {
    const std::string folder = test::shared_path("data/" + name);

    const Dataset dataset =
        read_dataset(context_, folder + "/features.npy", folder + "/coords.npy");

    EXPECT_EQ(dataset.coordinates.rows(), dataset.size());
    EXPECT_EQ(dataset.cells.back(), std::to_string(dataset.size() - 1));
  }
}

}  // namespace
}  // namespace m2st::data
