// The pass over the cells against plain loops over z = [D; H; one-hot of the label].
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/check.h"
#include "kernels/cell_sweep.h"
#include "test_backend.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using test::Backend;
using test::near;
using test::random_dense;

// Sums of some thousand terms, each rounded in T.
template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;

struct Sizes {
  std::int64_t cells;
  std::vector<std::int64_t> widths;
  std::int64_t clusters, common_dim, sets;

  std::int64_t width() const {
    std::int64_t sum = 0;
    for (const std::int64_t view : widths) sum += view;
    return sum;
  }
  std::int64_t rows() const { return clusters + common_dim; }
  std::int64_t sum_width() const { return width() + 2 * common_dim + clusters; }
};

// Everything that a pass takes and gives, in host memory.
template <class T>
struct Problem {
  explicit Problem(const Sizes& given) : sizes(given) {
    for (const std::int64_t width : sizes.widths) {
      views.push_back(random_dense<T>(sizes.cells, width, 1 + views.size()).values);
    }
    data_map = random(sizes.sets * sizes.rows() * sizes.width(), 11);
    common_map = random(sizes.sets * sizes.rows() * sizes.common_dim, 12);
    label_map = random(sizes.sets * sizes.clusters * sizes.rows(), 13);
    common = random_dense<T>(1, sizes.sets * sizes.cells * sizes.common_dim, 14).values;
    for (std::int64_t i = 0; i < sizes.sets * sizes.cells; ++i) {
      labels.push_back(static_cast<std::int32_t>(i * 7919 % sizes.clusters));
    }
    sums.assign(static_cast<std::size_t>(sizes.sets * sizes.clusters * sizes.sum_width()), -1);
    counts.assign(static_cast<std::size_t>(sizes.sets * sizes.clusters), -1);
  }

  static std::vector<double> random(std::int64_t size, std::uint64_t seed) {
    return random_dense<double>(1, size, seed).values;
  }

  std::vector<MatrixView<const T>> data() const {
    std::vector<MatrixView<const T>> result;
    for (std::size_t m = 0; m < views.size(); ++m) {
      result.push_back({views[m].data(), sizes.cells, sizes.widths[m]});
    }
    return result;
  }
  // The sets [first, first + count).
  kernels::SweptCells<T> cells(std::int64_t first, std::int64_t count) {
    const auto batch = [&](auto& x, std::int64_t rows, std::int64_t cols) {
      return BatchView<typename std::remove_reference_t<decltype(x)>::value_type>{
          x.data() + first * rows * cols, count, rows, cols, cols, rows * cols};
    };
    return {batch(data_map, sizes.rows(), sizes.width()),
            batch(common_map, sizes.rows(), sizes.common_dim),
            batch(label_map, sizes.clusters, sizes.rows()),
            {labels.data() + first * sizes.cells, count, sizes.cells},
            batch(common, sizes.cells, sizes.common_dim),
            batch(sums, sizes.clusters, sizes.sum_width()),
            {counts.data() + first * sizes.clusters, count, sizes.clusters}};
  }

  Sizes sizes;
  std::vector<std::vector<T>> views;
  std::vector<double> data_map, common_map, label_map, sums;
  std::vector<T> common;
  std::vector<std::int32_t> labels;
  std::vector<std::int64_t> counts;
};

template <class T>
void sweep_naively(Problem<T>& problem) {
  const Sizes& sizes = problem.sizes;
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  std::fill(problem.sums.begin(), problem.sums.end(), 0.0);
  std::fill(problem.counts.begin(), problem.counts.end(), 0);
  for (std::int64_t s = 0; s < sizes.sets; ++s) {
    for (std::int64_t i = 0; i < sizes.cells; ++i) {
      std::vector<double> z;
      for (std::size_t m = 0; m < problem.views.size(); ++m) {
        for (std::int64_t j = 0; j < sizes.widths[m]; ++j) {
          z.push_back(static_cast<double>(problem.views[m][at(i * sizes.widths[m] + j)]));
        }
      }
      T* common = problem.common.data() + (s * sizes.cells + i) * sizes.common_dim;
      std::int32_t& label = problem.labels[at(s * sizes.cells + i)];
      std::vector<double> out;
      for (std::int64_t r = 0; r < sizes.rows(); ++r) {
        double sum = problem.label_map[at((s * sizes.clusters + label) * sizes.rows() + r)];
        for (std::int64_t j = 0; j < sizes.width(); ++j) {
          sum += problem.data_map[at((s * sizes.rows() + r) * sizes.width() + j)] * z[at(j)];
        }
        for (std::int64_t j = 0; j < sizes.common_dim; ++j) {
          sum += problem.common_map[at((s * sizes.rows() + r) * sizes.common_dim + j)] *
                 static_cast<double>(common[j]);
        }
        out.push_back(sum);
      }
      for (std::int64_t j = 0; j < sizes.common_dim; ++j) {
        z.push_back(static_cast<double>(common[j]));
      }
      for (std::int64_t k = 0; k < sizes.clusters; ++k) z.push_back(k == label ? 1 : 0);
      for (std::int64_t j = 0; j < sizes.common_dim; ++j) {
        common[j] = static_cast<T>(out[at(sizes.clusters + j)]);
        z.push_back(out[at(sizes.clusters + j)]);
      }
      label = static_cast<std::int32_t>(
          std::min_element(out.begin(), out.begin() + sizes.clusters) - out.begin());
      const std::int64_t row = s * sizes.clusters + label;
      ++problem.counts[at(row)];
      for (std::int64_t j = 0; j < sizes.sum_width(); ++j) {
        problem.sums[at(row * sizes.sum_width() + j)] += z[at(j)];
      }
    }
  }
}

template <class T>
class CellSweep : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(CellSweep, Scalars);

TYPED_TEST(CellSweep, MatchesReference) {
  using T = TypeParam;
  for (const Sizes& sizes :
       {Sizes{1, {1}, 1, 1, 1}, Sizes{31, {5, 3}, 4, 4, 2}, Sizes{32, {9}, 8, 3, 1},
        Sizes{33, {3, 2, 2}, 9, 2, 3}, Sizes{1025, {33, 7}, 33, 31, 1},
        Sizes{1100, {6, 4}, 7, 7, 3}, Sizes{0, {4}, 3, 3, 2}, Sizes{41, {70}, 50, 2, 5},
        Sizes{62, {65}, 25, 1, 9}}) {
    Backend context(2);
    Problem<T> problem(sizes), want(sizes);

    kernels::sweep_cells<T>(context, problem.data(), {problem.cells(0, sizes.sets)});

    sweep_naively(want);
    EXPECT_EQ(problem.labels, want.labels) << sizes.cells;
    EXPECT_EQ(problem.counts, want.counts) << sizes.cells;
    EXPECT_TRUE(near(problem.common, want.common, test::relative_error(kTolerance<T>)));
    EXPECT_TRUE(near(problem.sums, want.sums, test::relative_error(kTolerance<T>)));
  }
}

TYPED_TEST(CellSweep, ASetsBytesDoNotDependOnTheOthers) {
  using T = TypeParam;
  const Sizes sizes{650, {40, 5}, 5, 4, 6};
  Backend context(1);
  Problem<T> together(sizes), apart(sizes);

  kernels::sweep_cells<T>(context, together.data(), {together.cells(0, 6)});
  kernels::sweep_cells<T>(context, apart.data(), {apart.cells(0, 1), apart.cells(1, 2)});
  kernels::sweep_cells<T>(context, apart.data(), {apart.cells(3, 3)});

  EXPECT_EQ(together.labels, apart.labels);
  EXPECT_EQ(together.common, apart.common);
  EXPECT_EQ(together.sums, apart.sums);
  EXPECT_EQ(together.counts, apart.counts);
}

// Two clusters with the same map: the lower wins.
TYPED_TEST(CellSweep, TheLowestLabelWinsTies) {
  using T = TypeParam;
  const Sizes sizes{70, {3}, 40, 1, 1};
  Backend context(1);
  Problem<T> problem(sizes);
  std::fill(problem.data_map.begin(), problem.data_map.end(), 1.0);
  std::fill(problem.common_map.begin(), problem.common_map.end(), 0.0);
  std::fill(problem.label_map.begin(), problem.label_map.end(), 0.0);

  kernels::sweep_cells<T>(context, problem.data(), {problem.cells(0, 1)});

  EXPECT_EQ(problem.labels, std::vector<std::int32_t>(70, 0));
  EXPECT_EQ(problem.counts.front(), 70);
}

TYPED_TEST(CellSweep, OtherShapesAreRefused) {
  using T = TypeParam;
  Backend context(1);
  Problem<T> problem({4, {3}, 2, 1, 1});
  auto cells = problem.cells(0, 1);
  cells.labels.cols = 3;
  test::expect_error(ExitCode::kInternal, {"sweep_cells", "4 cells of width 3"},
                     [&] { kernels::sweep_cells<T>(context, problem.data(), {cells}); });
}

}  // namespace
}  // namespace m2st
