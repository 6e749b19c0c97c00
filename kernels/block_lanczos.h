// Block Lanczos behind leading_eigen, on any context: products with the basis are the context's;
// what has a few vectors, or the basis's size squared, is the host's. The basis and its images are
// both kept, so that a restart is a product with the Ritz vectors and residuals are what they claim
// to be.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/copy.h"
#include "engine/random.h"
#include "kernels/gemm.h"
#include "kernels/leading_eigen.h"
#include "kernels/linear_algebra.h"

namespace m2st::kernels {

// The wanted vectors and some more: those just outside decide how fast the last ones converge.
constexpr std::int64_t lanczos_kept_size(std::int64_t count) {
  return count + (lanczos_basis_size(count) - count) / 4;
}

template <class AnyContext>
class BlockLanczos {
 public:
  BlockLanczos(AnyContext& context, std::int64_t n, const SymmetricOperator& apply,
               std::int64_t count)
      : context_(context),
        apply_(apply),
        n_(n),
        count_(count),
        capacity_(lanczos_basis_size(count)),
        basis_(context.pool(), capacity_, n),
        images_(context.pool(), capacity_, n),
        other_(context.pool(), capacity_, n),
        next_(context.pool(), kBlock, n),
        block_(static_cast<std::size_t>(kBlock * n)),
        projected_(static_cast<std::size_t>(capacity_ * capacity_)) {
    for (std::int64_t i = 0; i < kBlock; ++i) draw(i);
    place_block();
    make_next_orthonormal();
  }

  // values on the host, vectors in the context's memory.
  bool run(Span<double> values, MatrixView<double> vectors) {
    bool converged = false;
    for (int restart = 0; restart < kMostRestarts && !converged; ++restart) {
      while (size_ + kBlock <= capacity_) expand();
      converged = restart_from_ritz_vectors();
    }
    std::copy_n(ritz_.begin(), count_, values.begin());
    std::vector<double> found = leading_rows(basis_);
    for (std::int64_t i = 0; i < count_; ++i) make_largest_positive<double>(row_of(found, i));
    copy_in<double>(context_, found, vectors.span());
    return converged;
  }

 private:
  static constexpr std::int64_t kBlock = kLanczosBlock;
  static constexpr int kMostRestarts = 300;
  static constexpr double kResidual = 1e-10;  // of an eigenvalue
  // Of the largest: what a product of some thousand terms loses.
  static constexpr double kRounding = 4e-14;
  static constexpr double kLost = 1e-12;  // of a block: what is left of a direction it already had
  static constexpr RandomKey kStart = {0, stream_of(Purpose::kInitialise, 0xFFFFFF), 0};

  MatrixView<const double> basis() const { return basis_.view().slice(0, size_); }
  Span<double> row_of(std::vector<double>& rows, std::int64_t i) const {
    return {rows.data() + i * n_, static_cast<std::size_t>(n_)};
  }
  void place_block() { copy_in<double>(context_, block_, next_.span()); }
  void fetch_block() { copy_out<double>(context_, std::as_const(next_).span(), block_); }

  std::vector<double> leading_rows(const Matrix<double>& rows) const {
    std::vector<double> here(static_cast<std::size_t>(count_ * n_));
    copy_out<double>(context_, rows.view().slice(0, count_).span(), here);
    return here;
  }

  std::vector<double> products_with_basis(MatrixView<const double> rows) const {
    Matrix<double> products(context_.pool(), kBlock, size_);
    gemm<double>(context_, Layout::kPlain, Layout::kTransposed, 1.0, rows, basis(), 0.0,
                 products.view());
    std::vector<double> here(static_cast<std::size_t>(products.size()));
    copy_out<double>(context_, std::as_const(products).span(), here);
    return here;
  }

  // The next block joins the basis; what its images hold beyond the basis is the block after.
  void expand() {
    const MatrixView<double> images = images_.view().slice(size_, kBlock);
    copy_in<double>(context_, block_, basis_.view().slice(size_, kBlock).span());
    apply_(next_.view(), images);
    copy_out<double>(context_, images.span(), block_);
    place_block();
    size_ += kBlock;
    const std::vector<double> products = products_with_basis(images);
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const std::int64_t row = size_ - kBlock + i;
      for (std::int64_t j = 0; j < size_; ++j) {
        projected_[row * capacity_ + j] = products[i * size_ + j];
        projected_[j * capacity_ + row] = products[i * size_ + j];
      }
    }
    make_next_orthonormal();
  }

  // To the basis and within. Twice is enough (Parlett, The Symmetric Eigenvalue Problem, 6.9): the
  // first pass may leave a direction that is mostly rounding, the second cleans it.
  void make_next_orthonormal() {
    double scale = 0;
    for (std::int64_t i = 0; i < kBlock; ++i) scale = std::max(scale, length(row_of(block_, i)));
    for (int pass = 0; pass < 2; ++pass) {
      subtract_basis();
      for (std::int64_t i = 0; i < kBlock; ++i) {
        subtract_earlier(i);
        if (length(row_of(block_, i)) <= kLost * scale) {
          draw(i);
          subtract_earlier(i);
        }
        const Span<double> row = row_of(block_, i);
        const double factor = 1 / length(row);
        for (double& value : row) value *= factor;
      }
      place_block();
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
    fetch_block();
  }

  void subtract_earlier(std::int64_t i) {
    const Span<double> row = row_of(block_, i);
    for (std::int64_t earlier = 0; earlier < i; ++earlier) {
      const Span<const double> other = row_of(block_, earlier);
      const double product = std::inner_product(row.begin(), row.end(), other.begin(), 0.0);
      for (std::int64_t c = 0; c < n_; ++c) row[c] -= product * other[c];
    }
  }

  // A new direction: for the start, and where the block has lost one.
  void draw(std::int64_t i) {
    for (std::int64_t c = 0; c < n_; ++c) {
      block_[i * n_ + c] = random_normal(kStart, static_cast<std::uint32_t>(c), drawn_);
    }
    ++drawn_;
  }

  static double length(Span<const double> row) {
    return std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
  }

  // Eigenvalues rising, and eigenvectors in columns, of the operator within the basis.
  void solve_within_basis(std::vector<double>& values, std::vector<double>& vectors) const {
    std::vector<double> within(static_cast<std::size_t>(size_ * size_));
    for (std::int64_t i = 0; i < size_; ++i) {
      std::copy_n(projected_.data() + i * capacity_, size_, within.data() + i * size_);
    }
    Matrix<double> there(context_.pool(), size_, size_), pairs(context_.pool(), size_, size_);
    Array<double> spectrum(context_.pool(), size_);
    copy_in<double>(context_, within, there.span());
    symmetric_eigen<double>(context_, there.view(), spectrum.span(), pairs.view());
    values.resize(static_cast<std::size_t>(size_));
    vectors.resize(within.size());
    copy_out<double>(context_, std::as_const(spectrum).span(), values);
    copy_out<double>(context_, std::as_const(pairs).span(), vectors);
  }

  // Basis and images become the leading Ritz vectors and theirs. Whether the wanted ones converged.
  bool restart_from_ritz_vectors() {
    const std::int64_t kept = lanczos_kept_size(count_);
    std::vector<double> values, vectors, turn(static_cast<std::size_t>(kept * size_));
    solve_within_basis(values, vectors);
    ritz_.resize(static_cast<std::size_t>(kept));
    std::fill(projected_.begin(), projected_.end(), 0.0);
    for (std::int64_t i = 0; i < kept; ++i) {
      ritz_[i] = projected_[i * capacity_ + i] = values[size_ - 1 - i];
      for (std::int64_t j = 0; j < size_; ++j) {
        turn[i * size_ + j] = vectors[j * size_ + size_ - 1 - i];
      }
    }
    Matrix<double> there(context_.pool(), kept, size_);
    copy_in<double>(context_, turn, there.span());
    turn_rows(there.view(), basis_);
    turn_rows(there.view(), images_);
    size_ = kept;
    return converged();
  }

  void turn_rows(MatrixView<const double> turn, Matrix<double>& rows) {
    gemm<double>(context_, Layout::kPlain, Layout::kPlain, 1.0, turn,
                 rows.view().slice(0, turn.cols), 0.0, other_.view().slice(0, turn.rows));
    std::swap(rows, other_);
  }

  bool converged() const {
    const std::vector<double> vectors = leading_rows(basis_), images = leading_rows(images_);
    const double rounding = kRounding * std::max(std::abs(ritz_.front()), std::abs(ritz_.back()));
    for (std::int64_t i = 0; i < count_; ++i) {
      double square = 0;
      for (std::int64_t c = i * n_; c < (i + 1) * n_; ++c) {
        const double difference = images[c] - ritz_[i] * vectors[c];
        square += difference * difference;
      }
      if (!(std::sqrt(square) <= std::max(kResidual * std::abs(ritz_[i]), rounding))) return false;
    }
    return true;
  }

  AnyContext& context_;
  const SymmetricOperator& apply_;
  std::int64_t n_, count_, capacity_;
  std::int64_t size_ = 0;
  Matrix<double> basis_, images_, other_;  // rows are vectors
  Matrix<double> next_;                    // (kBlock, n), orthonormal to the basis
  std::vector<double> block_;              // next_ on the host
  std::vector<double> projected_;          // (capacity, capacity): basis · images transposed
  std::vector<double> ritz_;               // falling
  std::uint32_t drawn_ = 0;
};

// Both backends' leading_eigen.
template <class AnyContext>
bool leading_eigen_by_lanczos(AnyContext& context, std::int64_t n, const SymmetricOperator& apply,
                              Span<double> values, MatrixView<double> vectors) {
  M2ST_CHECK(vectors.cols == n && static_cast<std::int64_t>(values.size()) == vectors.rows,
             "leading_eigen: shape of vectors (got ", vectors.rows, " x ", vectors.cols, ", need ",
             values.size(), " x ", n, ")");
  M2ST_CHECK(worth_iterating(n, vectors.rows), "leading_eigen: ", vectors.rows,
             " pairs asked for of dimension ", n, ", which is too many");
  return BlockLanczos<AnyContext>(context, n, apply, vectors.rows).run(values, vectors);
}

}  // namespace m2st::kernels
