// Storage in BF16: rounding, and that everything made of stored operands is what kMedium makes of
// the float32 ones, to the bit.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/bfloat16.h"
#include "kernels/dropout.h"
#include "kernels/gemm.h"
#include "test_backend.h"
#include "tests/support/random_graph.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::random_values;

constexpr RandomKey kKey = {11, stream_of(Purpose::kTest, 4), 2};
const std::int64_t kSizes[] = {0, 1, 31, 32, 33, 40000};

Matrix<float> random_matrix(Backend& context, std::int64_t rows, std::int64_t cols,
                            std::uint64_t seed) {
  Matrix<float> x(context.pool(), rows, cols);
  const std::vector<float> values = random_values<float>(rows * cols, seed);
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

Matrix<BFloat16> rounded(Backend& context, const Matrix<float>& x) {
  Matrix<BFloat16> out(context.pool(), x.rows(), x.cols());
  round_to_bfloat16(context, x.span(), out.span());
  return out;
}

template <class T>
bool same_bytes(const Matrix<T>& a, const Matrix<T>& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(T)) == 0;
}

TEST(BFloat16, RoundsToNearestTiesToEven) {
  const float step = std::ldexp(1.0f, -7);  // of numbers from 1 to 2
  EXPECT_EQ(to_float(to_bfloat16(1 + step)), 1 + step);
  EXPECT_EQ(to_float(to_bfloat16(1 + step / 2)), 1.0f);
  EXPECT_EQ(to_float(to_bfloat16(1 + 3 * step / 2)), 1 + 2 * step);
  EXPECT_EQ(to_float(to_bfloat16(-(1 + 0.51f * step))), -(1 + step));
  EXPECT_EQ(to_bfloat16(-0.0f).bits, 0x8000);
  EXPECT_EQ(to_float(to_bfloat16(std::numeric_limits<float>::max())),
            std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(BFloat16, KeepsWhatFits) {
  for (std::uint32_t bits = 0; bits < 0x7F80; bits += 7) {
    const BFloat16 value{static_cast<std::uint16_t>(bits)};
    EXPECT_EQ(to_bfloat16(to_float(value)).bits, value.bits);
  }
}

TEST(BFloat16, ConvertsArraysOfEverySize) {
  Backend context(2);
  for (const std::int64_t size : kSizes) {
    const Matrix<float> x = random_matrix(context, 1, size, 5);
    const Matrix<BFloat16> stored = rounded(context, x);
    Matrix<float> back(context.pool(), 1, size);
    widen_to_float(context, stored.span(), back.span());
    for (std::int64_t i = 0; i < size; ++i) {
      ASSERT_EQ(stored(0, i).bits, to_bfloat16(x(0, i)).bits) << i << " of " << size;
      ASSERT_EQ(back(0, i), to_float(to_bfloat16(x(0, i)))) << i << " of " << size;
    }
  }
}

// In value: a dropped element's zero may have either sign.
TEST(BFloat16, DropoutIsThatOfFloat32Rounded) {
  for (const int threads : {1, 3}) {
    Backend context(threads);
    for (const std::int64_t rows : {0, 1, 33, 300}) {
      for (const std::int64_t cols : {1, 7, 8, 33, 256}) {
        for (const double probability : {0.0, 0.3}) {
          const Matrix<float> x = random_matrix(context, rows, cols, 6);
          std::vector<std::int32_t> ids;
          for (std::int32_t r = 0; r < rows; ++r) ids.push_back(5 * r + 3);
          Matrix<float> dropped(context.pool(), rows, cols);
          dropout<float>(context, kKey, probability, ids, x.view(), dropped.view(),
                         Accumulate::kOverwrite);
          Matrix<BFloat16> stored(context.pool(), rows, cols);
          dropout_to_bfloat16(context, kKey, probability, ids, x.view(), stored.view());
          for (std::int64_t i = 0; i < x.size(); ++i) {
            ASSERT_EQ(to_float(stored.data()[i]), to_float(to_bfloat16(dropped.data()[i])))
                << i << " of " << rows << " x " << cols << ", probability " << probability;
          }
        }
      }
    }
  }
}

struct Shape {
  std::int64_t rows, cols, depth;
};

TEST(BFloat16, ProductsAreThoseOfMediumPrecision) {
  const Shape shapes[] = {{1, 1, 1},     {14, 32, 256}, {15, 33, 257}, {13, 31, 255},
                          {31, 7, 1500}, {169, 65, 40}, {5, 100, 600}, {18, 64, 1100},
                          {0, 5, 3},     {40, 16, 0}};
  for (const int threads : {1, 3}) {
    Backend context(threads);
    for (const Shape& shape : shapes) {
      for (const Layout layout_a : {Layout::kPlain, Layout::kTransposed}) {
        for (const Layout layout_b : {Layout::kPlain, Layout::kTransposed}) {
          const bool at = layout_a == Layout::kTransposed;
          const bool bt = layout_b == Layout::kTransposed;
          const Matrix<float> a = random_matrix(context, at ? shape.depth : shape.rows,
                                                at ? shape.rows : shape.depth, 1);
          const Matrix<float> b = random_matrix(context, bt ? shape.cols : shape.depth,
                                                bt ? shape.depth : shape.cols, 2);
          Matrix<float> want = random_matrix(context, shape.rows, shape.cols, 3);
          Matrix<float> got = random_matrix(context, shape.rows, shape.cols, 3);
          {
            const MatmulPrecisionScope medium(context, MatmulPrecision::kMedium);
            gemm<float>(context, layout_a, layout_b, 2, a.view(), b.view(), -0.5f, want.view());
          }
          gemm_of_bfloat16(context, layout_a, layout_b, 2, rounded(context, a).view(),
                           rounded(context, b).view(), -0.5f, got.view());
          EXPECT_TRUE(same_bytes(got, want))
              << shape.rows << " x " << shape.cols << " x " << shape.depth << " " << at << bt;
        }
      }
    }
  }
}

TEST(BFloat16, RefusesShapesThatDoNotFit) {
  Backend context(1);
  Matrix<float> x(context.pool(), 2, 3), out(context.pool(), 2, 2);
  Matrix<BFloat16> small(context.pool(), 2, 2), a(context.pool(), 2, 3);
  EXPECT_THROW(round_to_bfloat16(context, x.span(), small.span()), Error);
  EXPECT_THROW(widen_to_float(context, a.span(), out.span()), Error);
  const std::vector<std::int32_t> ids = {0, 1};
  EXPECT_THROW(dropout_to_bfloat16(context, kKey, 0.5, ids, x.view(), small.view()), Error);
  EXPECT_THROW(gemm_of_bfloat16(context, Layout::kPlain, Layout::kPlain, 1, a.view(), a.view(), 0,
                                out.view()),
               Error);
}

}  // namespace
}  // namespace m2st::kernels
