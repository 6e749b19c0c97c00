// Training with products of reduced precision on CUDA, by the engine's own kernel and by cuBLASLt,
// against the CPU's, which rounds operands by the same rule.
#include <gtest/gtest.h>

#include <cmath>

#include "model/trainer.h"
#include "tests/model/tissue.h"
#include "tests/training_cuda/library_products.h"

namespace m2st::model {
namespace {

// A device sums rows before it projects them, so other values are rounded than on the CPU, and Adam
// amplifies that.
double tolerance(MatmulPrecision precision) {
  switch (precision) {
    case MatmulPrecision::kHighest:
      return 1e-5;
    case MatmulPrecision::kHigh:
      return 5e-3;
    case MatmulPrecision::kMedium:
      return 2e-2;
  }
  return 0;
}

constexpr MatmulPrecision kAll[] = {MatmulPrecision::kHighest, MatmulPrecision::kHigh,
                                    MatmulPrecision::kMedium};

std::vector<double> losses(Context& context, const test::Tissue& tissue,
                           MatmulPrecision precision) {
  AutoencoderConfig config;
  config.hidden = 32;
  TrainConfig train;
  train.epochs = 3;
  train.matmul_precision = precision;
  return train_and_embed(context, tissue.graph, tissue.view(), config, train, TrainHooks()).losses;
}

void expect_the_cpus(Context& cuda) {
  Context cpu = cpu_context(2);
  const test::Tissue tissue = test::small_tissue(cpu, 40, 16);
  for (const MatmulPrecision precision : kAll) {
    const std::vector<double> want = losses(cpu, tissue, precision);
    const std::vector<double> got = losses(cuda, tissue, precision);
    const std::vector<double> again = losses(cuda, tissue, precision);

    ASSERT_EQ(got.size(), want.size());
    for (std::size_t epoch = 0; epoch < want.size(); ++epoch) {
      EXPECT_NEAR(got[epoch], want[epoch], tolerance(precision) * want[epoch]) << epoch;
    }
    EXPECT_EQ(again, got);
  }
}

TEST(PrecisionOnCuda, OwnProductsGiveTheCpusLosses) {
  Context cuda = cuda_context(0, 1);
  expect_the_cpus(cuda);
}

TEST(PrecisionOnCuda, CublasLtGivesTheCpusLosses) {
  Context cuda = cuda_context(0, 1);
  if (const std::string reason = test::why_not_by_cublas_lt(cuda); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  expect_the_cpus(cuda);
}

TEST(PrecisionOnCuda, ChangesTheLosses) {
  Context cuda = cuda_context(0, 1);
  const test::Tissue tissue = test::small_tissue(cuda, 40, 16);
  const std::vector<double> highest = losses(cuda, tissue, MatmulPrecision::kHighest);
  const std::vector<double> high = losses(cuda, tissue, MatmulPrecision::kHigh);
  const std::vector<double> medium = losses(cuda, tissue, MatmulPrecision::kMedium);

  EXPECT_NE(highest, high);
  EXPECT_NE(high, medium);
  EXPECT_EQ(cuda.matmul_precision(), MatmulPrecision::kHighest);
}

}  // namespace
}  // namespace m2st::model
