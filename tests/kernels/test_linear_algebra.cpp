// Small dense problems against their defining equations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/check.h"
#include "kernels/linear_algebra.h"
#include "test_backend.h"
#include "tests/reference/dense.h"
#include "tests/support/random_dense.h"

namespace m2st {
namespace {

using reference::Dense;
using reference::product;
using reference::transposed;
using test::Backend;
using test::random_dense;
using test::view_of;

// Sums of at most 64 products of numbers of order 8, doubled for the factorisation.
template <class T>
constexpr double kTolerance = 2 * 64 * 8 * std::numeric_limits<T>::epsilon();

template <class T>
double largest_difference(const Dense<T>& a, const Dense<T>& b) {
  EXPECT_EQ(a.values.size(), b.values.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a.values[i] - b.values[i]));
    if (!(difference <= largest)) largest = difference;  // keeps NaN
  }
  return largest;
}

template <class T>
Dense<T> symmetric(std::int64_t n, std::uint64_t seed) {
  Dense<T> a = random_dense<T>(n, n, seed);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) a(i, j) = a(j, i);
  }
  return a;
}

template <class T>
Dense<T> positive_definite(std::int64_t n, std::uint64_t seed) {
  const Dense<T> factor = random_dense<T>(n, n, seed);
  Dense<T> a = product(factor, transposed(factor));
  for (std::int64_t i = 0; i < n; ++i) a(i, i) += static_cast<T>(n);
  return a;
}

template <class T>
class LinearAlgebra : public testing::Test {
 protected:
  Dense<T> pinv(const Dense<T>& a) {
    Dense<T> out(a.cols, a.rows);
    kernels::pseudo_inverse<T>(context_, view_of(a), view_of(out));
    return out;
  }
  void expect_penrose_conditions(const Dense<T>& a) {
    const Dense<T> inverse = pinv(a);

    const Dense<T> left = product(a, inverse), right = product(inverse, a);
    const double scale =
        1 + std::abs(*std::max_element(inverse.values.begin(), inverse.values.end()));
    EXPECT_LE(largest_difference(product(left, a), a), scale * kTolerance<T>);
    EXPECT_LE(largest_difference(product(right, inverse), inverse), scale * scale * kTolerance<T>);
    EXPECT_LE(largest_difference(transposed(left), left), scale * kTolerance<T>);
    EXPECT_LE(largest_difference(transposed(right), right), scale * kTolerance<T>);
  }

  Backend context_{1};
};

using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(LinearAlgebra, Scalars);

TYPED_TEST(LinearAlgebra, SolvesPositiveDefiniteSystems) {
  for (std::int64_t n : {1, 2, 31, 32, 33}) {
    for (std::int64_t cols : {1, 3, 16, 17, 32, 33, 64, 65, 131, 257}) {
      const auto a = positive_definite<TypeParam>(n, 1);
      const auto expected = random_dense<TypeParam>(n, cols, 2);
      const auto right_side = product(a, expected);
      Dense<TypeParam> solution(n, cols);

      const bool solved = kernels::solve_spd<TypeParam>(this->context_, view_of(a),
                                                        view_of(right_side), view_of(solution));

      EXPECT_TRUE(solved);
      EXPECT_LE(largest_difference(solution, expected), kTolerance<TypeParam>) << n << ", " << cols;
    }
  }
}

// A right side's solution must not depend on which others are solved with it.
TYPED_TEST(LinearAlgebra, RightSidesDoNotTouchEachOther) {
  constexpr std::int64_t kSize = 33, kColumns = 70;
  const auto a = positive_definite<TypeParam>(kSize, 6);
  const auto all = random_dense<TypeParam>(kSize, kColumns, 7);
  Dense<TypeParam> together(kSize, kColumns), one(kSize, 1), alone(kSize, 1);
  kernels::solve_spd<TypeParam>(this->context_, view_of(a), view_of(all), view_of(together));

  for (std::int64_t j = 0; j < kColumns; ++j) {
    for (std::int64_t i = 0; i < kSize; ++i) one(i, 0) = all(i, j);
    kernels::solve_spd<TypeParam>(this->context_, view_of(a), view_of(std::as_const(one)),
                                  view_of(alone));
    for (std::int64_t i = 0; i < kSize; ++i) EXPECT_EQ(alone(i, 0), together(i, j));
  }
}

TYPED_TEST(LinearAlgebra, LargestEigenvalueOfHandSizedMatrices) {
  const auto largest = [&](std::int64_t n, std::vector<TypeParam> values) {
    Dense<TypeParam> a(n, n);
    a.values = std::move(values);
    return kernels::largest_eigenvalue<TypeParam>(this->context_, view_of(std::as_const(a)));
  };
  const double tolerance = kTolerance<TypeParam>;

  EXPECT_EQ(largest(1, {-3}), TypeParam(-3));
  EXPECT_EQ(largest(2, {0, 0, 0, 0}), TypeParam(0));
  EXPECT_NEAR(largest(2, {2, 1, 1, 2}), 3, tolerance);
  EXPECT_NEAR(largest(2, {-2, 1, 1, -2}), -1, tolerance);
  EXPECT_NEAR(largest(3, {1, 0, 0, 0, 5, 0, 0, 0, 5}), 5, tolerance);
  EXPECT_NEAR(largest(3, {1, 1, 1, 1, 1, 1, 1, 1, 1}), 3, tolerance);
  EXPECT_NEAR(largest(2, {1e30f, 0, 0, 1}) / 1e30f, 1, tolerance);
}

TYPED_TEST(LinearAlgebra, RefusesWhatIsNotPositiveDefinite) {
  Dense<TypeParam> indefinite(2, 2), singular(2, 2), zero(2, 2), right_side(2, 1), solution(2, 1);
  indefinite.values = {1, 2, 2, 1};
  singular.values = {1, 1, 1, 1};
  Dense<TypeParam> not_a_number = indefinite;
  not_a_number(0, 0) = std::numeric_limits<TypeParam>::quiet_NaN();

  for (const auto& a : {indefinite, singular, zero, not_a_number}) {
    EXPECT_FALSE(kernels::solve_spd<TypeParam>(this->context_, view_of(a), view_of(right_side),
                                               view_of(solution)));
  }
}

TYPED_TEST(LinearAlgebra, BadScalingIsNotTakenForSingular) {
  Dense<TypeParam> a(2, 2), right_side(2, 1), solution(2, 1);
  a.values = {TypeParam(1), TypeParam(0), TypeParam(0), TypeParam(1e-20)};
  right_side.values = {TypeParam(2), TypeParam(3e-20)};

  EXPECT_TRUE(kernels::solve_spd<TypeParam>(this->context_, view_of(a), view_of(right_side),
                                            view_of(solution)));
  EXPECT_FLOAT_EQ(static_cast<float>(solution(0, 0)), 2.0f);
  EXPECT_FLOAT_EQ(static_cast<float>(solution(1, 0)), 3.0f);
}

TYPED_TEST(LinearAlgebra, SolvesGeneralSystems) {
  for (std::int64_t n : {1, 2, 31, 33}) {
    auto a = random_dense<TypeParam>(n, n, 3);
    for (std::int64_t i = 0; i < n; ++i) a(i, (i + 1) % n) += static_cast<TypeParam>(n);
    const auto expected = random_dense<TypeParam>(n, 2, 4);
    const auto right_side = product(a, expected);
    Dense<TypeParam> solution(n, 2);

    const auto condition = kernels::solve_general<TypeParam>(
        this->context_, view_of(a), view_of(right_side), view_of(solution));

    EXPECT_GT(condition, TypeParam(1e-3));
    EXPECT_LE(condition, TypeParam(1.001));
    EXPECT_LE(largest_difference(solution, expected), kTolerance<TypeParam>) << n;
  }
}

TYPED_TEST(LinearAlgebra, TellsASingularSystem) {
  Dense<TypeParam> a(2, 2), right_side(2, 1), solution(2, 1);
  a.values = {1, 2, 2, 4};
  right_side.values = {1, 1};

  const auto condition = kernels::solve_general<TypeParam>(this->context_, view_of(a),
                                                           view_of(right_side), view_of(solution));

  EXPECT_EQ(condition, TypeParam(0));
}

TYPED_TEST(LinearAlgebra, PseudoInverseMeetsThePenroseConditions) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {7, 7}, {9, 4}, {4, 9}, {33, 32}}) {
    this->expect_penrose_conditions(random_dense<TypeParam>(rows, cols, 5));
  }
}

TYPED_TEST(LinearAlgebra, PseudoInverseOfSingularMatricesMeetsThePenroseConditions) {
  const auto thin = random_dense<TypeParam>(8, 3, 6);

  this->expect_penrose_conditions(product(thin, transposed(thin)));
  this->expect_penrose_conditions(Dense<TypeParam>(5, 3));
}

TYPED_TEST(LinearAlgebra, PseudoInverseOfIndefiniteMatricesMeetsThePenroseConditions) {
  this->expect_penrose_conditions(symmetric<TypeParam>(10, 7));
}

TYPED_TEST(LinearAlgebra, PseudoInverseCutsByTheSizeOfTheMatrix) {
  constexpr TypeParam kRounding = std::numeric_limits<TypeParam>::epsilon();
  Dense<TypeParam> a(3, 3);
  a(0, 0) = 4;
  a(1, 1) = 13 * kRounding;  // above 3 · eps · 4
  a(2, 2) = 11 * kRounding;  // below

  const auto inverse = this->pinv(a);

  EXPECT_EQ(inverse(0, 0), TypeParam(0.25));
  EXPECT_FLOAT_EQ(static_cast<float>(inverse(1, 1) * 13 * kRounding), 1.0f);
  EXPECT_EQ(inverse(2, 2), TypeParam(0));
}

TYPED_TEST(LinearAlgebra, PseudoInverseOfNaNIsNaN) {
  Dense<TypeParam> a(2, 2);
  a(1, 0) = std::numeric_limits<TypeParam>::quiet_NaN();

  EXPECT_TRUE(std::isnan(this->pinv(a)(0, 0)));
}

TYPED_TEST(LinearAlgebra, EigenvectorsReproduceTheMatrix) {
  for (std::int64_t n : {1, 2, 31, 32, 33}) {
    const auto a = symmetric<TypeParam>(n, 8);
    std::vector<TypeParam> values(static_cast<std::size_t>(n));
    Dense<TypeParam> vectors(n, n);

    kernels::symmetric_eigen<TypeParam>(this->context_, view_of(a), values, view_of(vectors));

    Dense<TypeParam> scaled = vectors;
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t i = 0; i < n; ++i) scaled(i, j) *= values[static_cast<std::size_t>(j)];
    }
    EXPECT_LE(largest_difference(product(a, vectors), scaled), kTolerance<TypeParam>);
    EXPECT_LE(largest_difference(product(transposed(vectors), vectors),
                                 reference::identity<TypeParam>(n)),
              kTolerance<TypeParam>);
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
    EXPECT_NEAR(kernels::largest_eigenvalue<TypeParam>(this->context_, view_of(a)), values.back(),
                kTolerance<TypeParam>);
  }
}

TYPED_TEST(LinearAlgebra, EigenvectorsLargestEntryIsPositive) {
  Dense<TypeParam> a(2, 2), vectors(2, 2);
  a.values = {2, 1, 1, 3};
  std::vector<TypeParam> values(2);

  kernels::symmetric_eigen<TypeParam>(this->context_, view_of(a), values, view_of(vectors));

  // λ = (5 ∓ √5)/2; vectors (0.8507, −0.5257) and (0.5257, 0.8507).
  EXPECT_NEAR(values[0], 1.381966011250105, kTolerance<TypeParam>);
  EXPECT_NEAR(values[1], 3.618033988749895, kTolerance<TypeParam>);
  EXPECT_NEAR(vectors(0, 0), 0.8506508083520399, kTolerance<TypeParam>);
  EXPECT_NEAR(vectors(1, 0), -0.5257311121191336, kTolerance<TypeParam>);
  EXPECT_NEAR(vectors(0, 1), 0.5257311121191336, kTolerance<TypeParam>);
  EXPECT_NEAR(vectors(1, 1), 0.8506508083520399, kTolerance<TypeParam>);
}

TYPED_TEST(LinearAlgebra, OrthonormalisesTallMatrices) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, {33, 1}, {33, 33}, {64, 31}}) {
    const auto a = random_dense<TypeParam>(rows, cols, 9);
    Dense<TypeParam> basis(rows, cols);

    kernels::orthonormalise<TypeParam>(this->context_, view_of(a), view_of(basis));

    const auto upper = product(transposed(basis), a);
    EXPECT_LE(
        largest_difference(product(transposed(basis), basis), reference::identity<TypeParam>(cols)),
        kTolerance<TypeParam>);
    EXPECT_LE(largest_difference(product(basis, upper), a), kTolerance<TypeParam>);
    for (std::int64_t j = 0; j < cols; ++j) {
      EXPECT_GT(upper(j, j), TypeParam(0));
      for (std::int64_t i = j + 1; i < cols; ++i) {
        EXPECT_NEAR(upper(i, j), 0, kTolerance<TypeParam>);
      }
    }
  }
}

TYPED_TEST(LinearAlgebra, BasisOfDependentColumnsIsStillOrthonormal) {
  Dense<TypeParam> a(5, 2), basis(5, 2);
  for (std::int64_t i = 0; i < 5; ++i) a(i, 0) = a(i, 1) = static_cast<TypeParam>(i);

  kernels::orthonormalise<TypeParam>(this->context_, view_of(a), view_of(basis));

  EXPECT_LE(
      largest_difference(product(transposed(basis), basis), reference::identity<TypeParam>(2)),
      kTolerance<TypeParam>);
}

TYPED_TEST(LinearAlgebra, EmptyProblemsHaveEmptyAnswers) {
  Dense<TypeParam> empty(0, 0), tall(3, 0), wide(0, 3);

  EXPECT_TRUE(kernels::solve_spd<TypeParam>(this->context_, view_of(std::as_const(empty)),
                                            view_of(std::as_const(wide)), view_of(wide)));
  kernels::pseudo_inverse<TypeParam>(this->context_, view_of(std::as_const(tall)), view_of(wide));
  kernels::orthonormalise<TypeParam>(this->context_, view_of(std::as_const(tall)), view_of(tall));
  kernels::symmetric_eigen<TypeParam>(this->context_, view_of(std::as_const(empty)), {},
                                      view_of(empty));
  EXPECT_EQ(kernels::largest_eigenvalue<TypeParam>(this->context_, view_of(std::as_const(empty))),
            0);
}

TYPED_TEST(LinearAlgebra, WrongShapesAreNamed) {
  Dense<TypeParam> a(2, 3), right_side(2, 1), solution(2, 1);

  try {
    kernels::solve_spd<TypeParam>(this->context_, view_of(std::as_const(a)),
                                  view_of(std::as_const(right_side)), view_of(solution));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "solve_spd: a is not square (got 2 x 3)");
  }
}

}  // namespace
}  // namespace m2st
