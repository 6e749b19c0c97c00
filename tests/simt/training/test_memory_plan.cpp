// The plan of a device's memory against what the stand-in device hands out: every block counts, of
// the lanes' own pools too, while it is kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <type_traits>

#include "model/memory_plan.h"
#include "model/trainer.h"
#include "tests/model/tissue.h"
#include "tests/training_cuda/library_products.h"

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

// What is taken when the second epoch, captured from the first, has run; of single steps, whose
// blocks are passed on, the most that was.
std::int64_t measured(Context& cuda, const test::Tissue& tissue, const AutoencoderConfig& config,
                      const TrainConfig& train) {
  const std::int64_t before = free_bytes(cuda);
  const auto in_use = static_cast<std::int64_t>(cuda.pool().in_use());
  cuda.pool().reset_peak();
  std::int64_t least = before;
  TrainHooks hooks;
  hooks.progress = [&](const EpochReport&) {
    least = std::min(least, free_bytes(cuda));
    return true;
  };
  train_and_embed(cuda, tissue.graph, tissue.view(), config, train, hooks);
  if (train.recompute) return static_cast<std::int64_t>(cuda.pool().peak()) - in_use;
  return before - least;
}

struct Case {
  std::int64_t cells, width;
  int hidden, scales;
  bool recompute = false;

  AutoencoderConfig autoencoder() const {
    AutoencoderConfig config;
    config.hidden = hidden;
    config.scales = scales;
    return config;
  }
  TrainConfig train(MatmulPrecision precision) const {
    TrainConfig config;
    config.epochs = 1;
    config.recompute = recompute;
    config.matmul_precision = precision;
    return config;
  }
};

// In place of its bytes, some of which are no member's.
void PrintTo(const Case& job, std::ostream* out) {
  *out << job.cells << " x " << job.width << ", hidden " << job.hidden << ", scales " << job.scales
       << (job.recompute ? ", low" : "");
}

struct Bytes {
  std::int64_t planned, taken;
};

class DeviceMemoryPlan : public testing::TestWithParam<Case> {};

Bytes bytes_of(Context& cuda, const Case& job, const TrainConfig& train, PlanFor where) {
  const test::Tissue tissue = test::small_tissue(cuda, job.cells, job.width);
  const AutoencoderConfig config = job.autoencoder();
  return {planned_training_bytes({job.cells, tissue.graph.view().edges(), job.width}, config, train,
                                 where),
          measured(cuda, tissue, config, train)};
}

void expect_near(const Bytes& bytes) {
  const double ratio = static_cast<double>(bytes.planned) / static_cast<double>(bytes.taken);
  testing::Test::RecordProperty("planned_over_taken", std::to_string(ratio));
  EXPECT_NEAR(ratio, 1, kTolerance) << "planned " << bytes.planned << ", taken " << bytes.taken;
}

TEST_P(DeviceMemoryPlan, IsWithinATenthOfWhatTrainingTakes) {
  Context cuda = cuda_context(0, 1);

  expect_near(
      bytes_of(cuda, GetParam(), GetParam().train(MatmulPrecision::kHighest), PlanFor::kDevice));
}

INSTANTIATE_TEST_SUITE_P(Sizes, DeviceMemoryPlan,
                         testing::Values(Case{300, 24, 32, 2}, Case{700, 40, 64, 2},
                                         Case{1200, 20, 16, 1}, Case{500, 60, 32, 3},
                                         Case{700, 40, 64, 2, true}, Case{2000, 200, 64, 2, true},
                                         Case{600, 200, 256, 2, true}, Case{1200, 20, 16, 1, true},
                                         Case{900, 60, 32, 3, true}));

struct LibraryCase : Case {
  MatmulPrecision precision;
};

void PrintTo(const LibraryCase& job, std::ostream* out) {
  PrintTo(static_cast<const Case&>(job), out);
  *out << (job.precision == MatmulPrecision::kMedium ? ", medium" : ", high");
}

class DeviceMemoryPlanByCublasLt : public testing::TestWithParam<LibraryCase> {};

// Without the lanes' workspaces, all alike and far larger than anything here. With recomputing a
// workspace comes and goes with its product.
TEST_P(DeviceMemoryPlanByCublasLt, CountsCopiesAndWorkspaces) {
  const LibraryCase& job = GetParam();
  Context cuda = cuda_context(0, 1);
  ASSERT_EQ(test::why_not_by_cublas_lt(cuda), "");

  Bytes bytes = bytes_of(cuda, job, job.train(job.precision), PlanFor::kDeviceAndLibrary);

  const int lanes = job.recompute ? 0 : job.scales;
  bytes.planned -= lanes * kLibraryWorkspaceBytes;
  bytes.taken -= lanes * kLibraryWorkspaceBytes;
  expect_near(bytes);
}

// The stand-in wants a workspace from 512 nodes on.
INSTANTIATE_TEST_SUITE_P(
    Sizes, DeviceMemoryPlanByCublasLt,
    testing::Values(LibraryCase{{700, 40, 64, 2}, MatmulPrecision::kHigh},
                    LibraryCase{{700, 40, 64, 2}, MatmulPrecision::kMedium},
                    LibraryCase{{1200, 20, 32, 1}, MatmulPrecision::kMedium},
                    LibraryCase{{600, 60, 64, 3}, MatmulPrecision::kMedium},
                    LibraryCase{{2500, 200, 64, 2, true}, MatmulPrecision::kMedium},
                    LibraryCase{{2500, 200, 64, 2, true}, MatmulPrecision::kHigh}));

}  // namespace
}  // namespace m2st::model
