// Sparse rows against the same operations on dense matrices.
#include <gtest/gtest.h>

#include <cstring>

#include "data/prep/sparse_matrix.h"
#include "tests/data/sparse.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

using data::SparseMatrix;
using test::dense;
using test::random_counts;
using test::sparse;

// Sums of whole numbers are exact; those with real factors lose a few roundings of double.
constexpr test::Tolerance kExact = {0, 0};
constexpr test::Tolerance kRounding = {1e-14, 1e-14};

struct Shape {
  std::int64_t rows, columns;
  double density;
};
constexpr Shape kShapes[] = {{0, 5, 0.5},   {5, 0, 0.5},     {1, 1, 0.9},      {31, 33, 0.1},
                             {64, 32, 0.8}, {300, 70, 0.05}, {1000, 200, 0.2}, {70, 3000, 0.4}};

TEST(SparseMatrix, TransposeSwapsRowsAndColumns) {
  for (const Shape& shape : kShapes) {
    const auto x = random_counts(shape.rows, shape.columns, shape.density, 1);
    CpuContext context(2);

    const SparseMatrix actual = data::transposed(context, sparse(x));

    ASSERT_EQ(actual.rows, shape.columns);
    ASSERT_EQ(actual.columns, shape.rows);
    EXPECT_EQ(dense<float>(actual).values, reference::transposed(x).values);
    const SparseMatrix expected = sparse(reference::transposed(x));
    EXPECT_EQ(actual.indices, expected.indices);
  }
}

TEST(SparseMatrix, SelectionsKeepTheNamedRowsAndColumns) {
  const auto x = random_counts(20, 9, 0.4, 2);
  const std::vector<std::int32_t> rows = {3, 0, 19}, columns = {1, 2, 8}, none;
  CpuContext context(1);

  const auto chosen_rows = dense<float>(data::selected_rows(context, sparse(x), rows));
  const auto chosen_columns = dense<float>(data::selected_columns(context, sparse(x), columns));
  const SparseMatrix nothing = data::selected_rows(context, sparse(x), none);

  for (std::int64_t j = 0; j < 9; ++j) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(chosen_rows(static_cast<std::int64_t>(i), j), x(rows[i], j));
    }
  }
  for (std::int64_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      EXPECT_EQ(chosen_columns(i, static_cast<std::int64_t>(j)), x(i, columns[j]));
    }
  }
  EXPECT_EQ(nothing.rows, 0);
  EXPECT_EQ(nothing.columns, 9);
}

TEST(SparseMatrix, ProductsMatchDenseOnes) {
  for (const Shape& shape : kShapes) {
    if (shape.rows == 0) continue;
    const auto x =
        test::converted<double>(random_counts(shape.rows, shape.columns, shape.density, 3));
    const auto v = test::random_dense<double>(shape.columns, 5, 4);
    reference::Dense<double> product(shape.rows, 5), squares(shape.rows, shape.rows);
    CpuContext context(2);
    const SparseMatrix matrix = sparse(x);

    data::multiply(context, matrix, test::view_of(v), test::view_of(product));
    data::row_products(context, matrix, data::transposed(context, matrix), test::view_of(squares));

    EXPECT_TRUE(test::near(product.values, reference::product(x, v).values, kRounding));
    EXPECT_TRUE(
        test::near(squares.values, reference::product(x, reference::transposed(x)).values, kExact))
        << shape.rows << " x " << shape.columns;
  }
}

TEST(SparseMatrix, ProductsDoNotDependOnThreads) {
  for (const double density : {0.05, 0.6}) {
    const auto x = test::random_dense<float>(400, 150, 5);
    auto thinned = x;
    const auto mask = random_counts(400, 150, density, 6);
    for (std::size_t i = 0; i < mask.values.size(); ++i) {
      if (mask.values[i] == 0) thinned.values[i] = 0;
    }
    const SparseMatrix matrix = sparse(thinned);
    test::expect_same_bytes_for_any_threads([&](CpuContext& context) {
      std::vector<double> out(400 * 400);
      data::row_products(context, matrix, data::transposed(context, matrix),
                         {out.data(), 400, 400});
      return out;
    });
  }
}

}  // namespace
}  // namespace m2st
