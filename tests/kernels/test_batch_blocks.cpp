// Small steps on batches against plain loops; blocks of larger matrices leave what is around them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/check.h"
#include "kernels/batch_blocks.h"
#include "test_backend.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using kernels::Accumulate;
using kernels::Layout;
using test::Backend;
using test::near;
using test::random_dense;

template <class T>
constexpr double kRounding = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
// Sums of some thousand squares in any order.
template <class T>
constexpr double kSumRounding = 1000 * static_cast<double>(std::numeric_limits<T>::epsilon());

template <class T>
std::vector<T> values(std::int64_t size, std::uint64_t seed) {
  return random_dense<T>(1, size, seed).values;
}

struct Shape {
  std::int64_t count, rows, cols;
};
const std::vector<Shape> kShapes = {{1, 1, 1}, {1, 31, 33}, {2, 32, 32}, {3, 33, 31}, {4, 7, 130},
                                    {1, 0, 4}, {2, 4, 0},   {0, 3, 3},   {5, 300, 9}};

template <class T>
class BatchBlocks : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(BatchBlocks, Scalars);

// Into a block that begins at row 1, column 2 of larger matrices.
TYPED_TEST(BatchBlocks, CopiesBlocksAndLeavesTheRest) {
  using T = TypeParam;
  Backend context(1);
  for (const Shape& shape : kShapes) {
    for (const Layout layout : {Layout::kPlain, Layout::kTransposed}) {
      for (const Accumulate accumulate : {Accumulate::kOverwrite, Accumulate::kAdd}) {
        const bool plain = layout == Layout::kPlain;
        const std::int64_t rows = shape.rows + 2, cols = shape.cols + 3;
        const auto from = values<T>(shape.count * shape.rows * shape.cols, 1);
        const auto factors = values<T>(shape.count, 2);
        auto out = values<T>(shape.count * rows * cols, 3);
        auto want = out;
        const std::int64_t from_cols = plain ? shape.cols : shape.rows;
        for (std::int64_t s = 0; s < shape.count; ++s) {
          for (std::int64_t i = 0; i < shape.rows; ++i) {
            for (std::int64_t j = 0; j < shape.cols; ++j) {
              const std::int64_t at = plain ? i * from_cols + j : j * from_cols + i;
              const T value = T(0.5) * factors[static_cast<std::size_t>(s)] *
                              from[static_cast<std::size_t>(s * shape.rows * shape.cols + at)];
              T& target = want[static_cast<std::size_t>(s * rows * cols + (i + 1) * cols + j + 2)];
              target = accumulate == Accumulate::kAdd ? target + value : value;
            }
          }
        }

        const BatchView<T> all{out.data(), shape.count, rows, cols, cols, rows * cols};
        kernels::copy_block<T>(context, layout, T(0.5), factors,
                               {from.data(), shape.count, plain ? shape.rows : shape.cols,
                                from_cols, from_cols, shape.rows * shape.cols},
                               all.slice(1, shape.rows).columns(2, shape.cols), accumulate);

        EXPECT_TRUE(near(out, want, test::relative_error(kRounding<T>)));
      }
    }
  }
}

TYPED_TEST(BatchBlocks, CopiesWithoutFactors) {
  using T = TypeParam;
  Backend context(1);
  const auto from = values<T>(3 * 40, 1);
  std::vector<T> out(from.size());

  kernels::copy_block<T>(context, Layout::kPlain, T(1), {}, {from.data(), 3, 5, 8, 8, 40},
                         {out.data(), 3, 5, 8, 8, 40}, Accumulate::kOverwrite);

  EXPECT_EQ(out, from);
}

TYPED_TEST(BatchBlocks, AddsToDiagonalsAndFindsTraces) {
  using T = TypeParam;
  Backend context(1);
  for (const std::int64_t n : {0, 1, 31, 32, 33, 300}) {
    for (const std::int64_t count : {0, 1, 3}) {
      const auto amounts = values<T>(count, 5);
      auto x = values<T>(count * n * n, 6);
      auto want = x;
      std::vector<T> sums(static_cast<std::size_t>(count)), wanted(sums);
      for (std::int64_t s = 0; s < count; ++s) {
        for (std::int64_t i = 0; i < n; ++i) {
          T& entry = want[static_cast<std::size_t>(s * n * n + i * n + i)];
          entry += amounts[static_cast<std::size_t>(s)];
          wanted[static_cast<std::size_t>(s)] += entry;
        }
      }

      kernels::add_to_diagonals<T>(context, amounts, {x.data(), count, n, n, n, n * n});
      kernels::traces<T>(context, {x.data(), count, n, n, n, n * n}, sums);

      EXPECT_EQ(x, want);
      EXPECT_TRUE(near(sums, wanted, test::relative_error(kSumRounding<T>, 1)));
    }
  }
}

TYPED_TEST(BatchBlocks, MakesFinite) {
  using T = TypeParam;
  Backend context(1);
  const T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> x = {1, std::numeric_limits<T>::quiet_NaN(), infinity, -infinity, -3};

  kernels::make_finite<T>(context, T(7), x);

  EXPECT_EQ(x, (std::vector<T>{1, 0, 7, -7, -3}));
}

// With Z Zᵀ = I the rows themselves become unit vectors.
TYPED_TEST(BatchBlocks, RowsBecomeUnitVectors) {
  using T = TypeParam;
  Backend context(1);
  for (const Shape& shape : kShapes) {
    auto map = values<T>(shape.count * shape.rows * shape.cols, 7);
    auto want = map;
    for (std::int64_t r = 0; r < shape.count * shape.rows; ++r) {
      double square = 0;
      const auto entry = [&](std::int64_t c) -> T& {
        return want[static_cast<std::size_t>(r * shape.cols + c)];
      };
      for (std::int64_t c = 0; c < shape.cols; ++c) {
        square += static_cast<double>(entry(c)) * static_cast<double>(entry(c));
      }
      for (std::int64_t c = 0; c < shape.cols; ++c) {
        entry(c) = static_cast<T>(static_cast<double>(entry(c)) / std::sqrt(square));
      }
    }
    auto seen = map;
    const BatchView<T> view{map.data(), shape.count, shape.rows,
                            shape.cols, shape.cols,  shape.rows * shape.cols};
    BatchView<T> products = view;
    products.data = seen.data();

    kernels::unit_rows<T>(context, view, products);

    EXPECT_TRUE(near(map, want, test::relative_error(kRounding<T>)));
    EXPECT_TRUE(near(seen, want, test::relative_error(kRounding<T>)));
  }
}

// 1 − 1 of the products is rounding, not a length.
TYPED_TEST(BatchBlocks, RowsOfRoundingBecomeZero) {
  using T = TypeParam;
  Backend context(1);
  std::vector<T> map = {1, 1, 0, 0}, seen = {1, -1, 0, 0};

  kernels::unit_rows<T>(context, {map.data(), 1, 2, 2, 2, 4}, {seen.data(), 1, 2, 2, 2, 4});

  EXPECT_EQ(map, std::vector<T>(4, T(0)));
  EXPECT_EQ(seen, std::vector<T>(4, T(0)));
}

TYPED_TEST(BatchBlocks, OtherShapesAreRefused) {
  using T = TypeParam;
  Backend context(1);
  std::vector<T> x(12);
  const BatchView<T> view{x.data(), 1, 3, 4, 4, 12};
  test::expect_error(ExitCode::kInternal, {"copy_block", "3 x 4 into 2 x 4"}, [&] {
    kernels::copy_block<T>(context, Layout::kPlain, T(1), {}, view, view.slice(0, 2),
                           Accumulate::kOverwrite);
  });
  test::expect_error(ExitCode::kInternal, {"add_to_diagonals", "3 x 4"}, [&] {
    kernels::add_to_diagonals<T>(context, Span<const T>(x).first(1), view);
  });
}

}  // namespace
}  // namespace m2st
