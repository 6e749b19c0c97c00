// Leading eigenpairs on CUDA against the CPU's, which have tests of their own. The operator works
// on the device, and the spectrum falls fast, so that a few products are enough for the executor
// too.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/copy.h"
#include "engine/cuda_context.h"
#include "kernels/gemm.h"
#include "kernels/leading_eigen.h"
#include "kernels/linear_algebra.h"
#include "tests/support/random_dense.h"

namespace m2st::kernels {
namespace {

constexpr std::int64_t kSize = 160, kCount = 4;
// Residuals are below 1e-10 of each value and the gaps are half of it: values are right to the
// square of that, vectors to twice of it.
constexpr double kValueTolerance = 1e-12, kVectorTolerance = 1e-9;

// Σ 2⁻ᵏ q qᵀ over columns of random numbers made orthonormal: eigenvalues 1, 1/2, 1/4, ...
std::vector<double> falling_spectrum(CpuContext& context) {
  const auto random = test::random_dense<double>(kSize, kSize, 5);
  Matrix<double> basis(context.pool(), kSize, kSize), scaled(context.pool(), kSize, kSize);
  orthonormalise<double>(context, {random.values.data(), kSize, kSize}, basis.view());
  for (std::int64_t i = 0; i < kSize; ++i) {
    for (std::int64_t k = 0; k < kSize; ++k) {
      scaled(i, k) = std::ldexp(basis(i, k), -static_cast<int>(k));
    }
  }
  std::vector<double> a(static_cast<std::size_t>(kSize * kSize));
  gemm<double>(context, Layout::kPlain, Layout::kTransposed, 1.0, scaled.view(), basis.view(), 0.0,
               {a.data(), kSize, kSize});
  return a;
}

TEST(LeadingEigenOnCuda, MatchesTheCpu) {
  if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
    GTEST_SKIP() << "no CUDA device: " << reason;
  }
  CpuContext cpu(2);
  CudaContext cuda(0);
  const std::vector<double> a = falling_spectrum(cpu);
  std::vector<double> expected_values(kCount), expected(kCount * kSize), values(kCount),
      vectors(kCount * kSize);
  const auto on_cpu = [&](MatrixView<const double> x, MatrixView<double> out) {
    gemm<double>(cpu, Layout::kPlain, Layout::kPlain, 1.0, x, {a.data(), kSize, kSize}, 0.0, out);
  };
  ASSERT_TRUE(leading_eigen(cpu, kSize, on_cpu, expected_values, {expected.data(), kCount, kSize}));

  Matrix<double> there(cuda.pool(), kSize, kSize), found(cuda.pool(), kCount, kSize);
  copy_in<double>(cuda, a, there.span());
  const auto on_cuda = [&](MatrixView<const double> x, MatrixView<double> out) {
    gemm<double>(cuda, Layout::kPlain, Layout::kPlain, 1.0, x, there.view(), 0.0, out);
  };
  ASSERT_TRUE(leading_eigen(cuda, kSize, on_cuda, values, found.view()));
  copy_out<double>(cuda, std::as_const(found).span(), vectors);

  for (std::int64_t i = 0; i < kCount; ++i) {
    EXPECT_NEAR(values[i], std::ldexp(1.0, -static_cast<int>(i)), kValueTolerance);
    EXPECT_NEAR(values[i], expected_values[i], kValueTolerance);
    for (std::int64_t c = i * kSize; c < (i + 1) * kSize; ++c) {
      EXPECT_NEAR(vectors[c], expected[c], kVectorTolerance) << i;
    }
  }
}

}  // namespace
}  // namespace m2st::kernels
