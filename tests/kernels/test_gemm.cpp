// gemm against three nested loops in double, over both layouts and every edge of its tiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/matmul_precision.h"
#include "engine/random.h"
#include "kernels/gemm.h"
#include "test_backend.h"

namespace m2st::kernels {
namespace {

using test::Backend;

template <class T>
Matrix<T> random_matrix(Backend& context, std::int64_t rows, std::int64_t cols,
                        std::uint32_t index) {
  Matrix<T> x(context.pool(), rows, cols);
  const RandomKey key{7, stream_of(Purpose::kTest, index), 0};
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<T>(random_uniform(key, static_cast<std::uint32_t>(i)) - 0.5);
  }
  return x;
}

template <class T>
T element(const Matrix<T>& x, Layout layout, std::int64_t i, std::int64_t j) {
  return layout == Layout::kTransposed ? x(j, i) : x(i, j);
}

struct Shape {
  std::int64_t rows, cols, depth;
};

template <class T>
class Gemm : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Scalars);

// A sum of `depth` products of numbers below 1/2: rounding grows at most like depth · eps / 4.
template <class T>
double tolerance(std::int64_t depth) {
  return std::numeric_limits<T>::epsilon() * (4.0 + 0.25 * static_cast<double>(depth));
}

TYPED_TEST(Gemm, MatchesThreeLoopsForAllLayoutsAndTileEdges) {
  using T = TypeParam;
  Backend context(2);
  const std::vector<Shape> shapes = {{1, 1, 1},     {14, 32, 256},  {15, 33, 257},
                                     {13, 31, 255}, {169, 65, 300}, {31, 7, 5000},
                                     {1500, 9, 40}, {5, 100, 2049}, {18, 64, 1100}};
  for (const Shape& shape : shapes) {
    for (const Layout layout_a : {Layout::kPlain, Layout::kTransposed}) {
      for (const Layout layout_b : {Layout::kPlain, Layout::kTransposed}) {
        const bool at = layout_a == Layout::kTransposed;
        const bool bt = layout_b == Layout::kTransposed;
        const Matrix<T> a = random_matrix<T>(context, at ? shape.depth : shape.rows,
                                             at ? shape.rows : shape.depth, 1);
        const Matrix<T> b = random_matrix<T>(context, bt ? shape.cols : shape.depth,
                                             bt ? shape.depth : shape.cols, 2);
        const Matrix<T> before = random_matrix<T>(context, shape.rows, shape.cols, 3);
        Matrix<T> out = random_matrix<T>(context, shape.rows, shape.cols, 3);

        gemm<T>(context, layout_a, layout_b, T(2), a.view(), b.view(), T(-0.5), out.view());

        double worst = 0;
        for (std::int64_t i = 0; i < shape.rows; ++i) {
          for (std::int64_t j = 0; j < shape.cols; ++j) {
            double expected = -0.5 * before(i, j);
            for (std::int64_t p = 0; p < shape.depth; ++p) {
              expected += 2.0 * static_cast<double>(element(a, layout_a, i, p)) *
                          static_cast<double>(element(b, layout_b, p, j));
            }
            worst = std::max(worst, std::abs(expected - static_cast<double>(out(i, j))));
          }
        }
        EXPECT_LE(worst, tolerance<T>(shape.depth))
            << shape.rows << " x " << shape.cols << " x " << shape.depth << " " << at << bt;
      }
    }
  }
}

template <class T>
void expect_gathered_rows(Backend& context) {
  for (const std::int64_t count : {0, 1, 31, 33, 600}) {
    const Matrix<T> a = random_matrix<T>(context, 2 * count + 1, 45, 1);
    const Matrix<T> b = random_matrix<T>(context, count, 70, 2);
    Matrix<T> gathered(context.pool(), count, a.cols());
    std::vector<std::int32_t> rows;
    for (std::int64_t r = 0; r < count; ++r) {
      rows.push_back(static_cast<std::int32_t>(2 * (count - r)));
      std::copy_n(a.data() + rows.back() * a.cols(), a.cols(), gathered.data() + r * a.cols());
    }
    Matrix<T> want = random_matrix<T>(context, a.cols(), b.cols(), 3);
    Matrix<T> got = random_matrix<T>(context, a.cols(), b.cols(), 3);

    gemm<T>(context, Layout::kTransposed, Layout::kPlain, T(1), gathered.view(), b.view(), T(2),
            want.view());
    gemm_of_rows<T>(context, rows, a.view(), b.view(), T(2), got.view());

    EXPECT_EQ(0, std::memcmp(got.data(), want.data(), sizeof(T) * want.size())) << count;
  }
}

template <class T>
void expect_same_for_threads(MatmulPrecision precision) {
  for (const Shape& shape : {Shape{1500, 70, 130}, Shape{60, 70, 9000}}) {
    std::vector<std::vector<T>> results;
    for (const int threads : {1, 2, 5}) {
      Backend context(threads);
      const MatmulPrecisionScope scope(context, precision);
      const Matrix<T> a = random_matrix<T>(context, shape.rows, shape.depth, 1);
      const Matrix<T> b = random_matrix<T>(context, shape.depth, shape.cols, 2);
      Matrix<T> out(context.pool(), shape.rows, shape.cols);
      gemm<T>(context, Layout::kPlain, Layout::kPlain, T(1), a.view(), b.view(), T(0), out.view());
      results.emplace_back(out.data(), out.data() + out.size());
    }
    const std::size_t bytes = results[0].size() * sizeof(T);
    EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), bytes), 0);
    EXPECT_EQ(std::memcmp(results[0].data(), results[2].data(), bytes), 0);
  }
}

TYPED_TEST(Gemm, OfRowsIsThatOfTheGatheredRowsToTheBit) {
  Backend context(2);
  expect_gathered_rows<TypeParam>(context);
}

TYPED_TEST(Gemm, GivesTheSameBytesForAnyNumberOfThreads) {
  expect_same_for_threads<TypeParam>(MatmulPrecision::kHighest);
}

TYPED_TEST(Gemm, OverwritesNotANumberWhenBetaIsZero) {
  using T = TypeParam;
  Backend context(2);
  for (const std::int64_t depth : {3, 4000}) {
    const Matrix<T> a = random_matrix<T>(context, 4, depth, 1);
    const Matrix<T> b = random_matrix<T>(context, depth, 3, 2);
    Matrix<T> out(context.pool(), 4, 3);
    for (T& value : out.span()) value = std::numeric_limits<T>::quiet_NaN();
    gemm<T>(context, Layout::kPlain, Layout::kPlain, T(1), a.view(), b.view(), T(0), out.view());
    for (const T value : out.span()) EXPECT_TRUE(std::isfinite(value));
  }
}

TYPED_TEST(Gemm, ScalesOutWhenTheInnerDimensionIsEmpty) {
  using T = TypeParam;
  Backend context(1);
  const Matrix<T> a(context.pool(), 2, 0);
  const Matrix<T> b(context.pool(), 0, 2);
  Matrix<T> out(context.pool(), 2, 2);
  for (T& value : out.span()) value = T(3);
  gemm<T>(context, Layout::kPlain, Layout::kPlain, T(1), a.view(), b.view(), T(2), out.view());
  for (const T value : out.span()) EXPECT_EQ(value, T(6));
}

TYPED_TEST(Gemm, RefusesShapesThatDoNotFit) {
  using T = TypeParam;
  Backend context(1);
  const Matrix<T> a(context.pool(), 2, 3);
  const Matrix<T> b(context.pool(), 4, 2);
  Matrix<T> out(context.pool(), 2, 2);
  EXPECT_THROW(
      gemm<T>(context, Layout::kPlain, Layout::kPlain, T(1), a.view(), b.view(), T(0), out.view()),
      Error);
}

// Products of rounded operands. Where the processor adds two products at a time, that is another
// order of the same sum.
constexpr MatmulPrecision kReduced[] = {MatmulPrecision::kHigh, MatmulPrecision::kMedium};

// The nearest number with so many bits of fraction, ties to even.
double rounded(double x, int bits) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  const double steps = std::ldexp(1.0, bits + 1);
  return std::ldexp(std::nearbyint(mantissa * steps) / steps, exponent);
}

double rounded(double x, MatmulPrecision precision) {
  return precision == MatmulPrecision::kHighest ? x : rounded(x, precision == kReduced[0] ? 10 : 7);
}

TEST(GemmPrecision, IsThatOfThreeLoopsOverRoundedOperands) {
  Backend context(2);
  const std::vector<Shape> shapes = {{1, 1, 1},     {14, 32, 256},  {15, 33, 257}, {13, 31, 255},
                                     {169, 65, 33}, {31, 40, 5001}, {3, 9, 31},    {33, 17, 545}};
  for (const MatmulPrecision precision : kReduced) {
    const MatmulPrecisionScope scope(context, precision);
    for (const Shape& shape : shapes) {
      for (const Layout layout_a : {Layout::kPlain, Layout::kTransposed}) {
        for (const Layout layout_b : {Layout::kPlain, Layout::kTransposed}) {
          const bool at = layout_a == Layout::kTransposed;
          const bool bt = layout_b == Layout::kTransposed;
          const auto a = random_matrix<float>(context, at ? shape.depth : shape.rows,
                                              at ? shape.rows : shape.depth, 1);
          const auto b = random_matrix<float>(context, bt ? shape.cols : shape.depth,
                                              bt ? shape.depth : shape.cols, 2);
          const auto before = random_matrix<float>(context, shape.rows, shape.cols, 3);
          auto out = random_matrix<float>(context, shape.rows, shape.cols, 3);

          gemm<float>(context, layout_a, layout_b, 2, a.view(), b.view(), -0.5f, out.view());

          double worst = 0;
          for (std::int64_t i = 0; i < shape.rows; ++i) {
            for (std::int64_t j = 0; j < shape.cols; ++j) {
              double expected = -0.5 * static_cast<double>(before(i, j));
              for (std::int64_t p = 0; p < shape.depth; ++p) {
                expected += 2.0 * rounded(element(a, layout_a, i, p), precision) *
                            rounded(element(b, layout_b, p, j), precision);
              }
              worst = std::max(worst, std::abs(expected - static_cast<double>(out(i, j))));
            }
          }
          EXPECT_LE(worst, tolerance<float>(shape.depth))
              << shape.rows << " x " << shape.cols << " x " << shape.depth << " " << at << bt;
        }
      }
    }
  }
}

float product_of(Backend& context, float a, float b) {
  float out = -1;
  gemm<float>(context, Layout::kPlain, Layout::kPlain, 1, {&a, 1, 1}, {&b, 1, 1}, 0, {&out, 1, 1});
  return out;
}

TEST(GemmPrecision, RoundsToNearestTiesToEven) {
  Backend context(1);
  const auto step = [](int bits) { return std::ldexp(1.0f, -bits); };
  struct Case {
    float value, high, medium;
  };
  const Case cases[] = {{1 + step(12), 1, 1},
                        {1 + step(9), 1 + step(9), 1},
                        {1 + step(11), 1, 1},
                        {1 + 3 * step(11), 1 + step(9), 1},
                        {-1 - 3 * step(8), -1 - 3 * step(8), -1 - step(6)},
                        {1 + step(7), 1 + step(7), 1 + step(7)},
                        {0, 0, 0}};
  for (const Case& c : cases) {
    EXPECT_EQ(product_of(context, c.value, 1), c.value);
    const MatmulPrecisionScope high(context, MatmulPrecision::kHigh);
    EXPECT_EQ(product_of(context, c.value, 1), c.high);
    EXPECT_EQ(product_of(context, 1, c.value), c.high);
    const MatmulPrecisionScope medium(context, MatmulPrecision::kMedium);
    EXPECT_EQ(product_of(context, c.value, 1), c.medium);
    EXPECT_EQ(product_of(context, 1, c.value), c.medium);
  }
  EXPECT_EQ(context.matmul_precision(), MatmulPrecision::kHighest);
}

TEST(GemmPrecision, KeepsWhatIsNotFinite) {
  Backend context(1);
  for (const MatmulPrecision precision : kReduced) {
    const MatmulPrecisionScope scope(context, precision);
    // Its set bits are all among those that are rounded away.
    const float nan = std::bit_cast<float>(0x7F800001u);
    EXPECT_TRUE(std::isnan(product_of(context, nan, 1)));
    EXPECT_TRUE(std::isnan(product_of(context, 1, -nan)));
    EXPECT_EQ(product_of(context, std::numeric_limits<float>::infinity(), -1),
              -std::numeric_limits<float>::infinity());
    EXPECT_EQ(product_of(context, std::numeric_limits<float>::max(), 1),
              std::numeric_limits<float>::infinity());
  }
}

TEST(GemmPrecision, OfRowsIsThatOfTheGatheredRowsToTheBit) {
  for (const MatmulPrecision precision : kReduced) {
    Backend context(2);
    const MatmulPrecisionScope scope(context, precision);
    expect_gathered_rows<float>(context);
  }
}

TEST(GemmPrecision, GivesTheSameBytesForAnyNumberOfThreads) {
  for (const MatmulPrecision precision : kReduced) expect_same_for_threads<float>(precision);
}

TEST(GemmPrecision, IsOfFloatAlone) {
  Backend context(1);
  const auto a = random_matrix<double>(context, 20, 30, 1);
  const auto b = random_matrix<double>(context, 30, 40, 2);
  Matrix<double> want(context.pool(), 20, 40), got(context.pool(), 20, 40);
  gemm<double>(context, Layout::kPlain, Layout::kPlain, 1, a.view(), b.view(), 0, want.view());

  const MatmulPrecisionScope scope(context, MatmulPrecision::kMedium);
  gemm<double>(context, Layout::kPlain, Layout::kPlain, 1, a.view(), b.view(), 0, got.view());

  EXPECT_EQ(0, std::memcmp(got.data(), want.data(), sizeof(double) * 800));
}

}  // namespace
}  // namespace m2st::kernels
