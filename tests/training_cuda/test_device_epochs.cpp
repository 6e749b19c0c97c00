// Epochs that run on the device without its host against epochs step by step: the same bytes; and
// against the CPU's.
#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/device_epochs.h"
#include "model/trainer.h"
#include "tests/model/golden.h"
#include "tests/model/tissue.h"
#include "tests/support/shared_data.h"
#include "tests/training_cuda/library_products.h"
#include "tests/training_cuda/problem.h"
#include "tests/training_cuda/starmap_part.h"

namespace m2st::model {
namespace {

using test::converted;
using test::on_host;
using test::Problem;

constexpr int kEpochs = 5;  // one launch by launch, one captured, three replayed

struct Trained {
  std::vector<StepLoss> losses;
  std::vector<double> parameters;
};

template <class T>
Trained step_by_step(Context& context, const Problem<T>& job) {
  const Autoencoder autoencoder(job.config, job.features.cols);
  autograd::ParameterBlock<T> parameters(context, autoencoder.layout(), 3);
  const PlacedData<T> data(context, job.graph.view(), job.features);
  Trained trained;
  for (int epoch = 1; epoch <= kEpochs; ++epoch) {
    const MaskDraw mask = draw_mask(job.train.seed, static_cast<std::uint32_t>(epoch),
                                    job.train.mask_rate, 0, job.graph.ids);
    trained.losses.push_back(training_step<T>(context, Communicator(), autoencoder, parameters,
                                              data, mask, job.train, epoch, usual_path(context)));
    parameters.adam_step(context, {}, epoch);
  }
  trained.parameters = on_host<T>(context, parameters.values());
  return trained;
}

// In two goes, the second from the graph that the first captured.
template <class T>
Trained by_graph(CudaContext& cuda, Context& context, const Problem<T>& job) {
  const Autoencoder autoencoder(job.config, job.features.cols);
  autograd::ParameterBlock<T> parameters(context, autoencoder.layout(), 3);
  const PlacedData<T> data(context, job.graph.view(), job.features);
  const RunEpochs run =
      epochs_on_device<T>(cuda, context, autoencoder, parameters, data, job.train, {});
  Trained trained{run(1, 3), {}};
  for (const StepLoss& loss : run(4, kEpochs - 3)) trained.losses.push_back(loss);
  trained.parameters = on_host<T>(context, parameters.values());
  return trained;
}

template <class T>
Trained by_graph(Context& context, const Problem<T>& job) {
  return context.dispatch([&](auto& c) -> Trained {
    if constexpr (std::is_same_v<std::decay_t<decltype(c)>, CudaContext>) {
      return by_graph<T>(c, context, job);
    } else {
      return {};
    }
  });
}

template <class T>
void expect_same_bytes(Context& cuda, const Problem<T>& job) {
  const Trained want = step_by_step<T>(cuda, job);
  const Trained got = by_graph<T>(cuda, job);

  ASSERT_EQ(got.losses.size(), want.losses.size());
  for (std::size_t epoch = 0; epoch < want.losses.size(); ++epoch) {
    EXPECT_EQ(got.losses[epoch].total, want.losses[epoch].total);
    EXPECT_EQ(got.losses[epoch].per_scale, want.losses[epoch].per_scale);
  }
  EXPECT_EQ(got.parameters, want.parameters);
}

void expect_the_cpus(Context& cuda, const Problem<double>& job) {
  Context cpu = cpu_context(2);
  const Trained want = step_by_step<double>(cpu, job);
  const Trained got = by_graph<double>(cuda, job);

  ASSERT_EQ(got.losses.size(), want.losses.size());
  // The first epoch is one step; later ones start from parameters whose gradients, where nothing
  // but rounding is left of them, moved them by up to a learning rate.
  EXPECT_NEAR(got.losses[0].total, want.losses[0].total, 1e-10);
  for (std::size_t epoch = 1; epoch < want.losses.size(); ++epoch) {
    EXPECT_NEAR(got.losses[epoch].total, want.losses[epoch].total, 1e-7);
  }
}

template <class T>
class DeviceEpochsOnCuda : public testing::Test {
 protected:
  Context cuda_ = cuda_context(0, 1);
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(DeviceEpochsOnCuda, Scalars);

TYPED_TEST(DeviceEpochsOnCuda, GraphGivesTheBytesOfSingleSteps) {
  using T = TypeParam;
  const test::Tissue tissue = test::small_tissue(this->cuda_, 70, 10);
  const Matrix<T> features = converted<T>(this->cuda_, tissue.view());
  Problem<T> job{{}, {}, tissue.graph, features.view()};
  job.config.hidden = 16;
  for (const int scales : {1, 2, 3}) {
    job.config.scales = scales;
    expect_same_bytes(this->cuda_, job);
  }
}

TYPED_TEST(DeviceEpochsOnCuda, VariantsGiveTheBytesOfSingleSteps) {
  using T = TypeParam;
  const test::Tissue tissue = test::small_tissue(this->cuda_, 40, 9);
  const Matrix<T> features = converted<T>(this->cuda_, tissue.view());
  Problem<T> job{{}, {}, tissue.graph, features.view()};
  job.config.hidden = 16;
  job.config.head_merge = HeadMerge::kSum;
  job.config.remask = Remask::kLearnable;
  job.config.feature_dropout = 0;
  job.config.encoder_to_decoder = false;
  job.train.loss = LossKind::kMse;
  expect_same_bytes(this->cuda_, job);
}

TEST(DeviceEpochsOnCudaByCublasLt, GraphGivesTheBytesOfSingleSteps) {
  Context cuda = cuda_context(0, 1);
  if (const std::string reason = test::why_not_by_cublas_lt(cuda); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const test::Tissue tissue = test::small_tissue(cuda, 40, 16);
  Problem<float> job{{}, {}, tissue.graph, tissue.view()};
  job.config.hidden = 32;
  for (const auto precision : {MatmulPrecision::kHigh, MatmulPrecision::kMedium}) {
    const MatmulPrecisionScope scope(cuda, precision);
    expect_same_bytes(cuda, job);
  }
}

TEST(DeviceEpochsOnCudaData, GoldenProblemIsTheCpus) {
  M2ST_NEEDS_SHARED("golden/tiny");
  Context cuda = cuda_context(0, 1);
  const test::Golden<double> golden(cuda);
  expect_the_cpus(cuda, {golden.config, {}, golden.graph, golden.features.view()});
}

TEST(DeviceEpochsOnCudaData, TwoHundredStarmapCellsAreTheCpus) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  Context cuda = cuda_context(0, 1);
  const test::StarmapPart part(cuda.host(), 200);
  const Matrix<double> features = converted<double>(cuda, part.features.view());
  Problem<double> job{{}, {}, part.graph, features.view()};
  job.config.hidden = 64;
  expect_the_cpus(cuda, job);
}

// Blocks of epochs end where a checkpoint is due, so that a run in pieces is the run in one.
TEST(DeviceEpochsOnCudaRuns, PiecesGiveTheWholeRun) {
  Context cuda = cuda_context(0, 1);
  const test::Tissue tissue = test::small_tissue(cuda, 40, 9);
  AutoencoderConfig config;
  config.hidden = 16;
  TrainConfig train;
  train.epochs = 13;
  const TrainResult want =
      train_and_embed(cuda, tissue.graph, tissue.view(), config, train, TrainHooks());
  train.checkpoint_every = 4;
  std::vector<int> reported;
  TrainHooks hooks;
  hooks.progress = [&](const EpochReport& report) {
    reported.push_back(report.epoch);
    return true;
  };

  const TrainResult got = train_and_embed(cuda, tissue.graph, tissue.view(), config, train, hooks);

  EXPECT_EQ(got.losses, want.losses);
  EXPECT_EQ(reported, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
  for (std::size_t scale = 0; scale < want.embeddings.size(); ++scale) {
    EXPECT_TRUE(std::ranges::equal(got.embeddings[scale].span(), want.embeddings[scale].span()));
  }
}

}  // namespace
}  // namespace m2st::model
