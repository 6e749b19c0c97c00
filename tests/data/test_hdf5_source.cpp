// HDF5 through a process of its own: every kind of value comes back as it was written, and what
// cannot be read ends in an error with its exit code.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "data/io/hdf5_source.h"
#include "tests/support/expect_error.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::Hdf5File;
using test::Packing;

class Hdf5SourceTest : public ::testing::Test {
 protected:
  test::TemporaryFolder folder_;
  std::string path_ = folder_.path("a.h5");
};

TEST_F(Hdf5SourceTest, ReadsNumbersOfEveryTypeAndPacking) {
  const std::vector<double> want{0, 1, 2, 3, 4, 100};
  {
    Hdf5File file(path_);
    file.numbers<float>("/float", {3, 2}, {0, 1, 2, 3, 4, 100});
    file.numbers<std::uint8_t>("/byte", {6}, {0, 1, 2, 3, 4, 100}, {.packing = Packing::kGzip});
    file.numbers<std::int64_t>("/long", {6}, {0, 1, 2, 3, 4, 100}, {.packing = Packing::kLzf});
    file.numbers<double>("/big_endian", {6}, want, {.type = H5T_IEEE_F32BE});
    file.numbers<std::int32_t>("/big_endian_integer", {2, 3}, {0, 1, 2, 3, 4, 100},
                               {.type = H5T_STD_U16BE, .chunk = {1, 2}});
    file.numbers<float>("/half_like", {1, 6}, {0, 1, 2, 3, 4, 100}, {.chunk = {1, 1}});
    file.booleans("/bool", {0, 1, 1});
    file.numbers<std::int32_t>("/scalar", {}, {7});
    file.numbers<float>("/empty", {0, 5}, {});
  }

  Hdf5Source source(path_);

  for (const char* name :
       {"/float", "/byte", "/long", "/big_endian", "/big_endian_integer", "/half_like"}) {
    EXPECT_EQ(source.numbers<double>(name), want) << name;
  }
  EXPECT_EQ(source.numbers<std::int64_t>("/long"), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 100}));
  EXPECT_EQ(source.numbers<std::int64_t>("/bool"), (std::vector<std::int64_t>{0, 1, 1}));
  EXPECT_EQ(source.numbers<double>("/scalar"), (std::vector<double>{7}));
  EXPECT_TRUE(source.numbers<double>("/empty").empty());
}

TEST_F(Hdf5SourceTest, ReadsLongDatasetsInPieces) {
  constexpr std::int64_t kCount = 3'000'001;  // several pieces, the last one short
  std::vector<std::int32_t> values(kCount);
  std::iota(values.begin(), values.end(), 0);
  {
    Hdf5File file(path_);
    file.numbers("/plain", {kCount}, values);
    file.numbers("/packed", {kCount}, values, {.packing = Packing::kLzf, .chunk = {70'000}});
    file.numbers("/one_chunk", {kCount}, values, {.packing = Packing::kGzip});
  }

  Hdf5Source source(path_);

  for (const char* name : {"/plain", "/packed", "/one_chunk"}) {
    std::int64_t next = 0, pieces = 0;
    source.for_each_piece<std::int64_t>(name, "",
                                        [&](std::int64_t first, Span<const std::int64_t> x) {
                                          ASSERT_EQ(first, next);
                                          for (const std::int64_t value : x)
                                            ASSERT_EQ(value, next++);
                                          ++pieces;
                                        });
    EXPECT_EQ(next, kCount);
    EXPECT_GT(pieces, 1);
  }
}

TEST_F(Hdf5SourceTest, ReadsTextsOfFixedAndVariableLength) {
  const std::vector<std::string> want{"a", "", "gene µ", "long enough"};
  {
    Hdf5File file(path_);
    file.texts("/variable", want);
    file.texts("/fixed", want, 12);
    file.attribute("/fixed", "note", "one");
    file.attribute("/fixed", "notes", want);
    file.attribute_numbers<std::int64_t>("/fixed", "shape", {3, 4});
  }

  Hdf5Source source(path_);

  EXPECT_EQ(source.texts("/variable"), want);
  EXPECT_EQ(source.texts("/fixed"), want);
  const Hdf5Object& object = source.object("/fixed");
  EXPECT_EQ(object.text("note"), "one");
  EXPECT_EQ(object.attribute("notes")->texts, want);
  EXPECT_EQ(object.attribute("shape")->numbers, (std::vector<double>{3, 4}));
}

TEST_F(Hdf5SourceTest, DescribesGroupsReferencesAndWhatIsAbsent) {
  {
    Hdf5File file(path_);
    file.group("/uns");
    file.texts("/obs/__categories/kind", {"x", "y"});
    file.numbers<std::int8_t>("/obs/kind", {3}, {0, 1, -1});
    file.attribute_reference("/obs/kind", "categories", "/obs/__categories/kind");
    H5Lcreate_external("other.h5", "/X", file.id(), "/elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file.id(), "/dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/obs", file.id(), "/again", H5P_DEFAULT, H5P_DEFAULT);
  }

  Hdf5Source source(path_);

  EXPECT_EQ(source.object("/").children,
            (std::vector<std::string>{"again", "dangling", "elsewhere", "obs", "uns"}));
  EXPECT_TRUE(source.object("/uns").is_group());
  EXPECT_EQ(source.object("/none").kind, Hdf5Kind::kAbsent);
  EXPECT_EQ(source.object("/uns/a/b").kind, Hdf5Kind::kAbsent);
  EXPECT_EQ(source.object("/obs/kind").text("categories"), "/obs/__categories/kind");
  EXPECT_TRUE(source.object("/again/kind").is_dataset());
  EXPECT_NE(source.object("/elsewhere").obstacle.find("not followed"), std::string::npos);
  EXPECT_NE(source.object("/dangling").obstacle.find("nowhere"), std::string::npos);
}

TEST_F(Hdf5SourceTest, RefusesAFilterItDoesNotHave) {
  {
    Hdf5File file(path_);
    const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t sides[] = {4};
    H5Pset_chunk(properties.id(), 1, sides);
    // Optional, so that the library writes the values without it.
    H5Pset_filter(properties.id(), 32015, H5Z_FLAG_OPTIONAL, 0, nullptr);
    const Hdf5Handle space(H5Screate_simple(1, sides, nullptr));
    const Hdf5Handle made(H5Dcreate2(file.id(), "/X", H5T_NATIVE_INT, space.id(), H5P_DEFAULT,
                                     properties.id(), H5P_DEFAULT));
    EXPECT_TRUE(made.valid());
  }

  Hdf5Source source(path_);

  expect_error(ExitCode::kInputInvalid, {path_, "/X", "32015", "zstd", "compression='gzip'"},
               [&] { source.numbers<double>("/X"); });
}

TEST_F(Hdf5SourceTest, RefusesWhatIsNoHdf5OrMissingOrInUse) {
  expect_error(ExitCode::kInputMissing, {"cannot be read"},
               [&] { Hdf5Source source(folder_.path("none.h5ad")); });
  expect_error(ExitCode::kInputMissing, {"folder"}, [&] { Hdf5Source source(folder_.path("")); });
  expect_error(ExitCode::kInputInvalid, {"empty"},
               [&] { Hdf5Source source(folder_.write("e.h5ad", "")); });
  expect_error(ExitCode::kInputInvalid, {"damaged"},
               [&] { Hdf5Source source(folder_.write("t.h5ad", "cell,x,y\n")); });
  { Hdf5File file(path_); }
  const int held = ::open(path_.c_str(), O_RDWR);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  expect_error(ExitCode::kInputMissing, {"open for writing"}, [&] { Hdf5Source source(path_); });
  ::close(held);
}

TEST_F(Hdf5SourceTest, RefusesTruncatedFilesWithASentence) {
  {
    Hdf5File file(path_);
    file.numbers<float>("/X", {1000}, std::vector<float>(1000, 1));
  }
  const auto whole = std::filesystem::file_size(path_);
  std::filesystem::resize_file(path_, whole / 2);

  expect_error(ExitCode::kInputInvalid, {path_, "cut short"}, [&] { Hdf5Source source(path_); });
}

}  // namespace
}  // namespace m2st::data
