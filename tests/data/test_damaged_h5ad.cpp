// Thousands of damaged .h5ad files: flipped bytes crash HDF5 itself (one in seven, measured on
// 1.10.8), so the program reads in a process of its own. Every one is read or refused with a
// sentence and exit code 3, 4 or 6; none crashes or hangs.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "data/io/read_expression.h"
#include "tests/data/h5ad_file.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::H5adFile;

// Ten seconds of waiting, and what the machine may add to them.
constexpr std::chrono::seconds kLongest{20};

struct Outcomes {
  int read = 0;
  int refused = 0;
  int crashed = 0;  // the library, in its own process
};

class DamagedH5adTest : public ::testing::Test {
 protected:
  // Small, with every structure of a real file: vlen strings, categories, packed chunks.
  std::string sound_bytes() {
    const std::string path = folder_.path("sound.h5ad");
    {
      H5adFile file(path);
      file.frames();
      file.rows("/X", {.packing = test::Packing::kGzip});
      file.columns("/layers/counts");
      file.positions();
      file.categorical("/obs/domain", {1, -1, 0, 1}, {"WM", "L1"});
      file.attribute("/obs", "column-order", std::vector<std::string>{"domain"});
    }
    return bytes_of(path);
  }
  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Reads it; what is not an Error of the project is a failure of the test.
  void attempt(const std::string& bytes, const ReadOptions& options, Outcomes& outcomes) {
    const std::string path = folder_.write("damaged.h5ad", bytes);
    const auto start = std::chrono::steady_clock::now();
    try {
      read_expression(context_, path, options);
      ++outcomes.read;
    } catch (const Error& error) {
      const std::string message = error.what();
      const bool known = error.code() == ExitCode::kInputInvalid ||
                         error.code() == ExitCode::kInputMissing ||
                         error.code() == ExitCode::kOutOfMemory;
      EXPECT_TRUE(known) << static_cast<int>(error.code()) << ": " << message;
      EXPECT_NE(message.find(path), std::string::npos) << message;
      message.find("crashed") == std::string::npos ? ++outcomes.refused : ++outcomes.crashed;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest);
  }
  void report(const Outcomes& outcomes) {
    RecordProperty("read", outcomes.read);
    RecordProperty("refused", outcomes.refused);
    RecordProperty("crashed", outcomes.crashed);
    std::printf("%d read, %d refused, %d of them after HDF5 crashed\n", outcomes.read,
                outcomes.refused + outcomes.crashed, outcomes.crashed);
  }

  // Flips 1 to 8 bytes of each of `count` copies.
  void flip(const std::string& sound, int count, const ReadOptions& options, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    Outcomes outcomes;
    for (int i = 0; i < count && !HasFailure(); ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", file " + std::to_string(i));
      std::string damaged = sound;
      for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
      }
      attempt(damaged, options, outcomes);
    }
    report(outcomes);
    EXPECT_EQ(outcomes.read + outcomes.refused + outcomes.crashed, count);
    EXPECT_GT(outcomes.refused, 0);
  }

  CpuContext context_{1};
  test::TemporaryFolder folder_;
};

TEST_F(DamagedH5adTest, FlippedBytesOfAWrittenFile) {
  flip(sound_bytes(), 1500, {.truth_key = "domain"}, 1);
}

TEST_F(DamagedH5adTest, FlippedBytesOfAWrittenFilesLayer) {
  flip(sound_bytes(), 500, {.layer = "counts", .truth_key = "domain"}, 2);
}

TEST_F(DamagedH5adTest, FlippedBytesOfThePublishedStarmap) {
  M2ST_NEEDS_SHARED("data/starmap_counts");
  // Nearly all of the file is values, where a flip is not seen: damage the rest, where structure
  // is.
  const std::string sound = bytes_of(test::shared_path("data/starmap_counts/starmap_BY3_1k.h5ad"));
  std::mt19937_64 random(3);
  Outcomes outcomes;
  constexpr int kFiles = 1000;
  constexpr std::size_t kEnds = 16384;  // heaps, headers and trees lie at either end
  for (int i = 0; i < kFiles && !HasFailure(); ++i) {
    SCOPED_TRACE("file " + std::to_string(i));
    std::string damaged = sound;
    for (std::uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      std::size_t place = random() % (2 * kEnds);
      if (place >= kEnds) place += damaged.size() - 2 * kEnds;
      damaged[place] ^= static_cast<char>(1 + random() % 255);
    }
    attempt(damaged, {.truth_key = "cluster_name"}, outcomes);
  }
  report(outcomes);
  EXPECT_EQ(outcomes.read + outcomes.refused + outcomes.crashed, kFiles);
}

TEST_F(DamagedH5adTest, TruncatedFilesAreAllRefused) {
  const std::string sound = sound_bytes();
  Outcomes outcomes;
  constexpr int kFiles = 300;
  for (int i = 0; i < kFiles; ++i) {
    SCOPED_TRACE("file " + std::to_string(i));
    attempt(sound.substr(0, sound.size() * static_cast<std::size_t>(i) / kFiles), {}, outcomes);
  }
  report(outcomes);
  EXPECT_EQ(outcomes.refused, kFiles);
}

}  // namespace
}  // namespace m2st::data
