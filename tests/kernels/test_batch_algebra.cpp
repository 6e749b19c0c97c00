// Algebra on batches against naive products and against what defines a solution, an inverse and an
// eigenvalue. Members of a batch get what they get alone.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/check.h"
#include "kernels/batch_algebra.h"
#include "test_backend.h"
#include "tests/reference/dense.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using kernels::Layout;
using reference::Dense;
using reference::product;
using reference::transposed;
using test::Backend;
using test::near;
using test::random_dense;

// Some hundred terms, and systems of condition up to 1e3.
template <class T>
constexpr double kProductRounding = 200 * static_cast<double>(std::numeric_limits<T>::epsilon());
template <class T>
constexpr double kSolveRounding = 1e5 * static_cast<double>(std::numeric_limits<T>::epsilon());

template <class T>
struct Members {
  Members(std::int64_t members, std::int64_t height, std::int64_t width, std::uint64_t seed)
      : count(members), rows(height), cols(width) {
    for (std::int64_t s = 0; s < count; ++s) {
      each.push_back(random_dense<T>(rows, cols, seed + static_cast<std::uint64_t>(s)));
    }
  }
  std::vector<T> joined() const {
    std::vector<T> all;
    for (const Dense<T>& x : each) all.insert(all.end(), x.values.begin(), x.values.end());
    return all;
  }

  std::int64_t count, rows, cols;
  std::vector<Dense<T>> each;
};

template <class T>
BatchView<const T> view_of(const std::vector<T>& x, std::int64_t count, std::int64_t rows,
                           std::int64_t cols) {
  return {x.data(), count, rows, cols, cols, rows * cols};
}
template <class T>
BatchView<T> view_of(std::vector<T>& x, std::int64_t count, std::int64_t rows, std::int64_t cols) {
  return {x.data(), count, rows, cols, cols, rows * cols};
}

// Symmetric; positive definite where asked for.
template <class T>
Members<T> symmetric(std::int64_t count, std::int64_t n, bool definite, std::uint64_t seed) {
  Members<T> members(count, n, n, seed);
  for (Dense<T>& x : members.each) {
    const Dense<T> turned = transposed(x);
    if (definite) {
      x = product(x, turned);
      for (std::int64_t i = 0; i < n; ++i) x(i, i) += T(1);
    } else {
      for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] += turned.values[i];
    }
  }
  return members;
}

template <class T>
class BatchAlgebra : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(BatchAlgebra, Scalars);

TYPED_TEST(BatchAlgebra, MultipliesEachMember) {
  using T = TypeParam;
  Backend context(1);
  struct Case {
    std::int64_t count, rows, depth, cols;
  };
  for (const Case& c : {Case{1, 1, 1, 1},
                        {3, 31, 33, 32},
                        {2, 33, 0, 31},
                        {1, 0, 4, 4},
                        {0, 3, 3, 3},
                        {2, 100, 20, 129},
                        {4, 300, 9, 250},
                        {1, 1100, 5, 1000}}) {
    for (const Layout layout_a : {Layout::kPlain, Layout::kTransposed}) {
      for (const Layout layout_b : {Layout::kPlain, Layout::kTransposed}) {
        if (c.rows > 1000 && layout_a != layout_b) continue;  // one of the large is enough
        const bool plain_a = layout_a == Layout::kPlain, plain_b = layout_b == Layout::kPlain;
        const Members<T> a(c.count, plain_a ? c.rows : c.depth, plain_a ? c.depth : c.rows, 10);
        const Members<T> b(c.count, plain_b ? c.depth : c.cols, plain_b ? c.cols : c.depth, 20);
        const Members<T> before(c.count, c.rows, c.cols, 30);
        const auto left = a.joined(), right = b.joined();
        auto out = before.joined();
        std::vector<T> want;
        for (std::size_t s = 0; s < a.each.size(); ++s) {
          const Dense<T> x = product(plain_a ? a.each[s] : transposed(a.each[s]),
                                     plain_b ? b.each[s] : transposed(b.each[s]));
          for (std::size_t i = 0; i < x.values.size(); ++i) {
            want.push_back(T(-2) * x.values[i] + T(0.5) * before.each[s].values[i]);
          }
        }

        kernels::multiply<T>(
            context, layout_a, layout_b, T(-2), view_of(left, c.count, a.rows, a.cols),
            view_of(right, c.count, b.rows, b.cols), T(0.5), view_of(out, c.count, c.rows, c.cols));

        EXPECT_TRUE(near(out, want, test::relative_error(kProductRounding<T>)))
            << c.count << " x " << c.rows << " x " << c.depth << " x " << c.cols;
      }
    }
  }
}

// Around the sides of a fragment and of the least tile, each as rows, depth and columns.
TYPED_TEST(BatchAlgebra, MultipliesAtRaggedSizes) {
  using T = TypeParam;
  Backend context(1);
  const std::vector<std::int64_t> sides = {0, 1, 7, 8, 9, 31, 32, 33};
  for (std::size_t i = 0; i < sides.size(); ++i) {
    for (std::size_t j = 0; j < sides.size(); ++j) {
      const std::int64_t rows = sides[i], depth = sides[j], cols = sides[(i + 3 * j) % 8];
      const Members<T> a(2, depth, rows, 40), b(2, depth, cols, 50);
      const auto left = a.joined(), right = b.joined();
      std::vector<T> out(static_cast<std::size_t>(2 * rows * cols), T(-1)), want;
      for (std::size_t s = 0; s < 2; ++s) {
        const Dense<T> x = product(transposed(a.each[s]), b.each[s]);
        want.insert(want.end(), x.values.begin(), x.values.end());
      }

      kernels::multiply<T>(context, Layout::kTransposed, Layout::kPlain, T(1),
                           view_of(left, 2, depth, rows), view_of(right, 2, depth, cols), T(0),
                           view_of(out, 2, rows, cols));

      EXPECT_TRUE(near(out, want, test::relative_error(kProductRounding<T>)))
          << rows << " x " << depth << " x " << cols;
    }
  }
}

// Blocks of larger matrices as operands and as result; beta 0 overwrites what was not a number.
TYPED_TEST(BatchAlgebra, MultipliesBlocks) {
  using T = TypeParam;
  Backend context(1);
  const Members<T> a(2, 9, 12, 1), b(2, 20, 15, 2);
  const auto left = a.joined(), right = b.joined();
  std::vector<T> out(2 * 10 * 11, std::numeric_limits<T>::quiet_NaN());

  kernels::multiply<T>(context, Layout::kPlain, Layout::kPlain, T(1),
                       view_of(left, 2, 9, 12).slice(1, 7).columns(3, 5),
                       view_of(right, 2, 20, 15).slice(4, 5).columns(2, 8), T(0),
                       view_of(out, 2, 10, 11).slice(2, 7).columns(1, 8));

  for (std::int64_t s = 0; s < 2; ++s) {
    for (std::int64_t i = 0; i < 10; ++i) {
      for (std::int64_t j = 0; j < 11; ++j) {
        const T got = out[static_cast<std::size_t>(s * 110 + i * 11 + j)];
        if (i < 2 || i >= 9 || j < 1 || j >= 9) {
          EXPECT_TRUE(std::isnan(got));
          continue;
        }
        T want = 0;
        for (std::int64_t l = 0; l < 5; ++l) {
          want += a.each[static_cast<std::size_t>(s)](i - 1, 3 + l) *
                  b.each[static_cast<std::size_t>(s)](4 + l, 2 + j - 1);
        }
        EXPECT_NEAR(got, want, 10 * kProductRounding<T>);
      }
    }
  }
}

TYPED_TEST(BatchAlgebra, SolvesEachWayThatASystemAsksFor) {
  using T = TypeParam;
  Backend context(1);
  for (const std::int64_t n : {1, 2, 31, 32, 33}) {
    for (const bool definite : {true, false}) {
      const std::int64_t count = n == 32 ? 3 : 1, cols = n == 31 ? 1 : 9;
      const Members<T> a = symmetric<T>(count, n, definite, 100);
      const Members<T> wanted(count, n, cols, 200);
      std::vector<T> right;
      for (std::size_t s = 0; s < a.each.size(); ++s) {
        const Dense<T> b = product(a.each[s], wanted.each[s]);
        right.insert(right.end(), b.values.begin(), b.values.end());
      }
      const auto system = a.joined();
      std::vector<T> solution(right.size());

      kernels::solve_symmetric<T>(context, view_of(system, count, n, n),
                                  view_of(std::as_const(right), count, n, cols),
                                  view_of(solution, count, n, cols));

      EXPECT_TRUE(near(solution, wanted.joined(), test::relative_error(kSolveRounding<T>)))
          << n << (definite ? " definite" : " indefinite");
    }
  }
}

// One of each kind side by side: definite, indefinite, singular, zero, not a number.
TYPED_TEST(BatchAlgebra, EveryMemberIsSolvedInItsOwnWay) {
  using T = TypeParam;
  Backend context(1);
  const std::vector<T> a = {4,
                            1,
                            1,
                            3,
                            /**/ 0,
                            2,
                            2,
                            0,
                            /**/ 1,
                            1,
                            1,
                            1,
                            /**/ 0,
                            0,
                            0,
                            0,
                            /**/ std::numeric_limits<T>::quiet_NaN(),
                            0,
                            0,
                            1};
  const std::vector<T> right = {6, 7, 4, 8, 3, 3, 1, 2, 1, 1};
  std::vector<T> solution(right.size());

  kernels::solve_symmetric<T>(context, view_of(a, 5, 2, 2), view_of(right, 5, 2, 1),
                              view_of(solution, 5, 2, 1));

  const std::vector<T> want = {1, 2, 4, 2, 1.5, 1.5, 0, 0};
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(solution[i], want[i], 100 * std::numeric_limits<T>::epsilon()) << i;
  }
  EXPECT_TRUE(std::isnan(solution[8]) && std::isnan(solution[9]));
}

TYPED_TEST(BatchAlgebra, NoRightSideIsNoWork) {
  using T = TypeParam;
  Backend context(1);
  const std::vector<T> a = {2};
  std::vector<T> none;
  kernels::solve_symmetric<T>(context, view_of(a, 1, 1, 1), view_of(std::as_const(none), 1, 1, 0),
                              view_of(none, 1, 1, 0));
  kernels::pseudo_inverses<T>(context, view_of(std::as_const(none), 2, 0, 0),
                              view_of(none, 2, 0, 0));
  EXPECT_TRUE(none.empty());
}

// a x a = a, x a x = x, and both products symmetric (Penrose 1955).
TYPED_TEST(BatchAlgebra, PseudoInversesMeetPenrosesConditions) {
  using T = TypeParam;
  Backend context(1);
  for (const std::int64_t n : {1, 2, 7, 31, 32, 33}) {
    Members<T> a = symmetric<T>(3, n, true, 300);
    const Members<T> thin(1, n, 1, 400);
    a.each[1] = product(thin.each[0], transposed(thin.each[0]));  // rank one
    a.each[2] = Dense<T>(n, n);                                   // zero
    const auto joined = a.joined();
    std::vector<T> out(joined.size());

    kernels::pseudo_inverses<T>(context, view_of(joined, 3, n, n), view_of(out, 3, n, n));

    for (std::size_t s = 0; s < 3; ++s) {
      Dense<T> x(n, n);
      const auto size = static_cast<std::size_t>(n * n);
      std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(s * size), size, x.values.begin());
      const Dense<T> left = product(a.each[s], x), right = product(x, a.each[s]);
      const auto tolerance = test::relative_error(kSolveRounding<T>);
      EXPECT_TRUE(near(product(left, a.each[s]).values, a.each[s].values, tolerance)) << n;
      EXPECT_TRUE(near(product(right, x).values, x.values, tolerance)) << n;
      EXPECT_TRUE(near(transposed(left).values, left.values, tolerance)) << n;
    }
  }
}

// Q Λ Qᵀ with a reflection Q: the eigenvalues are known.
template <class T>
Dense<T> with_eigenvalues(const std::vector<T>& values, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(values.size());
  const Dense<T> v = random_dense<T>(n, 1, seed);
  double square = 0;
  for (const T value : v.values) square += static_cast<double>(value) * static_cast<double>(value);
  Dense<T> q = reference::identity<T>(n), lambda(n, n);
  for (std::int64_t i = 0; i < n; ++i) {
    lambda(i, i) = values[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < n; ++j)
      q(i, j) -= T(2) * v(i, 0) * v(j, 0) / static_cast<T>(square);
  }
  return product(product(q, lambda), q);
}

TYPED_TEST(BatchAlgebra, FindsTheLargestEigenvalues) {
  using T = TypeParam;
  Backend context(1);
  for (const std::int64_t n : {1, 2, 3, 31, 32, 33}) {
    std::vector<T> joined;
    const std::vector<T> want = {5, -1, 4, 0};
    for (const double kind : {1, 2, 3, 4}) {
      std::vector<T> values;
      for (std::int64_t i = 0; i < n; ++i) {
        const T share = static_cast<T>(i) / static_cast<T>(n);
        values.push_back(kind == 1 ? 5 - share : kind == 2 ? -1 - share : kind == 3 ? T(4) : T(0));
      }
      const Dense<T> x = with_eigenvalues(values, 5);
      joined.insert(joined.end(), x.values.begin(), x.values.end());
    }
    std::vector<T> largest(4);

    kernels::largest_eigenvalues<T>(context, view_of(std::as_const(joined), 4, n, n), largest);

    EXPECT_TRUE(near(largest, want, test::relative_error(kProductRounding<T>))) << n;
  }
}

TYPED_TEST(BatchAlgebra, AMatrixThatIsNotFiniteHasTheLargestNumber) {
  using T = TypeParam;
  Backend context(1);
  const T infinity = std::numeric_limits<T>::infinity();
  const std::vector<T> a = {infinity, 0, 0, 1, 2, 1, 1, 2};
  std::vector<T> largest(2);

  kernels::largest_eigenvalues<T>(context, view_of(a, 2, 2, 2), largest);

  EXPECT_EQ(largest[0], std::numeric_limits<T>::max());
  EXPECT_NEAR(largest[1], 3, 100 * std::numeric_limits<T>::epsilon());
}

// As many products as make larger tiles worth it than one does.
TYPED_TEST(BatchAlgebra, AMembersBytesDoNotDependOnTheOthers) {
  using T = TypeParam;
  Backend context(1);
  const std::int64_t n = 20, cols = 9, count = 70, solved = 3;
  const Members<T> a = symmetric<T>(count, n, true, 500), b(count, n, cols, 600);
  const auto systems = a.joined(), right = b.joined();
  const auto left = view_of(systems, count, n, n);
  const auto sides = view_of(right, count, n, cols);
  std::vector<T> products(right.size()), one(static_cast<std::size_t>(n * cols)), other(one);
  std::vector<T> solutions(static_cast<std::size_t>(solved * n * cols));

  kernels::multiply<T>(context, Layout::kPlain, Layout::kPlain, T(1), left, sides, T(0),
                       view_of(products, count, n, cols));
  kernels::multiply<T>(context, Layout::kPlain, Layout::kPlain, T(1),
                       left.member_range(count - 1, 1), sides.member_range(count - 1, 1), T(0),
                       view_of(one, 1, n, cols));
  kernels::solve_symmetric<T>(context, left.member_range(0, solved), sides.member_range(0, solved),
                              view_of(solutions, solved, n, cols));
  kernels::solve_symmetric<T>(context, left.member_range(solved - 1, 1),
                              sides.member_range(solved - 1, 1), view_of(other, 1, n, cols));

  EXPECT_TRUE(std::equal(one.begin(), one.end(), products.end() - n * cols));
  EXPECT_TRUE(std::equal(other.begin(), other.end(), solutions.end() - n * cols));
}

TYPED_TEST(BatchAlgebra, OtherShapesAreRefused) {
  using T = TypeParam;
  Backend context(1);
  std::vector<T> x(12);
  const auto view = view_of(x, 1, 3, 4);
  test::expect_error(ExitCode::kInternal, {"multiply", "inner dimensions", "4 and 3"}, [&] {
    kernels::multiply<T>(context, Layout::kPlain, Layout::kPlain, T(1), view, view, T(0), view);
  });
  test::expect_error(ExitCode::kInternal, {"solve_symmetric", "3 x 4"},
                     [&] { kernels::solve_symmetric<T>(context, view, view, view); });
  test::expect_error(ExitCode::kInternal, {"pseudo_inverses", "3 x 4"},
                     [&] { kernels::pseudo_inverses<T>(context, view, view); });
}

}  // namespace
}  // namespace m2st
