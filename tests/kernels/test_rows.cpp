// Row movements against the naive reference, float and double.
#include <gtest/gtest.h>

#include <limits>

#include "kernels/rows.h"
#include "test_backend.h"
#include "tests/reference/rows.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"
#include "tests/support/thread_counts.h"

namespace m2st::kernels {
namespace {

using test::Backend;
using test::near;
using test::on_any_threads;
using test::random_values;

constexpr std::int64_t kShapes[][2] = {{0, 4},   {1, 1},  {3, 31},   {31, 32},
                                       {32, 33}, {33, 5}, {700, 300}};

// Every third row, backwards: distinct and out of order.
std::vector<std::int32_t> some_rows(std::int64_t rows) {
  std::vector<std::int32_t> listed;
  for (std::int64_t r = rows - 1; r >= 0; r -= 3) listed.push_back(static_cast<std::int32_t>(r));
  return listed;
}

template <class T>
class Rows : public ::testing::Test {
 protected:
  Backend context_{1};
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Rows, Types);

TYPED_TEST(Rows, GatherMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<std::int32_t> listed = some_rows(rows);
    const auto count = static_cast<std::int64_t>(listed.size());
    const std::vector<T> x = random_values<T>(rows * cols, 1);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(count * cols);
      gather_rows<T>(context, listed, {x.data(), rows, cols}, {result.data(), count, cols});
      return result;
    });

    EXPECT_EQ(out, reference::gather_rows(listed, x, cols));
  }
}

TYPED_TEST(Rows, ScatterOverwritesOrAdds) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<std::int32_t> listed = some_rows(rows);
    const auto count = static_cast<std::int64_t>(listed.size());
    const std::vector<T> x = random_values<T>(count * cols, 1);
    const std::vector<T> start = random_values<T>(rows * cols, 2);
    const auto scattered = [&](Accumulate accumulate) {
      return on_any_threads<Backend>([&](Backend& context) {
        std::vector<T> result = start;
        scatter_rows<T>(context, listed, {x.data(), count, cols}, {result.data(), rows, cols},
                        accumulate);
        return result;
      });
    };

    const std::vector<T> added = scattered(Accumulate::kAdd);
    const std::vector<T> written = scattered(Accumulate::kOverwrite);

    EXPECT_EQ(added, reference::scatter_add_rows(listed, x, start, cols));
    const std::vector<T> none(cols, T(0));
    EXPECT_EQ(written, reference::scatter_add_rows(
                           listed, x, reference::fill_rows(listed, none, start), cols));
  }
}

TYPED_TEST(Rows, FillWritesTheRowOrZeros) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<std::int32_t> listed = some_rows(rows);
    const std::vector<T> row = random_values<T>(cols, 1);
    const std::vector<T> start = random_values<T>(rows * cols, 2);
    std::vector<T> filled = start;
    std::vector<T> cleared = start;

    fill_rows<T>(this->context_, listed, row, {filled.data(), rows, cols});
    fill_rows<T>(this->context_, listed, {}, {cleared.data(), rows, cols});

    EXPECT_EQ(filled, reference::fill_rows(listed, row, start));
    EXPECT_EQ(cleared, reference::fill_rows(listed, std::vector<T>(cols, T(0)), start));
  }
}

TYPED_TEST(Rows, FillBackwardMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<std::int32_t> listed = some_rows(rows);
    const std::vector<T> grad = random_values<T>(rows * cols, 1);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result(cols, T(3));
      fill_rows_backward<T>(context, listed, {grad.data(), rows, cols}, result, Accumulate::kAdd);
      return result;
    });

    std::vector<double> expected =
        reference::sum_of_rows(listed, std::vector<double>(grad.begin(), grad.end()), cols);
    for (double& value : expected) value += 3;
    // Sums are kept in double and rounded once.
    EXPECT_TRUE(near(out, expected, test::relative_error(sizeof(T) == 4 ? 1e-7 : 1e-14)));
  }
}

TYPED_TEST(Rows, AddRowAndScaleRowsGoRowByRow) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    const std::vector<T> start = random_values<T>(rows * cols, 1);
    const std::vector<T> row = random_values<T>(cols, 2);
    const std::vector<T> factors = random_values<T>(rows, 3);

    const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
      std::vector<T> result = start;
      add_row<T>(context, row, {result.data(), rows, cols});
      scale_rows<T>(context, factors, {result.data(), rows, cols});
      return result;
    });

    for (std::int64_t i = 0; i < rows * cols; ++i) {
      ASSERT_EQ(out[i], (start[i] + row[i % cols]) * factors[i / cols]);
    }
  }
}

TYPED_TEST(Rows, ScaleColumnsBackwardMatchesReference) {
  using T = TypeParam;
  for (const auto& [rows, cols] : kShapes) {
    for (const Accumulate accumulate : {Accumulate::kOverwrite, Accumulate::kAdd}) {
      const std::vector<T> x = random_values<T>(rows * cols, 1);
      const std::vector<T> factors = random_values<T>(cols, 2);
      const std::vector<T> grad_out = random_values<T>(rows * cols, 3);
      const std::vector<T> start = random_values<T>((rows + 1) * cols, 4);

      // The gradient of x, then that of the factors.
      const std::vector<T> out = on_any_threads<Backend>([&](Backend& context) {
        std::vector<T> result = start;
        scale_columns_backward<T>(context, {x.data(), rows, cols}, factors,
                                  {grad_out.data(), rows, cols}, {result.data(), rows, cols},
                                  accumulate, Span<T>(result).subspan(rows * cols), accumulate);
        return result;
      });

      std::vector<double> want(start.begin(), start.end());
      if (accumulate == Accumulate::kOverwrite) want.assign(want.size(), 0);
      for (std::int64_t k = 0; k < rows * cols; ++k) {
        const auto gradient = static_cast<double>(grad_out[k]);
        want[k] += gradient * static_cast<double>(factors[k % cols]);
        want[rows * cols + k % cols] += gradient * static_cast<double>(x[k]);
      }
      EXPECT_TRUE(near(out, want, test::relative_error(4 * std::numeric_limits<T>::epsilon())));
    }
  }
}

TYPED_TEST(Rows, AxpbyCombines) {
  using T = TypeParam;
  const std::vector<T> x = {T(1), T(-2), T(4)};
  std::vector<T> out = {T(8), T(16), T(32)};

  axpby<T>(this->context_, T(2), x, T(0.5), out);

  EXPECT_EQ(out, (std::vector<T>{T(6), T(4), T(24)}));
}

TYPED_TEST(Rows, AxpbyWithBetaZeroForgetsNaN) {
  using T = TypeParam;
  const std::vector<T> x = {T(1), T(2)};
  std::vector<T> out(2, std::numeric_limits<T>::quiet_NaN());

  axpby<T>(this->context_, T(3), x, T(0), out);

  EXPECT_EQ(out, (std::vector<T>{T(3), T(6)}));
}

}  // namespace
}  // namespace m2st::kernels
