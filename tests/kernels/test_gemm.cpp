// gemm against three nested loops in double, over both layouts and every edge of its tiles.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
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

TYPED_TEST(Gemm, OfRowsIsThatOfTheGatheredRowsToTheBit) {
  using T = TypeParam;
  Backend context(2);
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

TYPED_TEST(Gemm, GivesTheSameBytesForAnyNumberOfThreads) {
  using T = TypeParam;
  for (const Shape& shape : {Shape{1500, 70, 130}, Shape{60, 70, 9000}}) {
    std::vector<std::vector<T>> results;
    for (const int threads : {1, 2, 5}) {
      Backend context(threads);
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

}  // namespace
}  // namespace m2st::kernels
