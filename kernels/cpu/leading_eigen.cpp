// The basis and its images are both kept, so that a restart is a product with the Ritz vectors and
// residuals are what they claim to be.
#include "kernels/leading_eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/random.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kBlock = 8;  // vectors a step: one pass over a matrix serves them all
constexpr int kMostRestarts = 300;
constexpr double kResidual = 1e-10;  // of an eigenvalue
constexpr double kRounding = 4e-14;  // of the largest: what a product of some thousand terms loses
constexpr double kLost = 1e-12;      // of a block: what is left of a direction it already had
constexpr RandomKey kStart = {0, stream_of(Purpose::kInitialise, 0xFFFFFF), 0};

std::int64_t basis_size(std::int64_t count) { return 3 * count + 8 * kBlock; }
// The wanted vectors and some more: those just outside decide how fast the last ones converge.
std::int64_t kept_size(std::int64_t count) { return count + (basis_size(count) - count) / 4; }

class BlockLanczos {
 public:
  BlockLanczos(CpuContext& context, std::int64_t n, const SymmetricOperator& apply,
               std::int64_t count)
      : context_(context),
        apply_(apply),
        n_(n),
        count_(count),
        capacity_(basis_size(count)),
        basis_(context.pool(), capacity_, n),
        images_(context.pool(), capacity_, n),
        other_(context.pool(), kept_size(count), n),
        next_(context.pool(), kBlock, n),
        projected_(context.pool(), capacity_, capacity_) {
    for (std::int64_t i = 0; i < kBlock; ++i) draw(i);
    make_next_orthonormal();
  }

  bool run(Span<double> values, MatrixView<double> vectors) {
    bool converged = false;
    for (int restart = 0; restart < kMostRestarts && !converged; ++restart) {
      while (size_ + kBlock <= capacity_) expand();
      converged = restart_from_ritz_vectors();
    }
    std::copy_n(ritz_.begin(), count_, values.begin());
    std::copy_n(basis_.data(), count_ * n_, vectors.data);
    return converged;
  }

 private:
  MatrixView<const double> basis() const { return basis_.view().slice(0, size_); }

  // The next block joins the basis; what its images hold beyond the basis is the block after.
  void expand() {
    const MatrixView<double> images = images_.view().slice(size_, kBlock);
    std::copy_n(next_.data(), next_.size(), basis_.data() + size_ * n_);
    apply_(next_.view(), images);
    std::copy_n(images.data, images.size(), next_.data());
    size_ += kBlock;
    Matrix<double> products(context_.pool(), kBlock, size_);
    gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0, images, basis(), 0.0,
                 products.view());
    for (std::int64_t i = 0; i < kBlock; ++i) {
      for (std::int64_t j = 0; j < size_; ++j) {
        projected_(size_ - kBlock + i, j) = products(i, j);
        projected_(j, size_ - kBlock + i) = products(i, j);
      }
    }
    make_next_orthonormal();
  }

  // To the basis and within. Twice is enough (Parlett, The Symmetric Eigenvalue Problem, 6.9): the
  // first pass may leave a direction that is mostly rounding, the second cleans it.
  void make_next_orthonormal() {
    double scale = 0;
    for (std::int64_t i = 0; i < kBlock; ++i) scale = std::max(scale, length(next_.view().row(i)));
    for (int pass = 0; pass < 2; ++pass) {
      subtract_basis();
      for (std::int64_t i = 0; i < kBlock; ++i) {
        subtract_earlier(i);
        if (length(next_.view().row(i)) <= kLost * scale) {
          draw(i);
          subtract_earlier(i);
        }
        const Span<double> row = next_.view().row(i);
        const double factor = 1 / length(row);
        for (double& value : row) value *= factor;
      }
      scale = 1;
    }
  }

  void subtract_basis() {
    if (size_ == 0) return;
    Matrix<double> products(context_.pool(), kBlock, size_);
    gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0, next_.view(), basis(), 0.0,
                 products.view());
    gemm<double>(context_, Layout::kPlain, Layout::kPlain, -1.0, products.view(), basis(), 1.0,
                 next_.view());
  }

  void subtract_earlier(std::int64_t i) {
    const Span<double> row = next_.view().row(i);
    for (std::int64_t earlier = 0; earlier < i; ++earlier) {
      const Span<const double> other = std::as_const(next_).view().row(earlier);
      const double product = std::inner_product(row.begin(), row.end(), other.begin(), 0.0);
      for (std::int64_t c = 0; c < n_; ++c) row[c] -= product * other[c];
    }
  }

  // A new direction: for the start, and where the block has lost one.
  void draw(std::int64_t i) {
    for (std::int64_t c = 0; c < n_; ++c) {
      next_(i, c) = random_normal(kStart, static_cast<std::uint32_t>(c), drawn_);
    }
    ++drawn_;
  }

  static double length(Span<const double> row) {
    return std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
  }

  // Basis and images become the leading Ritz vectors and theirs. Whether the wanted ones converged.
  bool restart_from_ritz_vectors() {
    const std::int64_t kept = kept_size(count_);
    Matrix<double> projected(context_.pool(), size_, size_), vectors(context_.pool(), size_, size_),
        turn(context_.pool(), kept, size_);
    for (std::int64_t i = 0; i < size_; ++i) {
      for (std::int64_t j = 0; j < size_; ++j) projected(i, j) = projected_(i, j);
    }
    Array<double> values(context_.pool(), size_);
    symmetric_eigen<double>(context_, projected.view(), values.span(), vectors.view());
    ritz_.resize(static_cast<std::size_t>(kept));
    std::fill(projected_.data(), projected_.data() + projected_.size(), 0.0);
    for (std::int64_t i = 0; i < kept; ++i) {
      ritz_[i] = projected_(i, i) = values[size_ - 1 - i];
      for (std::int64_t j = 0; j < size_; ++j) turn(i, j) = vectors(j, size_ - 1 - i);
    }
    turn_rows(turn.view(), basis_);
    turn_rows(turn.view(), images_);
    size_ = kept;
    return converged();
  }

  void turn_rows(MatrixView<const double> turn, Matrix<double>& rows) {
    gemm<double>(context_, Layout::kPlain, Layout::kPlain, 1.0, turn,
                 rows.view().slice(0, turn.cols), 0.0, other_.view());
    std::copy_n(other_.data(), other_.size(), rows.data());
  }

  bool converged() const {
    const double rounding = kRounding * std::max(std::abs(ritz_.front()), std::abs(ritz_.back()));
    for (std::int64_t i = 0; i < count_; ++i) {
      const Span<const double> vector = basis_.view().row(i), image = images_.view().row(i);
      double square = 0;
      for (std::int64_t c = 0; c < n_; ++c) {
        const double difference = image[c] - ritz_[i] * vector[c];
        square += difference * difference;
      }
      if (!(std::sqrt(square) <= std::max(kResidual * std::abs(ritz_[i]), rounding))) return false;
    }
    return true;
  }

  CpuContext& context_;
  const SymmetricOperator& apply_;
  std::int64_t n_, count_, capacity_;
  std::int64_t size_ = 0;
  Matrix<double> basis_, images_, other_;  // rows are vectors
  Matrix<double> next_;                    // (kBlock, n), orthonormal to the basis
  Matrix<double> projected_;               // basis · images transposed
  std::vector<double> ritz_;               // falling
  std::uint32_t drawn_ = 0;
};

}  // namespace

bool worth_iterating(std::int64_t n, std::int64_t count) {
  return count > 0 && 2 * basis_size(count) <= n;
}

bool leading_eigen(CpuContext& context, std::int64_t n, const SymmetricOperator& apply,
                   Span<double> values, MatrixView<double> vectors) {
  M2ST_CHECK(vectors.cols == n && static_cast<std::int64_t>(values.size()) == vectors.rows,
             "leading_eigen: shape of vectors (got ", vectors.rows, " x ", vectors.cols, ", need ",
             values.size(), " x ", n, ")");
  M2ST_CHECK(worth_iterating(n, vectors.rows), "leading_eigen: ", vectors.rows,
             " pairs asked for of dimension ", n, ", which is too many");
  const bool converged = BlockLanczos(context, n, apply, vectors.rows).run(values, vectors);
  for (std::int64_t i = 0; i < vectors.rows; ++i) make_largest_positive<double>(vectors.row(i));
  return converged;
}

}  // namespace m2st::kernels
