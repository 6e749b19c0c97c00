// Whole training steps and runs on the CUDA backend against the CPU's: the code path that a run on
// a GPU takes, host code included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/trainer.h"
#include "model/training_step.h"
#include "tests/model/golden.h"
#include "tests/model/tissue.h"
#include "tests/support/near.h"
#include "tests/support/shared_data.h"
#include "tests/training_cuda/problem.h"
#include "tests/training_cuda/starmap_part.h"

namespace m2st::model {
namespace {

using test::converted;
using test::near;
using test::on_host;
using test::Problem;

// Two orders of the same sums, through ten layers and back, relative to the whole tensor.
template <class T>
constexpr double kTolerance = sizeof(T) == 8 ? 1e-10 : 2e-4;

struct StepResult {
  StepLoss loss;
  std::vector<double> gradients;
  std::vector<double> parameters;  // after one step of Adam
};

template <class T>
StepResult one_step(Context& context, const Problem<T>& problem, const MaskDraw& mask) {
  const Autoencoder autoencoder(problem.config, problem.features.cols);
  autograd::ParameterBlock<T> parameters(context, autoencoder.layout(), 3);
  const StepLoss loss =
      training_step<T>(context, Communicator(), autoencoder, parameters, problem.graph.view(),
                       problem.features, mask, problem.train, 2, problem.path);
  StepResult result{loss, on_host<T>(context, parameters.gradients()), {}};
  parameters.adam_step(context, {}, 1);
  result.parameters = on_host<T>(context, parameters.values());
  return result;
}

template <class T>
void expect_same_step(Context& cuda, const Problem<T>& problem, const MaskDraw& mask) {
  Context cpu = cpu_context(2);

  const StepResult want = one_step(cpu, problem, mask);
  const StepResult got = one_step(cuda, problem, mask);

  EXPECT_NEAR(got.loss.total, want.loss.total, kTolerance<T>);
  EXPECT_TRUE(near(got.gradients, want.gradients, test::relative_error(kTolerance<T>)));
  if constexpr (sizeof(T) == 8) {
    // Adam divides a gradient by its own size: where nothing but rounding is left of one, only its
    // sign moves the parameter. 1e-3 of a learning rate is far above what the others differ by.
    for (std::size_t i = 0; i < want.parameters.size(); ++i) {
      if (std::abs(want.gradients[i]) < 1e-12) continue;
      ASSERT_NEAR(got.parameters[i], want.parameters[i], 5e-6) << i;
    }
  }
}

template <class T>
class TrainingOnCuda : public testing::Test {
 protected:
  Context cuda_ = cuda_context(0, 1);
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(TrainingOnCuda, Scalars);

TYPED_TEST(TrainingOnCuda, StepOfTheGoldenProblemIsTheCpus) {
  M2ST_NEEDS_SHARED("golden/tiny");
  using T = TypeParam;
  const test::Golden<T> golden(this->cuda_);
  Problem<T> problem{golden.config, TrainConfig(), golden.graph, golden.features.view()};
  for (const Path path : {Path::kFused, Path::kAggregated, Path::kPlain}) {
    problem.path = path;
    expect_same_step(this->cuda_, problem, golden.mask);
  }
}

TYPED_TEST(TrainingOnCuda, StepWithDropoutAndReplacementsIsTheCpus) {
  using T = TypeParam;
  const test::Tissue tissue = test::small_tissue(this->cuda_, 130, 20);
  const Matrix<T> features = converted<T>(this->cuda_, tissue.view());
  Problem<T> problem{{}, {}, tissue.graph, features.view()};
  problem.config.hidden = 32;
  problem.train.replace_rate = 0.2;
  const MaskDraw mask = draw_mask(5, 2, 0.5, 0.2, tissue.graph.ids);
  for (const Path path : {Path::kFused, Path::kAggregated, Path::kPlain}) {
    problem.path = path;
    expect_same_step(this->cuda_, problem, mask);
  }
}

TYPED_TEST(TrainingOnCuda, EveryVariantOfTheModelIsTheCpus) {
  using T = TypeParam;
  const test::Tissue tissue = test::small_tissue(this->cuda_, 40, 9);
  const Matrix<T> features = converted<T>(this->cuda_, tissue.view());
  Problem<T> problem{{}, {}, tissue.graph, features.view()};
  problem.config.hidden = 16;
  problem.config.head_merge = HeadMerge::kSum;
  problem.config.remask = Remask::kLearnable;
  problem.config.shared_activation = true;
  problem.train.loss = LossKind::kMse;

  expect_same_step(this->cuda_, problem, draw_mask(5, 2, 0.5, 0, tissue.graph.ids));
  expect_same_step(this->cuda_, problem, token_mask({}, tissue.graph.ids));
}

TEST(TrainingOnCudaData, StepOfTwoHundredStarmapCellsIsTheCpus) {
  M2ST_NEEDS_SHARED("data/starmap_m2st");
  Context cuda = cuda_context(0, 1);
  const test::StarmapPart part(cuda.host(), 200);
  const Matrix<double> features = converted<double>(cuda, part.features.view());
  const Problem<double> problem{{}, {}, part.graph, features.view()};

  expect_same_step(cuda, problem, draw_mask(1, 2, 0.5, 0, part.graph.ids));
}

TEST(TrainingOnCudaRuns, LossesAndEmbeddingsOfTenEpochsAreTheCpus) {
  Context cuda = cuda_context(0, 1), cpu = cpu_context(2);
  const test::Tissue tissue = test::small_tissue(cuda, 60, 12);
  AutoencoderConfig config;
  config.hidden = 16;
  TrainConfig train;
  train.epochs = 10;

  const TrainResult want =
      train_and_embed(cpu, tissue.graph, tissue.view(), config, train, TrainHooks());
  const TrainResult got =
      train_and_embed(cuda, tissue.graph, tissue.view(), config, train, TrainHooks());
  const TrainResult again =
      train_and_embed(cuda, tissue.graph, tissue.view(), config, train, TrainHooks());

  ASSERT_EQ(got.losses.size(), 10u);
  for (std::size_t epoch = 0; epoch < 10; ++epoch) {
    EXPECT_NEAR(got.losses[epoch], want.losses[epoch], 1e-5 * want.losses[epoch]);
  }
  EXPECT_EQ(again.losses, got.losses);
  for (std::size_t scale = 0; scale < want.embeddings.size(); ++scale) {
    EXPECT_TRUE(near(got.embeddings[scale].span(), want.embeddings[scale].span(),
                     test::relative_error(1e-3)));
  }
}

}  // namespace
}  // namespace m2st::model
