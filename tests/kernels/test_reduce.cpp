// Reductions and the scalings made of them against the naive reference, float and double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/normalise.h"
#include "kernels/reduce.h"
#include "test_backend.h"
#include "tests/reference/columns.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::near;
using test::on_any_threads;
using test::random_values;

constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 1000, 100001};
constexpr std::int64_t kShapes[][2] = {{1, 1}, {31, 32}, {32, 33}, {33, 31}, {65, 3}, {5000, 40}};

// Sums are kept in double; what comes back as T is rounded once.
template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 1e-7 : 1e-14;
// 100 000 numbers below 1 in another order, in double.
constexpr double kSumOrder = 1e-10;

template <class T>
std::vector<double> widen(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}

template <class T>
class Reduce : public ::testing::Test {
 protected:
  Backend context_{1};
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Reduce, Types);

TYPED_TEST(Reduce, SumDotAndMaxMatchPlainLoops) {
  using T = TypeParam;
  for (const std::int64_t size : kSizes) {
    const std::vector<T> x = random_values<T>(size, 1);
    const std::vector<T> y = random_values<T>(size, 2);
    long double total = 0, product = 0;
    double largest = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      total += x[i];
      product += static_cast<long double>(x[i]) * y[i];
      largest = std::max(largest, std::abs(static_cast<double>(x[i])));
    }

    const std::vector<double> out = on_any_threads<Backend>([&](Backend& context) {
      return std::vector<double>{sum<T>(context, x), dot<T>(context, x, y), max_abs<T>(context, x)};
    });

    EXPECT_NEAR(out[0], static_cast<double>(total), kSumOrder);
    EXPECT_NEAR(out[1], static_cast<double>(product), kSumOrder);
    EXPECT_EQ(out[2], largest);
  }
}

TYPED_TEST(Reduce, SumIsNotLostInFloat) {
  using T = TypeParam;
  const std::vector<T> x(10'000'000, T(0.1));

  EXPECT_NEAR(sum<T>(this->context_, x) / 1e7, static_cast<double>(T(0.1)), 1e-12);
}

TYPED_TEST(Reduce, NotFiniteIsSeenAnywhere) {
  using T = TypeParam;
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (const std::int64_t at : {0, 33, 40000, 99999}) {
    std::vector<T> x(100000, std::numeric_limits<T>::max());
    EXPECT_TRUE(all_finite<T>(this->context_, x));

    x[at] = -kInfinity;
    EXPECT_FALSE(all_finite<T>(this->context_, x));
    EXPECT_EQ(max_abs<T>(this->context_, x), std::numeric_limits<double>::infinity());

    x[at] = -kNan;
    EXPECT_FALSE(all_finite<T>(this->context_, x));
    EXPECT_TRUE(std::isnan(max_abs<T>(this->context_, x)));
  }
}

TYPED_TEST(Reduce, ColumnStatisticsMatchReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<T> x = random_values<T>(rows * cols, 1);
    const MatrixView<const T> view{x.data(), rows, cols};
    const int ddof = rows > 1 ? 1 : 0;
    const auto width = static_cast<std::size_t>(cols);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(3 * width, T(5));
      const Span<T> all(result);
      column_sums<T>(context, view, all.first(width), Accumulate::kAdd);
      column_min_max<T>(context, view, all.subspan(width, width), all.last(width));
      return result;
    });
    const std::vector<double> moments = on_any_threads<Backend>([&](Backend& context) {
      std::vector<double> result(2 * width);
      const Span<double> all(result);
      column_moments<T>(context, view, ddof, all.first(width), all.last(width));
      return result;
    });

    reference::ColumnStatistics expected = reference::column_statistics(widen(x), cols, ddof);
    for (double& value : expected.sum) value += 5;
    const Span<const T> all(out);
    const Span<const double> wide(moments);
    EXPECT_TRUE(near(all.first(width), expected.sum, test::relative_error(kRounding<T>)));
    EXPECT_EQ(widen<T>({all.begin() + width, all.begin() + 2 * width}), expected.minimum);
    EXPECT_EQ(widen<T>({all.begin() + 2 * width, all.end()}), expected.maximum);
    EXPECT_TRUE(near(wide.first(width), expected.mean, test::relative_error(1e-12)));
    EXPECT_TRUE(near(wide.last(width), expected.variance, test::relative_error(1e-12)));
  }
}

TYPED_TEST(Reduce, ColumnMomentsSurviveALargeOffset) {
  using T = TypeParam;
  const std::vector<T> x = {T(1e6), T(1e6 + 1), T(1e6 + 2)};
  std::vector<double> mean(1), variance(1);

  column_moments<T>(this->context_, {x.data(), 3, 1}, 1, mean, variance);

  EXPECT_EQ(mean[0], 1e6 + 1);
  EXPECT_EQ(variance[0], 1.0);
}

TYPED_TEST(Reduce, ColumnSumsOfNoRowsAreZero) {
  using T = TypeParam;
  std::vector<T> sums(3, T(7));

  column_sums<T>(this->context_, {nullptr, 0, 3}, sums, Accumulate::kOverwrite);

  EXPECT_EQ(sums, std::vector<T>(3, T(0)));
}

TYPED_TEST(Reduce, RowSquaredNormsMatchPlainLoops) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<T> x = random_values<T>(rows * cols, 1);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(rows);
      row_squared_norms<T>(context, {x.data(), rows, cols}, result);
      return result;
    });

    std::vector<double> expected(rows, 0.0);
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      expected[i / cols] += static_cast<double>(x[i]) * x[i];
    }
    EXPECT_TRUE(near(out, expected, test::relative_error(kRounding<T>)));
  }
}

TYPED_TEST(Reduce, RowsAreScaledToUnitLength) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    std::vector<T> start = random_values<T>(rows * cols, 1);
    std::fill_n(start.begin(), cols, T(0));  // the first row stays zero

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result = start;
      normalise_rows<T>(context, {result.data(), rows, cols});
      return result;
    });

    EXPECT_TRUE(near(out, reference::normalise_rows(widen(start), cols),
                     test::relative_error(kRounding<T>)));
  }
}

TYPED_TEST(Reduce, ColumnsAreScaledToTheUnitInterval) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    std::vector<T> start = random_values<T>(rows * cols, 1);
    for (std::int64_t r = 0; r < rows; ++r) start[r * cols] = T(0.3);  // constant becomes 0

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result = start;
      min_max_columns<T>(context, {result.data(), rows, cols});
      return result;
    });

    // Two subtractions and a division in T.
    EXPECT_TRUE(near(out, reference::min_max_columns(widen(start), cols),
                     test::relative_error(3 * kRounding<T>)));
    EXPECT_EQ(*std::max_element(out.begin(), out.end()), rows > 1 && cols > 1 ? T(1) : T(0));
  }
}

TYPED_TEST(Reduce, AffineColumnsShiftThenScale) {
  using T = TypeParam;
  std::vector<T> x = {T(1), T(2), T(3), T(4)};
  const std::vector<T> shift = {T(1), T(-1)};
  const std::vector<T> factor = {T(10), T(0.5)};

  affine_columns<T>(this->context_, shift, factor, {x.data(), 2, 2});

  EXPECT_EQ(x, (std::vector<T>{T(0), T(1.5), T(20), T(2.5)}));
}

}  // namespace
}  // namespace m2st::kernels
