// .npy: every type and order that NumPy writes is read to the same numbers; everything else is
// refused with the right exit code and a way out.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "data/io/npy.h"
#include "engine/random.h"
#include "tests/data/npy_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;
using test::npy_file;
using test::npy_with_header;
using test::raw_bytes;

class NpyTest : public ::testing::Test {
 protected:
  template <class T>
  std::vector<T> values(const std::string& bytes) {
    const Matrix<T> matrix = read_npy<T>(context_, folder_.write("a.npy", bytes));
    return {matrix.span().begin(), matrix.span().end()};
  }
  void expect_refused(const std::string& bytes, std::initializer_list<std::string> words) {
    const std::string path = folder_.write("a.npy", bytes);
    expect_error(ExitCode::kInputInvalid, words, [&] { read_npy<double>(context_, path); });
  }

  CpuContext context_{2};
  test::TemporaryFolder folder_;
};

template <class T>
std::string counted(const std::string& type, bool swapped) {
  return npy_file(type, false, "(3,)", raw_bytes<T>({T{0}, T{1}, T{100}}, swapped));
}

TEST_F(NpyTest, ReadsEveryNumberTypeInEitherByteOrder) {
  const std::vector<double> want{0, 1, 100};

  EXPECT_EQ(values<double>(counted<std::int8_t>("|i1", false)), want);
  EXPECT_EQ(values<double>(counted<std::uint8_t>("|u1", false)), want);
  EXPECT_EQ(values<double>(counted<std::int16_t>("<i2", false)), want);
  EXPECT_EQ(values<double>(counted<std::int16_t>(">i2", true)), want);
  EXPECT_EQ(values<double>(counted<std::uint16_t>(">u2", true)), want);
  EXPECT_EQ(values<double>(counted<std::int32_t>("<i4", false)), want);
  EXPECT_EQ(values<double>(counted<std::int32_t>(">i4", true)), want);
  EXPECT_EQ(values<double>(counted<std::uint32_t>("<u4", false)), want);
  EXPECT_EQ(values<double>(counted<std::int64_t>("<i8", false)), want);
  EXPECT_EQ(values<double>(counted<std::uint64_t>(">u8", true)), want);
  EXPECT_EQ(values<double>(counted<float>("<f4", false)), want);
  EXPECT_EQ(values<double>(counted<float>(">f4", true)), want);
  EXPECT_EQ(values<double>(counted<double>("<f8", false)), want);
  EXPECT_EQ(values<double>(counted<double>(">f8", true)), want);
  EXPECT_EQ(values<float>(counted<double>(">f8", true)), (std::vector<float>{0, 1, 100}));
  EXPECT_EQ(values<double>(npy_file("|b1", false, "(2,)", std::string("\0\1", 2))),
            (std::vector<double>{0, 1}));
}

TEST_F(NpyTest, ReadsHalfPrecisionExactly) {
  // 1, -2, 65504 (largest), 2^-24 (smallest subnormal), 2^-14 (smallest normal), Inf, -0.
  const std::vector<std::uint16_t> bits{0x3C00, 0xC000, 0x7BFF, 0x0001, 0x0400, 0x7C00, 0x8000};

  const auto got = values<double>(npy_file("<f2", false, "(7,)", raw_bytes(bits)));
  const auto nan = values<double>(npy_file(">f2", false, "(1,)", "\x7E\x01"));

  EXPECT_EQ(got, (std::vector<double>{1, -2, 65504, 0x1p-24, 0x1p-14,
                                      std::numeric_limits<double>::infinity(), -0.0}));
  EXPECT_TRUE(std::signbit(got[6]));
  EXPECT_TRUE(std::isnan(nan[0]));
}

TEST_F(NpyTest, ReadsFortranOrderAsRows) {
  const std::string bytes = npy_file("<f4", true, "(2, 3)", raw_bytes<float>({1, 4, 2, 5, 3, 6}));

  const Matrix<float> x = read_npy<float>(context_, folder_.write("f.npy", bytes));

  ASSERT_EQ(x.rows(), 2);
  ASSERT_EQ(x.cols(), 3);
  EXPECT_EQ(std::vector<float>(x.span().begin(), x.span().end()),
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(NpyTest, ReadsFortranOrderOverSeveralChunks) {
  constexpr std::int64_t kRows = 2501, kCols = 5;
  std::vector<std::int32_t> columns;
  for (std::int64_t c = 0; c < kCols; ++c) {
    for (std::int64_t r = 0; r < kRows; ++r) columns.push_back(static_cast<int>(r * kCols + c));
  }

  const auto got = values<std::int64_t>(npy_file("<i4", true, "(2501, 5)", raw_bytes(columns)));

  for (std::int64_t i = 0; i < kRows * kCols; ++i) ASSERT_EQ(got[i], i);
}

TEST_F(NpyTest, ReadsVersionsTwoAndThreeAndOddHeaders) {
  const std::string data = raw_bytes<float>({7, 8});
  const std::vector<double> want{7, 8};

  EXPECT_EQ(values<double>(npy_file("<f4", false, "(2,)", data, 2)), want);
  EXPECT_EQ(values<double>(npy_file("<f4", false, "(2, 1)", data, 3)), want);
  EXPECT_EQ(values<double>(npy_with_header(
                1, R"({"shape":(2L,),"fortran_order":False,"descr":"<f4"}   )", data)),
            want);
}

TEST_F(NpyTest, ReadsEmptyArrays) {
  const Matrix<float> none =
      read_npy<float>(context_, folder_.write("n.npy", npy_file("<f4", false, "(0, 7)", "")));

  EXPECT_EQ(none.rows(), 0);
  EXPECT_EQ(none.cols(), 7);
}

TEST_F(NpyTest, WhatIsWrittenIsReadBack) {
  std::vector<float> x(33 * 31);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.37f;
  const MatrixView<const float> view{x.data(), 33, 31};

  const std::string bytes = npy_bytes<float>(view);
  const std::string path = folder_.write("w.npy", bytes);
  const std::string flat = folder_.write("v.npy", npy_bytes<float>(view, true));

  EXPECT_EQ(read_npy_header(path).shape, (std::vector<std::int64_t>{33, 31}));
  EXPECT_EQ(read_npy_header(path).data_offset % 64, 0);
  EXPECT_EQ(read_npy_header(flat).shape, (std::vector<std::int64_t>{33 * 31}));
  EXPECT_EQ(values<float>(bytes), x);
}

TEST_F(NpyTest, IntegersMustFit) {
  const auto expect_no_fit = [&](const std::string& bytes) {
    const std::string path = folder_.write("i.npy", bytes);
    expect_error(ExitCode::kInputInvalid, {"not an integer"},
                 [&] { read_npy<std::int32_t>(context_, path); });
  };

  EXPECT_EQ(values<std::int32_t>(npy_file("<f8", false, "(2,)", raw_bytes<double>({3, -4}))),
            (std::vector<std::int32_t>{3, -4}));
  expect_no_fit(npy_file("<f8", false, "(1,)", raw_bytes<double>({0.5})));
  expect_no_fit(npy_file("<f8", false, "(1,)", raw_bytes<double>({std::nan("")})));
  expect_no_fit(npy_file("<f8", false, "(1,)", raw_bytes<double>({2147483648.0})));
  expect_no_fit(npy_file("<i8", false, "(1,)", raw_bytes<std::int64_t>({-2147483649})));
  expect_no_fit(npy_file("<u4", false, "(1,)", raw_bytes<std::uint32_t>({4294967295u})));
}

TEST_F(NpyTest, RefusesWhatIsNoNumberAndSaysHowToSaveAgain) {
  expect_refused(npy_file("|O", false, "(2,)", "junk"), {"Python objects", "numpy.save"});
  expect_refused(npy_file("<U5", false, "(1,)", std::string(20, 'a')), {"<U5", "numpy.save"});
  expect_refused(npy_file("<c8", false, "(1,)", std::string(8, 'a')), {"<c8", "numpy.save"});
  expect_refused(npy_file("<f16", false, "(1,)", std::string(16, 'a')), {"<f16"});
  expect_refused(npy_file("<M8[ns]", false, "(1,)", std::string(8, 'a')), {"M8"});
  expect_refused(npy_file("<f1", false, "(1,)", "a"), {"<f1"});
  expect_refused(npy_file("", false, "(1,)", "a"), {"type"});
  expect_refused(npy_with_header(1,
                                 "{'descr': [('x', '<f8'), ('y', '<f8')], 'fortran_order': False, "
                                 "'shape': (1,), }",
                                 std::string(16, 'a')),
                 {"structured", "numpy.save"});
  expect_refused(npy_file("<f4", false, "()", std::string(4, 'a')), {"dimensions", "reshape"});
  expect_refused(npy_file("<f4", false, "(1, 1, 1)", std::string(4, 'a')), {"3 dimensions"});
}

TEST_F(NpyTest, ChecksEveryClaimAgainstTheFileBeforeTakingMemory) {
  const std::string data(16, 'a');

  expect_refused(npy_file("<f4", false, "(5,)", data), {"cut short"});
  expect_refused(npy_file("<f4", false, "(3,)", data), {"4 bytes more"});
  expect_refused(npy_file("<f4", false, "(4611686018427387904, 4)", data), {"cut short"});
  expect_refused(npy_file("<f8", false, "(2305843009213693953, 1)", data), {"cut short"});
  expect_refused(npy_file("<f4", false, "(99999999999999999999999, 4)", data), {"damaged"});
  expect_refused(npy_file("<f4", false, "(4611686018427387904, 0)", ""), {"damaged"});
  expect_refused(npy_file("<f4", false, "(-1, 4)", data), {"damaged"});
  expect_refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12), {"header claims"});
  expect_refused(std::string("\x93NUMPY\x09\x00\x10\x00", 10) + data, {"version 9"});
}

TEST_F(NpyTest, TellsMissingFromEmptyFromForeign) {
  const auto read = [&](const std::string& path) {
    return [this, path] { read_npy<float>(context_, path); };
  };

  expect_error(ExitCode::kInputMissing, {"none.npy", "No such file"},
               read(folder_.path("none.npy")));
  expect_error(ExitCode::kInputMissing, {"folder"}, read(folder_.path("")));
  expect_error(ExitCode::kInputInvalid, {"is empty"}, read(folder_.write("e.npy", "")));
  expect_error(ExitCode::kInputInvalid, {"not a .npy"}, read(folder_.write("t.npy", "x,y\n1,2\n")));
}

TEST_F(NpyTest, EveryTruncationIsRefused) {
  const std::string whole = npy_file("<f4", false, "(3, 2)", raw_bytes<float>({1, 2, 3, 4, 5, 6}));

  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    expect_refused(whole.substr(0, size), {"a.npy"});
  }
}

// Any damage gives either a readable array or an error of code 3 or 4, never anything else.
TEST_F(NpyTest, FlippedBytesNeverCrash) {
  std::vector<std::string> wholes;
  for (const int version : {1, 2, 3}) {
    wholes.push_back(
        npy_file("<f4", version == 2, "(3, 2)", raw_bytes<float>({1, 2, 3, 4, 5, 6}), version));
  }
  int refused = 0, accepted = 0;

  for (std::uint32_t trial = 0; trial < 900; ++trial) {
    std::string bytes = wholes[trial % wholes.size()];
    const RandomKey key{1, stream_of(Purpose::kTest, 0), 0};
    const std::uint32_t flips = 1 + random_index(key, 3, trial, 0);
    for (std::uint32_t flip = 1; flip <= flips; ++flip) {
      const auto size = static_cast<std::uint32_t>(bytes.size());
      const std::uint32_t where = random_index(key, size, trial, 2 * flip);
      bytes[where] = static_cast<char>(random_index(key, 256, trial, 2 * flip + 1));
    }
    const std::string path = folder_.write("a.npy", bytes);
    try {
      const Matrix<double> x = read_npy<double>(context_, path);
      ASSERT_LE(x.size(), 24) << trial;
      ++accepted;
    } catch (const Error& error) {
      ASSERT_TRUE(error.code() == ExitCode::kInputInvalid ||
                  error.code() == ExitCode::kInputMissing)
          << trial << ": " << error.what();
      ++refused;
    }
  }

  EXPECT_GT(refused, 300);
  EXPECT_GT(accepted, 30);
}

TEST_F(NpyTest, ReadsTheSharedSets) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  const std::string features = test::shared_path("data/starmap_m2st/features.npy");
  const std::string coordinates = test::shared_path("data/breast_m2st/coords.npy");

  const Matrix<float> x = read_npy<float>(context_, features);
  const Matrix<double> y = read_npy<double>(context_, coordinates);

  EXPECT_TRUE(read_npy_header(features).fortran_order);
  EXPECT_EQ(x.rows(), 1207);
  EXPECT_EQ(x.cols(), 300);
  EXPECT_EQ(y.rows(), 3798);
  EXPECT_EQ(*std::min_element(y.span().begin(), y.span().end()), 4046);
}

}  // namespace
}  // namespace m2st::data
