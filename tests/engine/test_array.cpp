// Array and Matrix: ownership moves, memory returns to the pool, and views see the same numbers.
#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

#include "engine/array.h"
#include "tests/support/expect_error.h"

namespace m2st {
namespace {

static_assert(!std::is_copy_constructible_v<Array<float>>);
static_assert(!std::is_copy_assignable_v<Matrix<float>>);

TEST(Array, ReturnsItsMemoryWhenItEnds) {
  MemoryPool pool(host_memory());
  {
    const Array<double> array(pool, 8);
    EXPECT_EQ(pool.in_use(), 64u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Array, MovingLeavesAnEmptyOneBehind) {
  MemoryPool pool(host_memory());
  Array<int> first(pool, 3);
  first[2] = 42;

  Array<int> second(std::move(first));

  EXPECT_EQ(second[2], 42);
  EXPECT_EQ(second.size(), 3);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move): this is what is tested
  EXPECT_EQ(first.size(), 0);
}

TEST(Array, MoveAssignmentReleasesWhatItHeld) {
  MemoryPool pool(host_memory());
  Array<double> kept(pool, 8);
  Array<double> replaced(pool, 800);

  replaced = std::move(kept);

  EXPECT_EQ(replaced.size(), 8);
  EXPECT_EQ(pool.in_use(), 64u);
}

TEST(Array, MovesBetweenPools) {
  MemoryPool here(host_memory());
  MemoryPool there(host_memory());
  Array<double> array(here, 8);

  array = Array<double>(there, 16);

  EXPECT_EQ(here.in_use(), 0u);
  EXPECT_EQ(there.in_use(), 128u);
}

TEST(Array, RefusesANegativeSize) {
  MemoryPool pool(host_memory());

  test::expect_error(ExitCode::kInternal, {"size is -1"}, [&] { Array<int> array(pool, -1); });
  test::expect_error(ExitCode::kInternal, {"-2 x 3"}, [&] { Matrix<int> matrix(pool, -2, 3); });
}

TEST(Matrix, ViewsShareItsNumbers) {
  MemoryPool pool(host_memory());
  Matrix<float> matrix(pool, 3, 2);
  for (std::int64_t i = 0; i < 6; ++i) matrix.data()[i] = static_cast<float>(i);

  const MatrixView<const float> below = matrix.view().slice(1, 2);

  EXPECT_EQ(below.rows, 2);
  EXPECT_EQ(below(1, 1), 5.0f);
  EXPECT_EQ(matrix(2, 1), 5.0f);
  EXPECT_EQ(below.row(0)[0], 2.0f);
}

TEST(Matrix, ResetEmptiesIt) {
  MemoryPool pool(host_memory());
  Matrix<float> matrix(pool, 3, 2);

  matrix.reset();

  EXPECT_TRUE(matrix.empty());
  EXPECT_EQ(matrix.rows(), 0);
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace m2st
