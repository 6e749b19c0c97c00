// Every way in which an .h5ad file can be wrong has its exit code and a message that says what and
// where.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include "data/io/read_expression.h"
#include "tests/data/h5ad_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::H5adFile;
using test::Hdf5File;

class H5adErrorTest : public ::testing::Test {
 protected:
  // A file with both frames, and what `write` adds, is refused with these words and its path.
  void expect_refused(std::initializer_list<std::string> words,
                      const std::function<void(H5adFile&)>& write,
                      const ReadOptions& options = {}) {
    {
      H5adFile file(path_);
      file.frames();
      write(file);
    }
    expect_error(ExitCode::kInputInvalid, words,
                 [&] { read_expression(context_, path_, options); });
    expect_error(ExitCode::kInputInvalid, {path_},
                 [&] { read_expression(context_, path_, options); });
  }
  // X of rows with these lists.
  static std::function<void(H5adFile&)> rows(std::vector<std::int64_t> offsets,
                                             std::vector<std::int64_t> indices,
                                             std::vector<double> values) {
    return [=](H5adFile& file) {
      file.numbers<double>("/X/data", {values.size()}, values);
      file.numbers<std::int64_t>("/X/indices", {indices.size()}, indices);
      file.numbers<std::int64_t>("/X/indptr", {offsets.size()}, offsets);
      file.shaped("/X", "csr_matrix");
    };
  }

  CpuContext context_{1};
  test::TemporaryFolder folder_;
  std::string path_ = folder_.path("a.h5ad");
};

TEST_F(H5adErrorTest, WithoutAMatrix) {
  expect_refused({"has no X", "layers present: counts", "--layer"},
                 [](H5adFile& f) { f.rows("/layers/counts"); });
  expect_refused({"has no X", "layers present: none"}, [](H5adFile&) {});
  expect_refused({"has no raw/X"}, [](H5adFile& f) { f.rows("/X"); }, {.use_raw = true});
  expect_refused({"/X", "no matrix"}, [](H5adFile& f) { f.group("/X"); });
  expect_refused({"/X", "'coo_matrix'"}, [](H5adFile& f) {
    f.group("/X");
    f.encoded("/X", "coo_matrix", "0.1.0");
  });
}

TEST_F(H5adErrorTest, WithBrokenOffsetsOrIndices) {
  const std::vector<std::int64_t> offsets{0, 2, 2, 4, 6}, indices{0, 2, 0, 1, 1, 2};
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  expect_refused({"/X/indices", "holds 3 at entry 1", "need 0 to 2"},
                 rows(offsets, {0, 3, 0, 1, 1, 2}, values));
  expect_refused({"/X/indices", "holds -1"}, rows(offsets, {0, 2, -1, 1, 1, 2}, values));
  expect_refused({"/X/indptr", "falls from 4 to 2"}, rows({0, 4, 2, 4, 6}, indices, values));
  expect_refused({"/X/indptr", "has 4 entries, need 5"}, rows({0, 2, 4, 6}, indices, values));
  expect_refused({"/X/indptr", "ends with 5", "6 values"}, rows({0, 2, 2, 4, 5}, indices, values));
  expect_refused({"/X/indptr", "begins with 1"}, rows({1, 2, 2, 4, 6}, indices, values));
  expect_refused({"/X/indices", "5 entries", "6 values"}, rows(offsets, {0, 2, 0, 1, 1}, values));
  expect_refused({"/X/indptr", "missing"}, [](H5adFile& f) {
    f.numbers<float>("/X/data", {1}, {1});
    f.shaped("/X", "csr_matrix");
  });
  expect_refused({"/X/indices", "no whole numbers"}, [](H5adFile& f) {
    f.numbers<float>("/X/data", {1}, {1});
    f.numbers<float>("/X/indices", {1}, {1});
    f.numbers<std::int32_t>("/X/indptr", {5}, {0, 1, 1, 1, 1});
    f.shaped("/X", "csr_matrix");
  });
}

// Lists of more than 2^31 entries are counted in 64 bits: nothing is taken for what its lower half
// says.
TEST_F(H5adErrorTest, WithNumbersBeyond32Bits) {
  constexpr std::int64_t kBeyond = std::int64_t{1} << 32;
  const std::vector<std::int64_t> offsets{0, 2, 2, 4, 6}, indices{0, 2, 0, 1, 1, 2};
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  expect_refused({"/X/indptr", "ends with 4294967302", "6 values"},
                 rows({0, 2, 2, 4, kBeyond + 6}, indices, values));
  expect_refused({"/X/indptr", "falls from 4294967298 to 2"},
                 rows({0, kBeyond + 2, 2, 4, 6}, indices, values));
  expect_refused({"/X/indices", "holds 4294967298 at entry 1"},
                 rows(offsets, {0, kBeyond + 2, 0, 1, 1, 2}, values));
}

TEST_F(H5adErrorTest, WithShapesThatDisagree) {
  expect_refused({"/X is 5 by 3", "4 cells and 3 genes"}, [](H5adFile& f) {
    f.numbers<float>("/X", {5, 3}, std::vector<float>(15, 1));
  });
  expect_refused({"/X is 4 by 7"}, [](H5adFile& f) {
    f.rows("/layers/x");
    f.group("/X");
    f.shaped("/X", "csr_matrix", {4, 7});
  });
  expect_refused({"3 dimensions"}, [](H5adFile& f) {
    f.numbers<float>("/X", {4, 3, 1}, std::vector<float>(12, 1));
  });
  expect_refused({"obsm/spatial has 3 rows", "4 cells"}, [](H5adFile& f) {
    f.rows("/X");
    f.numbers<double>("/obsm/spatial", {3, 2}, {1, 2, 3, 4, 5, 6});
  });
  expect_refused({"obsm/spatial has 1 column", "x and y"}, [](H5adFile& f) {
    f.rows("/X");
    f.numbers<double>("/obsm/spatial", {4, 1}, {1, 2, 3, 4});
  });
  expect_refused({"obs/note has 2 values"},
                 [](H5adFile& f) {
                   f.rows("/X");
                   f.texts("/obs/note", {"a", "b"});
                 },
                 {.truth_key = "note"});
}

TEST_F(H5adErrorTest, WithValuesThatAreNoneOrTooLarge) {
  const double nan = std::nan("");
  expect_refused(
      {"2 values are not finite", "cell AAA-1 gene Tp53 is nan", "cell TTT-1 gene Gapdh is inf"},
      rows({0, 2, 2, 4, 6}, {0, 2, 0, 1, 1, 2},
           {1, nan, 3, 4, std::numeric_limits<double>::infinity(), 6}));
  expect_refused({"16777217", "2^24"}, rows({0, 1, 1, 1, 1}, {0}, {16777217}));
  expect_refused({"positions", "not finite", "CCC-1"}, [nan](H5adFile& f) {
    f.rows("/X");
    f.numbers<double>("/obsm/spatial", {4, 2}, {0, 1, nan, 3, 4, 5, 6, 7});
  });
  expect_refused({"features", "not finite", "GGG-1"},
                 [nan](H5adFile& f) {
                   f.numbers<double>("/obsm/X_pca", {4, 1}, {0, 1, nan, 3});
                 },
                 {.use_representation = "X_pca"});
}

TEST_F(H5adErrorTest, WithNamesThatRepeatOrAreMissing) {
  {
    H5adFile file(path_);
    file.frame("/obs", {"A", "B", "A", "A"});
    file.frame("/var", test::kGenes);
    file.rows("/X");
  }
  expect_error(ExitCode::kInputInvalid, {path_, "'A'", "twice", "--make-unique"},
               [&] { read_expression(context_, path_, {}); });
  EXPECT_EQ(read_expression(context_, path_, {.make_unique = true}).cells,
            (std::vector<std::string>{"A", "B", "A-1", "A-2"}));
  {
    Hdf5File file(path_);
    file.numbers<float>("/obs/size", {4}, {1, 2, 3, 4});
    file.group("/var");
  }
  expect_error(ExitCode::kInputInvalid, {path_, "/obs", "'_index'", "size"},
               [&] { read_expression(context_, path_, {}); });
}

TEST_F(H5adErrorTest, WithBrokenColumns) {
  expect_refused({"/obs/domain/codes", "category 2", "there are 2"},
                 [](H5adFile& f) {
                   f.rows("/X");
                   f.categorical("/obs/domain", {0, 1, 2, 0}, {"a", "b"});
                 },
                 {.truth_key = "domain"});
  expect_refused({"/obs/rec", "'awkward-array'"},
                 [](H5adFile& f) {
                   f.rows("/X");
                   f.group("/obs/rec");
                   f.encoded("/obs/rec", "awkward-array", "0.1.0");
                 },
                 {.truth_key = "rec"});
  expect_refused({"nested too deeply"},
                 [](H5adFile& f) {
                   f.rows("/X");
                   f.numbers<std::int8_t>("/obs/loop/codes", {4}, {0, 0, 0, 0});
                   H5Lcreate_soft("/obs/loop", f.id(), "/obs/loop/categories", H5P_DEFAULT,
                                  H5P_DEFAULT);
                 },
                 {.truth_key = "loop"});
}

TEST_F(H5adErrorTest, ThatIsNoAnnData) {
  { Hdf5File(path_).numbers<float>("/weights", {3}, {1, 2, 3}); }
  expect_error(ExitCode::kInputInvalid, {path_, "neither .h5ad", "weights"},
               [&] { read_expression(context_, path_, {}); });
  { Hdf5File(path_).group("/mod/rna"); }
  expect_error(ExitCode::kInputInvalid, {path_, "MuData", "mdata['rna']"},
               [&] { read_expression(context_, path_, {}); });
  {
    Hdf5File file(path_);
    file.group("/row_attrs");
    file.group("/col_attrs");
  }
  expect_error(ExitCode::kInputInvalid, {path_, "loom"},
               [&] { read_expression(context_, path_, {}); });
  expect_error(ExitCode::kInputInvalid, {"damaged"},
               [&] { read_expression(context_, folder_.write("t.h5ad", "a,b\n1,2\n"), {}); });
  expect_error(ExitCode::kInputInvalid, {"damaged"},
               [&] { read_expression(context_, folder_.write("one.h5ad", "\x89"), {}); });
}

TEST_F(H5adErrorTest, ThatMayNotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "needs a user whom permissions hold back";
  { Hdf5File file(path_); }
  std::filesystem::permissions(path_, std::filesystem::perms::none);
  expect_error(ExitCode::kInputMissing, {path_, "cannot be read"},
               [&] { read_expression(context_, path_, {}); });
}

TEST_F(H5adErrorTest, ThatLinksElsewhere) {
  expect_refused({"/X", "another file", "not followed"}, [](H5adFile& f) {
    H5Lcreate_external("other.h5ad", "/X", f.id(), "/X", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refused({"/X", "leads nowhere"}, [](H5adFile& f) {
    H5Lcreate_soft("/layers/none", f.id(), "/X", H5P_DEFAULT, H5P_DEFAULT);
  });
}

TEST_F(H5adErrorTest, WhoseClaimsItCannotHold) {
  expect_refused({"/X", "claims more values than"}, [](H5adFile& f) {
    // Chunks that were never written take no place, whatever the shape.
    f.numbers<float>("/X", {1'000'000'000, 1'000'000'000}, {}, {.chunk = {1000, 1000}});
  });
}

}  // namespace
}  // namespace m2st::data
