// The plan of a device's memory against what the stand-in device hands out: every block counts, of
// the lanes' own pools too, while it is kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>

#include "model/memory_plan.h"
#include "model/trainer.h"
#include "tests/model/tissue.h"

namespace m2st::model {
namespace {

constexpr double kTolerance = 0.1;

std::int64_t free_bytes(Context& context) {
  return context.dispatch([](auto& c) -> std::int64_t {
    if constexpr (std::is_same_v<std::decay_t<decltype(c)>, CudaContext>) {
      return c.free_bytes();
    } else {
      return 0;
    }
  });
}

// What is taken when the second epoch, captured from the first, has run.
std::int64_t measured(Context& cuda, const test::Tissue& tissue, const AutoencoderConfig& config,
                      const TrainConfig& train) {
  const std::int64_t before = free_bytes(cuda);
  std::int64_t least = before;
  TrainHooks hooks;
  hooks.progress = [&](const EpochReport&) {
    least = std::min(least, free_bytes(cuda));
    return true;
  };
  train_and_embed(cuda, tissue.graph, tissue.view(), config, train, hooks);
  return before - least;
}

struct Case {
  std::int64_t cells, width;
  int hidden, scales;
  bool recompute;
};

class DeviceMemoryPlan : public testing::TestWithParam<Case> {};

TEST_P(DeviceMemoryPlan, IsWithinATenthOfWhatTrainingTakes) {
  const Case& job = GetParam();
  Context cuda = cuda_context(0, 1);
  const test::Tissue tissue = test::small_tissue(cuda, job.cells, job.width);
  AutoencoderConfig config;
  config.hidden = job.hidden;
  config.scales = job.scales;
  TrainConfig train;
  train.epochs = 1;
  train.recompute = job.recompute;

  const auto taken = static_cast<double>(measured(cuda, tissue, config, train));
  const auto planned = static_cast<double>(planned_training_bytes(
      {job.cells, tissue.graph.view().edges(), job.width}, config, train, PlanFor::kDevice));

  RecordProperty("planned_over_taken", std::to_string(planned / taken));
  EXPECT_NEAR(planned / taken, 1, kTolerance) << "planned " << planned << ", taken " << taken;
}

INSTANTIATE_TEST_SUITE_P(Sizes, DeviceMemoryPlan,
                         testing::Values(Case{300, 24, 32, 2, false}, Case{700, 40, 64, 2, false},
                                         Case{1200, 20, 16, 1, false}, Case{500, 60, 32, 3, false},
                                         Case{700, 40, 64, 2, true}));

}  // namespace
}  // namespace m2st::model
