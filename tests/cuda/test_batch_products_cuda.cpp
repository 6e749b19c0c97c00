// An entry of a product of batches has the same bytes whatever tile it fell into: alone, among
// other members, among other rows and columns. The sweep over option sets rests on it.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/batch_algebra.h"
#include "tests/backends/cuda/test_backend.h"
#include "tests/cuda/on_device.h"
#include "tests/support/random_graph.h"

namespace m2st::kernels {
namespace {

using test::random_values;
using test::StagedCuda;

// Of one member, as many as make the largest tiles worth it, and the same for few columns.
struct Shape {
  std::int64_t members, rows, depth, cols;
};

template <class T>
class BatchProductsOnCuda : public test::OnDevice<StagedCuda> {
 protected:
  // The product of that member's rows from first_row on and columns from first_col on.
  std::vector<T> block(const Shape& shape, std::int64_t member, std::int64_t first_row,
                       std::int64_t rows, std::int64_t first_col, std::int64_t cols) {
    std::vector<T> out(static_cast<std::size_t>(rows * cols));
    const BatchView<const T> a{left_.data(), shape.members, shape.rows,
                               shape.depth,  shape.depth,   shape.rows * shape.depth};
    const BatchView<const T> b{right_.data(), shape.members, shape.depth,
                               shape.cols,    shape.cols,    shape.depth * shape.cols};
    multiply<T>(*cuda_, Layout::kPlain, Layout::kPlain, T(1),
                a.member_range(member, 1).slice(first_row, rows),
                b.member_range(member, 1).columns(first_col, cols), T(0),
                {out.data(), 1, rows, cols, cols, rows * cols});
    return out;
  }

  std::vector<T> left_, right_;
};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(BatchProductsOnCuda, Scalars);

TYPED_TEST(BatchProductsOnCuda, AnEntrysBytesAreTheSameInEveryTile) {
  using T = TypeParam;
  for (const Shape& shape : {Shape{70, 20, 8, 9}, {33, 150, 19, 70}, {1, 4200, 33, 100}}) {
    this->left_ = random_values<T>(shape.members * shape.rows * shape.depth, 1);
    this->right_ = random_values<T>(shape.members * shape.depth * shape.cols, 2);
    // Terms that vanish leave zeros of either sign.
    for (std::size_t i = 0; i < this->left_.size(); i += 3) {
      this->left_[i] = i % 2 == 0 ? T(0) : -std::numeric_limits<T>::denorm_min();
    }
    std::vector<T> all(static_cast<std::size_t>(shape.members * shape.rows * shape.cols));
    multiply<T>(
        *this->cuda_, Layout::kPlain, Layout::kPlain, T(1),
        {this->left_.data(), shape.members, shape.rows, shape.depth, shape.depth,
         shape.rows * shape.depth},
        {this->right_.data(), shape.members, shape.depth, shape.cols, shape.cols,
         shape.depth * shape.cols},
        T(0),
        {all.data(), shape.members, shape.rows, shape.cols, shape.cols, shape.rows * shape.cols});
    const std::int64_t last = shape.members - 1;
    const T* member = all.data() + last * shape.rows * shape.cols;
    for (const std::int64_t first : {0, 3}) {
      const std::int64_t rows = 13, cols = shape.cols - first;

      const std::vector<T> alone = this->block(shape, last, first, rows, first, cols);

      for (std::int64_t i = 0; i < rows; ++i) {
        EXPECT_EQ(std::memcmp(alone.data() + i * cols, member + (first + i) * shape.cols + first,
                              static_cast<std::size_t>(cols) * sizeof(T)),
                  0)
            << shape.rows << ": " << first << ", " << i;
      }
    }
  }
}

}  // namespace
}  // namespace m2st::kernels
