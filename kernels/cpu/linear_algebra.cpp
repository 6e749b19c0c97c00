// Small dense problems through Eigen. Every argument is copied into Eigen's own aligned matrices:
// Eigen peels unaligned heads off its vector loops, so sums over foreign memory would depend on
// where the memory happens to lie. One thread, so that no result depends on their number.
#define EIGEN_DONT_PARALLELIZE
// GCC 12 takes the undefined lanes of its own AVX-512 intrinsics for a mistake (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include "kernels/linear_algebra.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/check.h"
#include "kernels/cpu/triangular_solve.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

template <class T>
using Dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Dense<T> copy_in(MatrixView<const T> a) {
  return Eigen::Map<const RowMajor<T>>(a.data, a.rows, a.cols);
}

template <class T>
void copy_out(const Dense<T>& a, MatrixView<T> out) {
  Eigen::Map<RowMajor<T>>(out.data, out.rows, out.cols) = a;
}

// Whether every pivot of the factor kept some of its digits: a pivot of a's diagonal times rounding
// is what is left of a singular matrix. Compared entry by entry, so scaling a does not matter.
template <class T>
bool pivots_hold(const Dense<T>& factor, const Dense<T>& a) {
  const T rounding = static_cast<T>(a.rows()) * std::numeric_limits<T>::epsilon();
  for (Eigen::Index i = 0; i < a.rows(); ++i) {
    const T pivot = factor(i, i) * factor(i, i);
    if (!(pivot > rounding * a(i, i)) || !std::isfinite(pivot)) return false;
  }
  return true;
}

constexpr std::size_t kShifts = 8;  // tried at a time: one AVX-512 register of doubles

// Which of the shifts lie above all eigenvalues of the symmetric tridiagonal matrix: those for
// which every pivot of LDLᵀ of the shifted matrix is negative (Sturm's sequence; Golub and Van
// Loan, Matrix Computations, section 8.4).
template <class T>
std::array<bool, kShifts> above_all(const std::vector<T>& diagonal, const std::vector<T>& squares,
                                    const std::array<T, kShifts>& shifts) {
  std::array<T, kShifts> pivots, greatest;
  pivots.fill(T(1));
  greatest.fill(std::numeric_limits<T>::lowest());
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    for (std::size_t s = 0; s < kShifts; ++s) {
      pivots[s] = (diagonal[i] - shifts[s]) - squares[i] / pivots[s];
      // An eigenvalue of the leading part; counted as one that is not below the shift.
      pivots[s] = pivots[s] == T(0) ? std::numeric_limits<T>::min() : pivots[s];
      greatest[s] = std::max(greatest[s], pivots[s]);
    }
  }
  std::array<bool, kShifts> above;
  for (std::size_t s = 0; s < kShifts; ++s) above[s] = greatest[s] < T(0);
  return above;
}

// The largest eigenvalue of the symmetric tridiagonal matrix: its Gershgorin interval is cut into
// nine again and again. squares[i] is the square of the entry between i − 1 and i, squares[0] 0.
template <class T>
T largest_of_tridiagonal(const std::vector<T>& diagonal, const std::vector<T>& squares) {
  T low = diagonal[0], high = diagonal[0];
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    const T before = std::sqrt(squares[i]);
    const T after = i + 1 < diagonal.size() ? std::sqrt(squares[i + 1]) : T(0);
    low = std::max(low, diagonal[i]);  // a Rayleigh quotient
    high = std::max(high, diagonal[i] + before + after);
  }
  while (high - low > std::numeric_limits<T>::epsilon() * std::max(std::abs(low), std::abs(high))) {
    std::array<T, kShifts> shifts;
    for (std::size_t s = 0; s < kShifts; ++s) {
      shifts[s] = low + (high - low) * static_cast<T>(s + 1) / static_cast<T>(kShifts + 1);
    }
    const auto above = above_all(diagonal, squares, shifts);
    const std::size_t first =
        static_cast<std::size_t>(std::find(above.begin(), above.end(), true) - above.begin());
    const T next_low = first > 0 ? shifts[first - 1] : low;
    const T next_high = first < kShifts ? shifts[first] : high;
    if (next_low <= low && next_high >= high) break;  // neighbours among the numbers of T
    low = next_low;
    high = next_high;
  }
  return low + (high - low) / 2;
}

// Index of the entry of largest magnitude, the first of equals.
template <class Vector>
Eigen::Index largest_entry(const Vector& x) {
  Eigen::Index best = 0;
  for (Eigen::Index i = 1; i < x.size(); ++i) {
    if (std::abs(x(i)) > std::abs(x(best))) best = i;
  }
  return best;
}

}  // namespace

template <class T>
bool solve_spd(CpuContext&, MatrixView<const T> a, MatrixView<const T> right_side,
               MatrixView<T> solution) {
  check_system("solve_spd", a, right_side, solution);
  if (a.rows == 0) return true;
  const Dense<T> matrix = copy_in(a);
  const Eigen::LLT<Dense<T>> factor(matrix);
  if (factor.info() != Eigen::Success || !pivots_hold<T>(factor.matrixLLT(), matrix)) return false;
  solve_with_cholesky<T>(a.rows, factor.matrixLLT().data(), right_side, solution);
  return true;
}

template <class T>
T solve_general(CpuContext&, MatrixView<const T> a, MatrixView<const T> right_side,
                MatrixView<T> solution) {
  check_system("solve_general", a, right_side, solution);
  if (a.rows == 0) return T(1);
  const Eigen::PartialPivLU<Dense<T>> factor(copy_in(a));
  if (right_side.cols > 0) copy_out<T>(factor.solve(copy_in(right_side)), solution);
  // The estimate solves with the factors, which means nothing once a pivot is exactly zero.
  if ((factor.matrixLU().diagonal().array() == T(0)).any()) return T(0);
  const T reciprocal_condition = factor.rcond();
  return std::isfinite(reciprocal_condition) ? reciprocal_condition : T(0);
}

template <class T>
void pseudo_inverse(CpuContext&, MatrixView<const T> a, MatrixView<T> out) {
  M2ST_CHECK(out.rows == a.cols && out.cols == a.rows, "pseudo_inverse: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", a.cols, " x ", a.rows, ")");
  if (a.size() == 0) return;
  const Dense<T> matrix = copy_in(a);
  if (!matrix.allFinite()) {
    std::fill(out.data, out.data + out.size(), std::numeric_limits<T>::quiet_NaN());
    return;
  }
  const Eigen::JacobiSVD<Dense<T>> svd(matrix, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const auto& singular = svd.singularValues();
  const T threshold =
      static_cast<T>(std::max(a.rows, a.cols)) * std::numeric_limits<T>::epsilon() * singular(0);
  Eigen::Index rank = 0;
  while (rank < singular.size() && singular(rank) > threshold) ++rank;
  const Dense<T> scaled =
      svd.matrixV().leftCols(rank) * singular.head(rank).cwiseInverse().asDiagonal();
  copy_out<T>(scaled * svd.matrixU().leftCols(rank).transpose(), out);
}

template <class T>
void symmetric_eigen(CpuContext&, MatrixView<const T> a, Span<T> values, MatrixView<T> vectors) {
  M2ST_CHECK(a.rows == a.cols, "symmetric_eigen: a is not square (got ", a.rows, " x ", a.cols,
             ")");
  M2ST_CHECK(static_cast<std::int64_t>(values.size()) == a.rows,
             "symmetric_eigen: size of values (got ", values.size(), ", need ", a.rows, ")");
  M2ST_CHECK(vectors.rows == a.rows && vectors.cols == a.rows,
             "symmetric_eigen: shape of vectors (got ", vectors.rows, " x ", vectors.cols,
             ", need ", a.rows, " x ", a.rows, ")");
  if (a.rows == 0) return;
  const Eigen::SelfAdjointEigenSolver<Dense<T>> solver(copy_in(a));
  M2ST_CHECK(solver.info() == Eigen::Success, "symmetric_eigen: no convergence, is a finite?");
  Dense<T> oriented = solver.eigenvectors();
  for (Eigen::Index j = 0; j < oriented.cols(); ++j) {
    if (oriented(largest_entry(oriented.col(j)), j) < T(0)) oriented.col(j) *= T(-1);
  }
  copy_out<T>(oriented, vectors);
  std::copy_n(solver.eigenvalues().data(), a.rows, values.data());
}

template <class T>
T largest_eigenvalue(CpuContext&, MatrixView<const T> a) {
  M2ST_CHECK(a.rows == a.cols, "largest_eigenvalue: a is not square (got ", a.rows, " x ", a.cols,
             ")");
  if (a.rows == 0) return T(0);
  const Dense<T> matrix = copy_in(a);
  M2ST_CHECK(matrix.allFinite(), "largest_eigenvalue: a holds numbers that are not finite");
  const T scale = matrix.cwiseAbs().maxCoeff();
  if (a.rows == 1 || scale == T(0)) return matrix(0, 0);
  const Eigen::Tridiagonalization<Dense<T>> reduced(matrix / scale);
  const Eigen::Matrix<T, Eigen::Dynamic, 1> diagonal = reduced.diagonal();
  const Eigen::Matrix<T, Eigen::Dynamic, 1> beside = reduced.subDiagonal();
  std::vector<T> squares(static_cast<std::size_t>(a.rows), T(0));
  for (std::size_t i = 1; i < squares.size(); ++i) {
    const T entry = beside(static_cast<Eigen::Index>(i) - 1);
    squares[i] = entry * entry;
  }
  const std::vector<T> values(diagonal.data(), diagonal.data() + diagonal.size());
  return scale * largest_of_tridiagonal(values, squares);
}

template <class T>
void orthonormalise(CpuContext&, MatrixView<const T> a, MatrixView<T> out) {
  M2ST_CHECK(a.rows >= a.cols, "orthonormalise: more columns than rows (got ", a.rows, " x ",
             a.cols, ")");
  M2ST_CHECK(out.rows == a.rows && out.cols == a.cols, "orthonormalise: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", a.rows, " x ", a.cols, ")");
  if (a.size() == 0) return;
  const Eigen::HouseholderQR<Dense<T>> factor(copy_in(a));
  Dense<T> basis = Dense<T>::Identity(a.rows, a.cols);
  basis.applyOnTheLeft(factor.householderQ());
  for (Eigen::Index j = 0; j < basis.cols(); ++j) {
    if (factor.matrixQR()(j, j) < T(0)) basis.col(j) *= T(-1);
  }
  copy_out<T>(basis, out);
}

#define INSTANTIATE(T)                                                                        \
  template bool solve_spd<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>,           \
                             MatrixView<T>);                                                  \
  template T solve_general<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>,          \
                              MatrixView<T>);                                                 \
  template void pseudo_inverse<T>(CpuContext&, MatrixView<const T>, MatrixView<T>);           \
  template void symmetric_eigen<T>(CpuContext&, MatrixView<const T>, Span<T>, MatrixView<T>); \
  template T largest_eigenvalue<T>(CpuContext&, MatrixView<const T>);                         \
  template void orthonormalise<T>(CpuContext&, MatrixView<const T>, MatrixView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
