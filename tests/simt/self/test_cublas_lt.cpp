// The stand-in for cuBLASLt: it is what programs open, it is as strict as the library, and a
// product that it knows no algorithm for is the engine's own.
#include <cublasLt.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "engine/array.h"
#include "engine/copy.h"
#include "engine/cublas_lt.h"
#include "kernels/gemm.h"
#include "tests/support/expect_error.h"

namespace m2st::simt {
namespace {

// One row-major product of ones, 20 × 20 × `depth`.
struct Product {
  CudaContext cuda;
  CublasLt library{cuda};
  Matrix<float> a, b, out;
  LibraryProduct described;

  explicit Product(std::int64_t depth = 20)
      : a(cuda.pool(), 20, depth), b(cuda.pool(), depth, 20), out(cuda.pool(), 20, 20) {
    copy_in<float>(cuda, std::vector<float>(static_cast<std::size_t>(a.size()), 1), a.span());
    copy_in<float>(cuda, std::vector<float>(static_cast<std::size_t>(b.size()), 1), b.span());
    described = {MatmulPrecision::kHighest,
                 {a.data(), depth, false},
                 {b.data(), 20, false},
                 20,
                 20,
                 depth,
                 1,
                 0,
                 out.data(),
                 20};
  }
  bool multiply() { return library.multiply(cuda, described); }
  std::vector<float> result() {
    std::vector<float> values(400);
    copy_out<float>(cuda, out.span(), values);
    return values;
  }
};

TEST(CublasLtStandIn, IsWhatTheEngineOpens) {
  Product product(700);

  EXPECT_TRUE(product.multiply());

  EXPECT_EQ(product.library.version(), "13.0.0");
  EXPECT_EQ(product.result(), std::vector<float>(400, 700));
}

TEST(CublasLtStandIn, RefusesRowsThatOverlap) {
  Product product;
  product.described.a.stride = 19;

  test::expect_error(ExitCode::kDevice, {"cuBLASLt", "INVALID_VALUE"}, [&] { product.multiply(); });
}

using CublasLtStandInDeathTest = testing::Test;

TEST(CublasLtStandInDeathTest, ReportsOperandsThatLeaveTheirBlock) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        Product product;
        product.described.a.stride = 40;
        product.multiply();
      },
      "simt: cublasLtMatmul: B: .* do not fit their block");
}

TEST(CublasLtStandInDeathTest, ReportsHostMemory) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        Product product;
        const std::vector<float> host(400, 1);
        product.described.b.data = host.data();
        product.multiply();
      },
      "simt: cublasLtMatmul: A is no device memory");
}

TEST(CublasLtStandIn, LeavesWhatItKnowsNoAlgorithmFor) {
  setenv("M2ST_SIMT_CUBLASLT", "none", 1);
  Product product;
  EXPECT_FALSE(product.multiply());
  product.cuda.use_cublas_lt(std::make_shared<CublasLt>(product.cuda));

  kernels::gemm<float>(product.cuda, kernels::Layout::kPlain, kernels::Layout::kPlain, 1,
                       product.a.view(), product.b.view(), 0, product.out.view());

  unsetenv("M2ST_SIMT_CUBLASLT");
  EXPECT_EQ(product.result(), std::vector<float>(400, 20));
}

}  // namespace
}  // namespace m2st::simt
