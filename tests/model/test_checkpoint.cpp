// Checkpoint files: they read back to the same bits, and no damage goes unnoticed.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/whole_file.h"
#include "model/checkpoint.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::model {
namespace {

Checkpoint some_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.options.autoencoder.hidden = 64;
  checkpoint.options.autoencoder.leaky_slope = 0.1;
  checkpoint.options.autoencoder.remask = Remask::kLearnable;
  checkpoint.options.train.learning_rate = 1.0 / 3;
  checkpoint.options.train.seed = ~std::uint64_t{0};
  checkpoint.data_hash = "0123";
  checkpoint.width = 5;
  checkpoint.epoch = 2;
  checkpoint.losses = {0.1 + 0.2, 1e-300};
  checkpoint.losses_per_scale = {1, 2, 3, 4};
  checkpoint.values = {1.5f, -0.0f};
  checkpoint.first_moments = {1e-40f, 0};
  checkpoint.second_moments = {3, 4};
  return checkpoint;
}

// All bytes of the header and samples of what follows: the hash treats those alike.
std::size_t next_place(std::size_t place) { return place < 48 ? place + 1 : place + 37; }

class CheckpointFile : public testing::Test {
 protected:
  void expect_refused(const std::string& bytes, std::initializer_list<std::string> words) {
    const std::string path = folder_.write("damaged", bytes);
    test::expect_error(ExitCode::kCheckpoint, words, [&] { read_checkpoint(path); });
  }
  std::string good_bytes() {
    write_checkpoint(folder_.path("good"), some_checkpoint());
    return read_whole_file(folder_.path("good"), ExitCode::kCheckpoint);
  }

  test::TemporaryFolder folder_;
};

TEST_F(CheckpointFile, ReadsBackToTheSameBits) {
  const Checkpoint written = some_checkpoint();
  write_checkpoint(folder_.path("file"), written);

  const Checkpoint read = read_checkpoint(folder_.path("file"));

  EXPECT_EQ(options_text(read.options), options_text(written.options));
  EXPECT_EQ(read.options.train.learning_rate, 1.0 / 3);
  EXPECT_EQ(read.options.train.seed, ~std::uint64_t{0});
  EXPECT_EQ(read.options.autoencoder.remask, Remask::kLearnable);
  EXPECT_EQ(read.data_hash, written.data_hash);
  EXPECT_EQ(read.width, written.width);
  EXPECT_EQ(read.losses, written.losses);
  EXPECT_EQ(read.losses_per_scale, written.losses_per_scale);
  EXPECT_EQ(read.values, written.values);
  EXPECT_TRUE(std::signbit(read.values[1]));
  EXPECT_EQ(read.first_moments, written.first_moments);
  EXPECT_EQ(read.second_moments, written.second_moments);
}

TEST_F(CheckpointFile, FlippedBytesAreNoticed) {
  const std::string good = good_bytes();
  for (std::size_t i = 0; i < good.size(); i = next_place(i)) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    expect_refused(bytes, {i < 8 ? "not a checkpoint" : i < 12 ? "version" : "damaged"});
  }
}

TEST_F(CheckpointFile, TruncationIsNoticed) {
  const std::string good = good_bytes();
  for (std::size_t size = 0; size < good.size(); size = next_place(size)) {
    expect_refused(good.substr(0, size), {"checkpoint"});
  }
  expect_refused(good + "x", {"damaged"});
}

TEST_F(CheckpointFile, OtherFilesAndVersionsAreNamedAsSuch) {
  expect_refused("cell,domain\n", {"not a checkpoint"});
  std::string newer = good_bytes();
  newer[8] = 2;
  expect_refused(newer, {"version 2"});
}

TEST_F(CheckpointFile, OptionsWithoutALineAreRefused) {
  std::string text = options_text(Options());
  text.erase(0, text.find('\n') + 1);

  test::expect_error(ExitCode::kCheckpoint, {"scales", "missing"}, [&] { parse_options(text); });
  test::expect_error(ExitCode::kCheckpoint, {"colour"},
                     [&] { parse_options(options_text(Options()) + "colour = 3\n"); });
  test::expect_error(ExitCode::kCheckpoint, {"hidden", "many"}, [&] {
    std::string changed = options_text(Options());
    changed.replace(changed.find("256"), 3, "many");
    parse_options(changed);
  });
}

TEST_F(CheckpointFile, OptionsOfBeforeThePrecisionOfProductsAreRead) {
  Options options;
  options.train.matmul_precision = MatmulPrecision::kMedium;
  std::string text = options_text(options);
  EXPECT_EQ(parse_options(text).train.matmul_precision, MatmulPrecision::kMedium);

  const std::size_t line = text.find("matmul_precision");
  text.erase(line, text.find('\n', line) + 1 - line);

  EXPECT_EQ(parse_options(text).train.matmul_precision, MatmulPrecision::kHighest);
}

TEST_F(CheckpointFile, OptionsOfBeforeTheArithmeticAreRead) {
  Options options;
  options.arithmetic = Arithmetic::kCublasLt;
  std::string text = options_text(options);
  EXPECT_EQ(parse_options(text).arithmetic, Arithmetic::kCublasLt);

  text.erase(text.find("arithmetic"));

  EXPECT_EQ(parse_options(text).arithmetic, Arithmetic::kUnknown);
}

TEST_F(CheckpointFile, OnlyOptionsThatWereGivenContradict) {
  Options there;
  there.autoencoder.hidden = 64;
  there.train.gamma = 3;
  Options given;
  given.train.seed = 7;
  given.train.epochs = 5;
  EXPECT_EQ(first_contradiction(there, given), "");
  given.train.gamma = 3;
  EXPECT_EQ(first_contradiction(there, given), "");
  given.train.gamma = 1;
  EXPECT_EQ(first_contradiction(there, given), "gamma: 3 there, 1 here");
}

TEST_F(CheckpointFile, FirstDifferenceIsNamed) {
  Options there;
  Options here;
  here.train.epochs = 400;
  here.train.patience = 3;
  EXPECT_EQ(first_difference(there, here), "");
  here.train.gamma = 3;
  EXPECT_EQ(first_difference(there, here), "gamma: 2 there, 3 here");
}

}  // namespace
}  // namespace m2st::model
