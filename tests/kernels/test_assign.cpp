// Nearest centres and sums by label against the naive reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "engine/check.h"
#include "engine/cpu_context.h"
#include "kernels/assign.h"
#include "test_backend.h"
#include "tests/reference/assign.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using reference::Dense;
using test::Backend;
using test::converted;
using test::random_dense;
using test::view_of;

template <class T>
struct Assignment {
  std::vector<std::int32_t> labels;
  std::vector<T> distances;
};

template <class T>
Assignment<T> assign(const Dense<T>& x, const Dense<T>& centres, int threads) {
  Backend context(threads);
  Assignment<T> out{std::vector<std::int32_t>(static_cast<std::size_t>(x.rows), -1),
                    std::vector<T>(static_cast<std::size_t>(x.rows))};
  kernels::assign_nearest<T>(context, view_of(x), view_of(centres), out.labels, out.distances);
  return out;
}

template <class T>
class Assign : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Assign, Scalars);

TYPED_TEST(Assign, MatchesReference) {
  struct Case {
    std::int64_t rows, centres, cols;
  };
  for (const Case& c : {Case{1, 1, 1},
                        {31, 2, 3},
                        {32, 15, 40},
                        {33, 16, 7},
                        {7, 17, 5},
                        {385, 20, 60},
                        {1000, 33, 12},
                        {400, 64, 9},
                        {50, 65, 9},
                        {90, 150, 2},
                        {5, 3, 0},
                        {0, 3, 4}}) {
    const auto x = random_dense<TypeParam>(c.rows, c.cols, 1);
    const auto centres = random_dense<TypeParam>(c.centres, c.cols, 2);
    const auto expected =
        reference::squared_distances(converted<double>(x), converted<double>(centres));
    // A sum of c.cols squares, each rounded twice.
    const double relative = (static_cast<double>(c.cols) + 2) *
                            static_cast<double>(std::numeric_limits<TypeParam>::epsilon());

    const auto actual = assign(x, centres, 1);

    const auto nearest = reference::smallest_of_row(expected);
    for (std::int64_t n = 0; n < c.rows; ++n) {
      const auto i = static_cast<std::size_t>(n);
      const double best = expected(n, nearest[i]);
      ASSERT_NEAR(expected(n, actual.labels[i]), best, relative * best) << "row " << n;
      ASSERT_NEAR(static_cast<double>(actual.distances[i]), best, relative * best) << "row " << n;
    }
  }
}

TYPED_TEST(Assign, AllDistancesMatchReference) {
  for (std::int64_t centres : {0, 1, 8, 17, 32, 33, 70}) {
    const auto x = random_dense<TypeParam>(400, 7, 9);
    const auto to = random_dense<TypeParam>(centres, 7, 10);
    const auto expected = reference::squared_distances(converted<double>(x), converted<double>(to));
    Dense<TypeParam> actual(400, centres);
    Backend context(2);

    kernels::squared_distances<TypeParam>(context, view_of(x), view_of(to), view_of(actual));

    // A sum of 7 squares, each rounded twice.
    const double relative = 9 * static_cast<double>(std::numeric_limits<TypeParam>::epsilon());
    for (std::size_t i = 0; i < actual.values.size(); ++i) {
      ASSERT_NEAR(static_cast<double>(actual.values[i]), expected.values[i],
                  relative * expected.values[i]);
    }
  }
}

TYPED_TEST(Assign, TiesGoToTheLowestCentre) {
  const std::int64_t cols = 5;
  const auto base = random_dense<TypeParam>(3, cols, 3);
  Dense<TypeParam> centres(70, cols);  // 0, 1, 2, 0, 1, 2, ... over several panels
  for (std::int64_t k = 0; k < centres.rows; ++k) {
    for (std::int64_t c = 0; c < cols; ++c) centres(k, c) = base(k % 3, c);
  }
  const auto x = random_dense<TypeParam>(100, cols, 4);

  const auto actual = assign(x, centres, 1);
  const auto expected = assign(x, base, 1);

  EXPECT_EQ(actual.labels, expected.labels);
}

TYPED_TEST(Assign, MidpointGoesToTheLowestCentre) {
  Dense<TypeParam> x(1, 2), centres(2, 2);
  x.values = {1, 1};
  centres.values = {0, 1, 2, 1};

  const auto actual = assign(x, centres, 1);

  EXPECT_EQ(actual.labels[0], 0);
  EXPECT_EQ(actual.distances[0], TypeParam(1));
}

TYPED_TEST(Assign, FarFromTheOriginDistancesKeepTheirDigits) {
  Dense<TypeParam> x(2, 2), centres(2, 2);
  x.values = {4097, 4096, 4096, 4098};
  centres.values = {4096, 4096, 4096, 4099};

  const auto actual = assign(x, centres, 1);

  EXPECT_EQ(actual.labels, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(actual.distances, (std::vector<TypeParam>{1, 1}));
}

TYPED_TEST(Assign, NumberOfThreadsChangesNothing) {
  const auto x = random_dense<TypeParam>(5000, 30, 5);
  const auto centres = random_dense<TypeParam>(20, 30, 6);

  const auto one = assign(x, centres, 1);

  for (int threads : {2, 5}) {
    const auto many = assign(x, centres, threads);
    EXPECT_EQ(many.labels, one.labels);
    EXPECT_EQ(many.distances, one.distances);
  }
}

TYPED_TEST(Assign, SumsByLabelMatchReference) {
  for (std::int64_t rows : {0, 1, 33, 2048, 7000}) {
    const std::int64_t clusters = 7, cols = 11;
    const auto x = random_dense<TypeParam>(rows, cols, 7);
    std::vector<std::int32_t> labels(static_cast<std::size_t>(rows));
    for (std::size_t n = 0; n < labels.size(); ++n) {
      labels[n] = static_cast<std::int32_t>(n * n % 9) - 1;
      if (labels[n] == clusters - 1) labels[n] = 0;  // the last cluster stays empty
    }
    const auto expected = reference::sums_by_label(converted<double>(x), labels, clusters);
    Backend one(1), five(5);
    Dense<double> sums(clusters, cols), sums_of_five(clusters, cols);
    std::vector<std::int64_t> counts(clusters, -1), counts_of_five(clusters, -1);

    kernels::sums_by_label<TypeParam>(one, view_of(x), labels, view_of(sums), counts);
    kernels::sums_by_label<TypeParam>(five, view_of(x), labels, view_of(sums_of_five),
                                      counts_of_five);

    // 7000 numbers of order 4, summed in another order.
    constexpr double kTolerance = 7000 * 4 * std::numeric_limits<double>::epsilon();
    for (std::size_t i = 0; i < sums.values.size(); ++i) {
      EXPECT_NEAR(sums.values[i], expected.values[i], kTolerance);
    }
    EXPECT_EQ(sums.values, sums_of_five.values);
    EXPECT_EQ(counts, counts_of_five);
    for (std::int32_t k = 0; k < clusters; ++k) {
      EXPECT_EQ(counts[static_cast<std::size_t>(k)], std::count(labels.begin(), labels.end(), k));
    }
  }
}

TYPED_TEST(Assign, LabelBeyondTheClustersIsNamed) {
  if (!std::is_same_v<Backend, CpuContext>) GTEST_SKIP() << "saying so would wait for the device";
  const auto x = random_dense<TypeParam>(1, 2, 8);
  Backend context(1);
  Dense<double> sums(2, 2);
  std::vector<std::int64_t> counts(2);
  const std::vector<std::int32_t> labels{2};

  EXPECT_THROW(
      kernels::sums_by_label<TypeParam>(context, view_of(x), labels, view_of(sums), counts), Error);
}

}  // namespace
}  // namespace m2st
