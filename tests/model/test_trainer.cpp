// Training as a caller sees it: it learns, stops, is interrupted and resumed, and refuses what it
// must.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "model/trainer.h"
#include "tests/model/tissue.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::model {
namespace {

constexpr std::int64_t kCells = 150;
constexpr std::int64_t kWidth = 12;

class Trainer : public testing::Test {
 protected:
  void SetUp() override {
    config_.hidden = 16;
    train_.epochs = 12;
    hooks_.data_hash = "hash of the data";
  }

  TrainResult train(Context& context) {
    return train_and_embed(context, tissue_.graph, tissue_.view(), config_, train_, hooks_);
  }
  TrainResult train() { return train(context_); }

  // As a user's Ctrl-C after `epoch` epochs.
  TrainResult interrupted_after(int epoch) {
    hooks_.progress = [epoch](const EpochReport& report) { return report.epoch < epoch; };
    TrainResult result = train();
    hooks_.progress = nullptr;
    return result;
  }

  std::string checkpoint() const { return folder_.path("checkpoint.bin"); }

  void expect_refused(ExitCode code, std::initializer_list<std::string> words) {
    test::expect_error(code, words, [&] { train(); });
  }

  test::TemporaryFolder folder_;
  Context context_ = cpu_context(2);
  test::Tissue tissue_ = test::small_tissue(context_, kCells, kWidth);
  AutoencoderConfig config_;
  TrainConfig train_;
  TrainHooks hooks_;
};

std::string bytes_of(const std::vector<Matrix<float>>& matrices) {
  std::string bytes;
  for (const Matrix<float>& matrix : matrices) {
    bytes.append(reinterpret_cast<const char*>(matrix.data()), matrix.size() * sizeof(float));
  }
  return bytes;
}

std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(Trainer, LossFalls) {
  train_.epochs = 60;
  const TrainResult result = train();

  ASSERT_EQ(result.losses.size(), 60u);
  EXPECT_EQ(result.losses_per_scale.size(), 120u);
  EXPECT_EQ(result.end, TrainEnd::kAllEpochs);
  EXPECT_LT(result.losses.back(), 0.7 * result.losses.front());
  EXPECT_DOUBLE_EQ(result.losses[3], (result.losses_per_scale[6] + result.losses_per_scale[7]) / 2);
}

TEST_F(Trainer, PapersVariantLearnsToo) {
  train_.epochs = 60;
  apply_compatibility("paper", config_, train_);
  const TrainResult result = train();

  EXPECT_LT(result.losses.back(), 0.8 * result.losses.front());
  EXPECT_EQ(result.embeddings[0].cols(), 16);
  EXPECT_EQ(result.embeddings[1].cols(), 8);
}

TEST_F(Trainer, OneCellIsEnough) {
  tissue_ = test::small_tissue(context_, 1, kWidth);
  const TrainResult result = train();

  EXPECT_EQ(result.losses.size(), 12u);
  EXPECT_EQ(result.embeddings[0].rows(), 1);
}

TEST_F(Trainer, SeedDecidesEverything) {
  const std::string bytes = bytes_of(train().embeddings);

  EXPECT_EQ(bytes_of(train().embeddings), bytes);
  for (const int threads : {1, 5}) {
    Context context = cpu_context(threads);
    EXPECT_EQ(bytes_of(train(context).embeddings), bytes) << threads << " threads";
  }
  train_.seed = 1;
  EXPECT_NE(bytes_of(train().embeddings), bytes);
}

TEST_F(Trainer, RecomputingTakesLessMemoryAndGivesTheSameBytes) {
  const auto bytes_and_peak = [&](bool recompute) {
    train_.recompute = recompute;
    Context context = cpu_context(1);  // what two threads pack at a time is another matter
    const TrainResult result = train(context);
    return std::pair(bytes_of(result.embeddings), context.pool().peak());
  };
  const auto [bytes, peak] = bytes_and_peak(false);
  const auto [same_bytes, lower_peak] = bytes_and_peak(true);

  EXPECT_EQ(same_bytes, bytes);
  EXPECT_LT(lower_peak, peak);
}

TEST_F(Trainer, ReportsEveryEpoch) {
  std::vector<int> epochs;
  hooks_.progress = [&](const EpochReport& report) {
    epochs.push_back(report.epoch);
    EXPECT_EQ(report.epochs, train_.epochs);
    EXPECT_GT(report.loss, 0);
    return true;
  };
  train();

  ASSERT_EQ(epochs.size(), 12u);
  EXPECT_EQ(epochs.front(), 1);
  EXPECT_EQ(epochs.back(), 12);
}

TEST_F(Trainer, ResumedRunEndsAsIfNeverStopped) {
  hooks_.checkpoint_path = checkpoint();
  const TrainResult whole = train();
  const std::string whole_checkpoint = bytes_of_file(checkpoint());
  for (const int epoch : {1, 5, 11, 12}) {
    const TrainResult first = interrupted_after(epoch);
    EXPECT_EQ(first.end, TrainEnd::kInterrupted);
    EXPECT_TRUE(first.embeddings.empty());
    hooks_.resume_path = checkpoint();

    const TrainResult resumed = train();

    hooks_.resume_path.clear();
    EXPECT_EQ(resumed.end, TrainEnd::kAllEpochs);
    EXPECT_EQ(resumed.losses, whole.losses) << "stopped after " << epoch;
    EXPECT_EQ(resumed.losses_per_scale, whole.losses_per_scale);
    EXPECT_EQ(bytes_of(resumed.embeddings), bytes_of(whole.embeddings)) << epoch;
    EXPECT_EQ(bytes_of_file(checkpoint()), whole_checkpoint) << epoch;
  }
}

TEST_F(Trainer, PeriodicCheckpointSurvivesAKill) {
  const TrainResult whole = train();
  hooks_.checkpoint_path = checkpoint();
  train_.checkpoint_every = 5;
  // The exception stands for a kill between two checkpoints: nothing is saved on the way out.
  hooks_.progress = [](const EpochReport& report) {
    if (report.epoch == 8) throw std::runtime_error("killed");
    return true;
  };
  EXPECT_THROW(train(), std::runtime_error);
  hooks_.progress = nullptr;
  hooks_.resume_path = checkpoint();
  train_.checkpoint_every = 0;

  int first_epoch = 0;
  hooks_.progress = [&](const EpochReport& report) {
    if (first_epoch == 0) first_epoch = report.epoch;
    return true;
  };
  const TrainResult resumed = train();

  EXPECT_EQ(first_epoch, 6);
  EXPECT_EQ(bytes_of(resumed.embeddings), bytes_of(whole.embeddings));
}

TEST_F(Trainer, CheckpointCanBeTrainedFurther) {
  train_.epochs = 20;
  const TrainResult whole = train();
  train_.epochs = 12;
  hooks_.checkpoint_path = checkpoint();
  train();
  train_.epochs = 20;
  hooks_.resume_path = checkpoint();

  EXPECT_EQ(bytes_of(train().embeddings), bytes_of(whole.embeddings));
  train_.epochs = 19;
  expect_refused(ExitCode::kCheckpoint, {"epoch 20", "19"});
}

TEST_F(Trainer, EmbedsFromACheckpointAlone) {
  hooks_.checkpoint_path = checkpoint();
  const TrainResult result = train();

  const auto embeddings =
      embed_from_checkpoint(context_, tissue_.graph, tissue_.view(), checkpoint());

  EXPECT_EQ(bytes_of(embeddings), bytes_of(result.embeddings));
  const test::Tissue wider = test::small_tissue(context_, kCells, kWidth + 1);
  test::expect_error(ExitCode::kCheckpoint, {"12", "13"}, [&] {
    embed_from_checkpoint(context_, wider.graph, wider.view(), checkpoint());
  });
}

TEST_F(Trainer, PlateauStopsAndStillEmbeds) {
  train_.epochs = 500;
  train_.patience = 5;
  train_.plateau_tolerance = 0.05;
  const TrainResult result = train();

  EXPECT_EQ(result.end, TrainEnd::kPlateau);
  EXPECT_LT(result.losses.size(), 500u);
  EXPECT_GT(result.losses.size(), 5u);
  EXPECT_EQ(result.embeddings.size(), 2u);
  double best = result.losses.front();
  const std::size_t window = result.losses.size() - 5;
  for (std::size_t i = 0; i < window; ++i) best = std::min(best, result.losses[i]);
  for (std::size_t i = window; i < result.losses.size(); ++i) {
    EXPECT_GT(result.losses[i], 0.9 * best) << "gained in epoch " << i + 1;
  }
}

TEST_F(Trainer, PlateauIsTheSameAfterAResume) {
  train_.epochs = 500;
  train_.patience = 5;
  train_.plateau_tolerance = 0.05;
  hooks_.checkpoint_path = checkpoint();
  const TrainResult whole = train();
  const int last = static_cast<int>(whole.losses.size());
  interrupted_after(last - 2);
  hooks_.resume_path = checkpoint();

  const TrainResult resumed = train();

  EXPECT_EQ(resumed.end, TrainEnd::kPlateau);
  EXPECT_EQ(resumed.losses, whole.losses);
}

TEST_F(Trainer, LossThatIsNotFiniteStopsAndNamesTheEpoch) {
  train_.learning_rate = 1e9;
  train_.epochs = 50;
  hooks_.checkpoint_path = checkpoint();

  expect_refused(ExitCode::kNotConverged, {"epoch", "of 50", "learning rate"});
  EXPECT_FALSE(std::filesystem::exists(checkpoint())) << "a broken state was saved";
}

TEST_F(Trainer, NoEpochsGiveTheUntrainedEmbedding) {
  train_.epochs = 0;
  const TrainResult result = train();

  EXPECT_TRUE(result.losses.empty());
  EXPECT_EQ(result.embeddings.size(), 2u);
}

TEST_F(Trainer, CheckpointOfOtherOptionsIsRefused) {
  hooks_.checkpoint_path = checkpoint();
  train();
  hooks_.resume_path = checkpoint();

  train_.seed = 9;
  expect_refused(ExitCode::kCheckpoint, {"seed: 0 there, 9 here"});
  train_.seed = 0;
  config_.leaky_slope = 0.1;
  expect_refused(ExitCode::kCheckpoint, {"leaky_slope: 0.2 there, 0.1 here"});
}

TEST_F(Trainer, CheckpointOfOtherDataIsRefused) {
  hooks_.checkpoint_path = checkpoint();
  train();
  hooks_.resume_path = checkpoint();
  hooks_.data_hash = "another hash";

  expect_refused(ExitCode::kCheckpoint, {"other data", "another hash"});
}

TEST_F(Trainer, MissingCheckpointIsRefused) {
  hooks_.resume_path = folder_.path("missing");

  expect_refused(ExitCode::kCheckpoint, {"missing"});
}

TEST_F(Trainer, UnwritableCheckpointIsAnOutputError) {
  hooks_.checkpoint_path = folder_.path("no/such/folder");

  expect_refused(ExitCode::kOutput, {"no/such/folder"});
}

TEST_F(Trainer, OptionsThatCannotBeAreRefused) {
  config_.hidden = 20;  // 20 / 2 is not divisible by 4 heads
  expect_refused(ExitCode::kParameterImpossible, {"hidden", "20", "8"});
  config_.hidden = 16;
  config_.decoder_heads = 5;  // 12 features
  expect_refused(ExitCode::kParameterImpossible, {"decoder_heads", "12"});
  config_.decoder_heads = 1;
  train_.mask_rate = 1.5;
  expect_refused(ExitCode::kUsage, {"mask_rate", "1.5"});
}

}  // namespace
}  // namespace m2st::model
