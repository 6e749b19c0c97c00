// Products by cuBLASLt: against three loops, in strides of any kind, in graphs, and what happens
// where the library or an algorithm is missing. Without the library they are skipped.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/copy.h"
#include "engine/cublas_lt.h"
#include "engine/cuda_graph.h"
#include "kernels/gemm.h"
#include "tests/cuda/on_device.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st {
namespace {

using kernels::Layout;
using test::near;
using test::random_values;
using test::relative_error;

// Operands in float32 have 24 bits, in TF32 11, in BF16 8: half a step of each factor, and more for
// hardware that cuts bits off.
double operand_error(MatmulPrecision precision) {
  return precision == MatmulPrecision::kHighest ? 0
         : precision == MatmulPrecision::kHigh  ? 2e-3
                                                : 1e-2;
}

class CublasLtOnCuda : public test::OnDevice<CudaContext> {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    try {
      cuda_->use_cublas_lt(std::make_shared<CublasLt>(*cuda_));
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  Matrix<float> there(const std::vector<float>& values, std::int64_t rows, std::int64_t cols) {
    Matrix<float> matrix(cuda_->pool(), rows, cols);
    copy_in<float>(*cuda_, values, matrix.span());
    return matrix;
  }
  std::vector<float> here(const Matrix<float>& matrix) {
    std::vector<float> values(static_cast<std::size_t>(matrix.size()));
    copy_out<float>(*cuda_, matrix.span(), values);
    return values;
  }
};

struct Sizes {
  std::int64_t rows, cols, depth;
};

std::vector<double> three_loops(const Sizes& s, bool at, bool bt, const std::vector<float>& a,
                                const std::vector<float>& b, const std::vector<float>& before) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.cols; ++j) {
      double sum = -0.5 * static_cast<double>(before[i * s.cols + j]);
      for (std::int64_t p = 0; p < s.depth; ++p) {
        sum += 2.0 * static_cast<double>(at ? a[p * s.rows + i] : a[i * s.depth + p]) *
               static_cast<double>(bt ? b[j * s.depth + p] : b[p * s.cols + j]);
      }
      out.push_back(sum);
    }
  }
  return out;
}

// Sides that the library takes and that it leaves to the engine's own product, widths of any
// alignment, and a sum long enough to be split.
TEST_F(CublasLtOnCuda, MultipliesAsThreeLoopsDo) {
  for (const Sizes& s : {Sizes{16, 16, 16}, Sizes{33, 17, 31}, Sizes{40, 24, 600},
                         Sizes{100, 64, 80}, Sizes{15, 40, 40}, Sizes{1, 1, 1}}) {
    for (const bool at : {false, true}) {
      for (const bool bt : {false, true}) {
        const auto a = random_values<float>(s.rows * s.depth, 1);
        const auto b = random_values<float>(s.depth * s.cols, 2);
        const auto before = random_values<float>(s.rows * s.cols, 3);
        const auto want = three_loops(s, at, bt, a, b, before);
        const auto left = there(a, at ? s.depth : s.rows, at ? s.rows : s.depth);
        const auto right = there(b, bt ? s.cols : s.depth, bt ? s.depth : s.cols);
        for (const auto precision :
             {MatmulPrecision::kHighest, MatmulPrecision::kHigh, MatmulPrecision::kMedium}) {
          const MatmulPrecisionScope scope(*cuda_, precision);
          auto out = there(before, s.rows, s.cols);

          kernels::gemm<float>(*cuda_, at ? Layout::kTransposed : Layout::kPlain,
                               bt ? Layout::kTransposed : Layout::kPlain, 2, left.view(),
                               right.view(), -0.5f, out.view());

          // 600 terms of float32 in any order.
          EXPECT_TRUE(near(here(out), want, relative_error(2e-6 + operand_error(precision))))
              << s.rows << " x " << s.cols << " x " << s.depth << at << bt;
        }
      }
    }
  }
}

// The library knows no lists of rows: they are gathered for it, in float32 too.
TEST_F(CublasLtOnCuda, MultipliesListedRows) {
  const std::int64_t all = 90, depth = 45, rows = 20, cols = 33;
  const auto a = random_values<float>(all * rows, 1);
  const auto b = random_values<float>(depth * cols, 2);
  std::vector<std::int32_t> list;
  for (std::int64_t p = 0; p < depth; ++p) list.push_back(static_cast<std::int32_t>(2 * p + 1));
  std::vector<double> want(static_cast<std::size_t>(rows * cols), 0);
  for (std::int64_t p = 0; p < depth; ++p) {
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      want[static_cast<std::size_t>(i)] += static_cast<double>(a[list[p] * rows + i / cols]) *
                                           static_cast<double>(b[p * cols + i % cols]);
    }
  }
  const auto left = there(a, all, rows), right = there(b, depth, cols);
  Array<std::int32_t> listed(cuda_->pool(), depth);
  copy_in<std::int32_t>(*cuda_, list, listed.span());
  for (const auto precision :
       {MatmulPrecision::kHighest, MatmulPrecision::kHigh, MatmulPrecision::kMedium}) {
    const MatmulPrecisionScope scope(*cuda_, precision);
    Matrix<float> out(cuda_->pool(), rows, cols);

    kernels::gemm_of_rows<float>(*cuda_, std::as_const(listed).span(), left.view(), right.view(), 0,
                                 out.view());

    EXPECT_TRUE(near(here(out), want, relative_error(2e-6 + operand_error(precision))));
  }
}

// Rows of a wider matrix, from an odd place on: no address has more than its own 4 bytes.
TEST_F(CublasLtOnCuda, TakesPartsOfWiderMatrices) {
  const Sizes s{20, 30, 40};
  const std::int64_t stride = 61;
  const auto a = random_values<float>(s.rows * stride, 1);
  const auto b = random_values<float>(s.depth * stride, 2);
  std::vector<double> want(static_cast<std::size_t>(s.rows * stride), -7);
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.cols; ++j) {
      double sum = 0;
      for (std::int64_t p = 0; p < s.depth; ++p) {
        sum +=
            static_cast<double>(a[i * stride + 3 + p]) * static_cast<double>(b[p * stride + 5 + j]);
      }
      want[static_cast<std::size_t>(i * stride + 1 + j)] = sum;
    }
  }
  const auto left = there(a, s.rows, stride), right = there(b, s.depth, stride);
  auto out =
      there(std::vector<float>(static_cast<std::size_t>(s.rows * stride), -7), s.rows, stride);

  const bool done = cuda_->cublas_lt()->multiply(*cuda_, {MatmulPrecision::kHighest,
                                                          {left.data() + 3, stride, false},
                                                          {right.data() + 5, stride, false},
                                                          s.rows,
                                                          s.cols,
                                                          s.depth,
                                                          1,
                                                          0,
                                                          out.data() + 1,
                                                          stride});

  ASSERT_TRUE(done);
  EXPECT_TRUE(near(here(out), want, relative_error(1e-6)));
}

// What it was asked for once it does again, to the bit, on its own and from a graph.
TEST_F(CublasLtOnCuda, RepeatsToTheBit) {
  const auto left = there(random_values<float>(50 * 900, 1), 900, 50);
  const auto right = there(random_values<float>(900 * 40, 2), 900, 40);
  for (const auto precision :
       {MatmulPrecision::kHighest, MatmulPrecision::kHigh, MatmulPrecision::kMedium}) {
    const MatmulPrecisionScope scope(*cuda_, precision);
    Matrix<float> out(cuda_->pool(), 50, 40);
    CudaGraph graph([&] {
      kernels::gemm<float>(*cuda_, Layout::kTransposed, Layout::kPlain, 1, left.view(),
                           right.view(), 0, out.view());
    });
    graph.run(*cuda_);
    const std::vector<float> want = here(out);
    for (int k = 0; k < 3; ++k) {
      copy_in<float>(*cuda_, std::vector<float>(2000, NAN), out.span());

      graph.run(*cuda_);

      EXPECT_EQ(here(out), want);
    }
    EXPECT_EQ(graph.captured(), cuda_->pool().keeps_blocks());
  }
}

TEST_F(CublasLtOnCuda, SaysWhichVersionItIs) {
  const std::string version = cuda_->cublas_lt()->version();

  EXPECT_EQ(version.substr(0, 3) == "13." || version.substr(0, 3) == "12.", true) << version;
}

TEST_F(CublasLtOnCuda, MissingLibraryIsNamedAndEndsWithTheDevicesCode) {
  test::expect_error(ExitCode::kDevice, {"cuBLASLt", "libnobodyhasthis.so.1", "libnorthis.so"},
                     [&] {
                       CublasLt(*cuda_, {"libnobodyhasthis.so.1", "libnorthis.so"});
                     });
  // One that is there and is something else.
  test::expect_error(ExitCode::kDevice, {"cuBLASLt", "has no cublasLtCreate"},
                     [&] { CublasLt(*cuda_, {"libm.so.6"}); });
}

}  // namespace
}  // namespace m2st
