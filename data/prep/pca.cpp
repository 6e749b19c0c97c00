// Three ways to the same axes: covariance when there are fewer genes, Gram matrix when there are
// fewer cells, and neither when both are too many for a square matrix.
#include "data/prep/pca.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/placement.h"
#include "kernels/gemm.h"
#include "kernels/leading_eigen.h"
#include "kernels/linear_algebra.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kMostSquare = 8192;  // a square matrix of doubles: 512 MB
constexpr std::int64_t kRowGrain = 64;

std::vector<double> row_means(CpuContext& context, const SparseMatrix& by_gene) {
  std::vector<double> means(static_cast<std::size_t>(by_gene.rows));
  parallel_for(context, by_gene.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      double sum = 0;
      for (const float value : by_gene.row_values(row)) sum += value;
      means[row] = sum / static_cast<double>(by_gene.columns);
    }
  });
  return means;
}

MatrixView<const double> column_of(const std::vector<double>& values) {
  return {values.data(), static_cast<std::int64_t>(values.size()), 1};
}

Matrix<double> turned(CpuContext& context, MatrixView<const double> x) {
  Matrix<double> out(context.pool(), x.cols, x.rows);
  parallel_for(context, x.cols, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      for (std::int64_t j = begin; j < end; ++j) out(j, i) = x(i, j);
    }
  });
  return out;
}

// X, of which only products are taken: X = by_cell − 1 meansᵀ.
class CentredMatrix {
 public:
  CentredMatrix(CpuContext& context, const SparseMatrix& by_cell, const SparseMatrix& by_gene)
      : context_(context),
        by_cell_(by_cell),
        by_gene_(by_gene),
        means_(row_means(context, by_gene)) {}

  std::int64_t cells() const { return by_cell_.rows; }
  std::int64_t genes() const { return by_cell_.columns; }

  // XᵀX.
  Matrix<double> scatter() const {
    Matrix<double> out(context_.pool(), genes(), genes());
    row_products(context_, by_gene_, by_cell_, out.view());
    const auto n = static_cast<double>(cells());
    subtract(out, [&](std::int64_t i, std::int64_t j) { return n * means_[i] * means_[j]; });
    return out;
  }

  // XXᵀ.
  Matrix<double> gram() const {
    Matrix<double> out(context_.pool(), cells(), cells());
    row_products(context_, by_cell_, by_gene_, out.view());
    std::vector<double> products(static_cast<std::size_t>(cells()));
    multiply(context_, by_cell_, column_of(means_), {products.data(), cells(), 1});
    double square = 0;
    for (const double mean : means_) square += mean * mean;
    subtract(out,
             [&](std::int64_t i, std::int64_t j) { return products[i] + products[j] - square; });
    return out;
  }

  // X v for v (genes, width).
  Matrix<double> times(MatrixView<const double> v) const {
    Matrix<double> out(context_.pool(), cells(), v.cols);
    multiply(context_, by_cell_, v, out.view());
    std::vector<double> shift(static_cast<std::size_t>(v.cols), 0.0);
    for (std::int64_t g = 0; g < v.rows; ++g) {
      for (std::int64_t c = 0; c < v.cols; ++c) shift[c] += means_[g] * v(g, c);
    }
    subtract(out, [&](std::int64_t, std::int64_t c) { return shift[c]; });
    return out;
  }

  // Xᵀu for u (cells, width).
  Matrix<double> transposed_times(MatrixView<const double> u) const {
    Matrix<double> out(context_.pool(), genes(), u.cols);
    multiply(context_, by_gene_, u, out.view());
    std::vector<double> sums(static_cast<std::size_t>(u.cols), 0.0);
    for (std::int64_t i = 0; i < u.rows; ++i) {
      for (std::int64_t c = 0; c < u.cols; ++c) sums[c] += u(i, c);
    }
    subtract(out, [&](std::int64_t g, std::int64_t c) { return means_[g] * sums[c]; });
    return out;
  }

 private:
  template <class Value>
  void subtract(Matrix<double>& out, Value&& value) const {
    parallel_for(context_, out.rows(), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t j = 0; j < out.cols(); ++j) out(i, j) -= value(i, j);
      }
    });
  }

  CpuContext& context_;
  const SparseMatrix& by_cell_;
  const SparseMatrix& by_gene_;
  std::vector<double> means_;
};

struct Eigenpairs {
  std::vector<double> values;  // falling
  Matrix<double> vectors;      // (count, n)
};

// square (n, n) and what is made of it in the backend's memory; the pairs on the host.
template <class Backend>
Eigenpairs eigenpairs_on(CpuContext& host, Backend& backend, MatrixView<const double> square,
                         std::int64_t count) {
  const std::int64_t n = square.rows;
  Eigenpairs pairs{std::vector<double>(static_cast<std::size_t>(count)), {}};
  if (kernels::worth_iterating(n, count)) {
    Matrix<double> rows(backend.pool(), count, n);
    const auto apply = [&](MatrixView<const double> x, MatrixView<double> out) {
      kernels::gemm<double>(backend, kernels::Layout::kPlain, kernels::Layout::kPlain, 1.0, x,
                            square, 0.0, out);
    };
    if (kernels::leading_eigen(backend, n, apply, pairs.values, rows.view())) {
      pairs.vectors = brought_to_host(host, backend, std::move(rows));
      return pairs;
    }
  }
  Matrix<double> spectrum(backend.pool(), 1, n), columns(backend.pool(), n, n);
  kernels::symmetric_eigen<double>(backend, square, spectrum.span(), columns.view());
  const Matrix<double> values = brought_to_host(host, backend, std::move(spectrum));
  const Matrix<double> vectors = brought_to_host(host, backend, std::move(columns));
  pairs.vectors = Matrix<double>(host.pool(), count, n);
  for (std::int64_t i = 0; i < count; ++i) {
    pairs.values[i] = values(0, n - 1 - i);
    for (std::int64_t c = 0; c < n; ++c) pairs.vectors(i, c) = vectors(c, n - 1 - i);
  }
  return pairs;
}

Eigenpairs eigenpairs_of(CpuContext& host, Context* dense, const Matrix<double>& square,
                         std::int64_t count) {
  if (dense == nullptr) return eigenpairs_on(host, host, square.view(), count);
  Placement placement(*dense);
  const MatrixView<const double> there = placement.place(square.view());
  return dense->dispatch([&](auto& backend) { return eigenpairs_on(host, backend, there, count); });
}

template <class Backend>
Matrix<double> orthonormal_on(CpuContext& host, Backend& backend,
                              MatrixView<const double> columns) {
  Matrix<double> basis(backend.pool(), columns.rows, columns.cols);
  kernels::orthonormalise<double>(backend, columns, basis.view());
  return brought_to_host(host, backend, std::move(basis));
}

Matrix<double> orthonormal(CpuContext& host, Context* dense, const Matrix<double>& columns) {
  if (dense == nullptr) return orthonormal_on(host, host, columns.view());
  Placement placement(*dense);
  const MatrixView<const double> there = placement.place(columns.view());
  return dense->dispatch([&](auto& backend) { return orthonormal_on(host, backend, there); });
}

// Eigenvectors of XXᵀ become axes Xᵀu / σ. As in kernels/principal_components: a QR decomposition
// cleans axes of little variance and completes those of none.
Eigenpairs axes_from_cells(CpuContext& context, Context* dense, const CentredMatrix& x,
                           Eigenpairs pairs) {
  const auto count = static_cast<std::int64_t>(pairs.values.size());
  const double rounding = static_cast<double>(x.cells()) * std::numeric_limits<double>::epsilon() *
                          std::max(pairs.values[0], 0.0);
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = pairs.values[i];
    const double factor = value > rounding ? 1 / std::sqrt(value) : 0.0;
    if (value <= rounding) pairs.values[i] = 0;
    for (double& entry : pairs.vectors.view().row(i)) entry *= factor;
  }
  const Matrix<double> columns =
      x.transposed_times(turned(context, std::as_const(pairs.vectors).view()).view());
  const Matrix<double> basis = orthonormal(context, dense, columns);
  pairs.vectors = turned(context, basis.view());
  return pairs;
}

Eigenpairs axes_without_square(CpuContext& context, const CentredMatrix& x, std::int64_t count) {
  Eigenpairs pairs{std::vector<double>(static_cast<std::size_t>(count)),
                   Matrix<double>(context.pool(), count, x.genes())};
  const auto apply = [&](MatrixView<const double> rows, MatrixView<double> out) {
    const Matrix<double> scores = x.times(turned(context, rows).view());
    const Matrix<double> back = turned(context, x.transposed_times(scores.view()).view());
    std::copy_n(back.data(), back.size(), out.data);
  };
  if (!kernels::leading_eigen(context, x.genes(), apply, pairs.values, pairs.vectors.view())) {
    fail(ExitCode::kNotConverged, "principal components: ", count, " components of ", x.cells(),
         " cells with ", x.genes(),
         " genes did not converge; ask for fewer components or choose fewer genes");
  }
  return pairs;
}

Eigenpairs axes_of(CpuContext& context, Context* dense, const CentredMatrix& x,
                   std::int64_t count) {
  if (std::min(x.cells(), x.genes()) > kMostSquare && kernels::worth_iterating(x.genes(), count)) {
    return axes_without_square(context, x, count);
  }
  if (x.genes() <= x.cells()) return eigenpairs_of(context, dense, x.scatter(), count);
  return axes_from_cells(context, dense, x, eigenpairs_of(context, dense, x.gram(), count));
}

}  // namespace

PrincipalComponents principal_components(CpuContext& context, const SparseMatrix& by_cell,
                                         const SparseMatrix& by_gene, int components,
                                         Context* dense) {
  const std::int64_t most = std::min(by_cell.rows, by_cell.columns);
  if (components < 1 || components > most) {
    fail(ExitCode::kParameterImpossible, "principal components: ", components, " asked for, but ",
         by_cell.rows, " cells with ", by_cell.columns, " genes have between 1 and ", most,
         "; ask for a number in that range");
  }
  const CentredMatrix x(context, by_cell, by_gene);
  Eigenpairs pairs = axes_of(context, dense, x, components);
  PrincipalComponents result;
  result.variances = std::move(pairs.values);
  const auto divisor = static_cast<double>(std::max<std::int64_t>(by_cell.rows - 1, 1));
  for (double& variance : result.variances) variance = std::max(variance, 0.0) / divisor;
  result.axes = std::move(pairs.vectors);
  for (std::int64_t i = 0; i < components; ++i) {
    kernels::make_largest_positive<double>(result.axes.view().row(i));
  }
  const Matrix<double> scores = x.times(turned(context, std::as_const(result.axes).view()).view());
  result.scores = Matrix<float>(context.pool(), scores.rows(), components);
  std::transform(scores.data(), scores.data() + scores.size(), result.scores.data(),
                 [](double value) { return static_cast<float>(value); });
  return result;
}

double total_variance(CpuContext& context, const SparseMatrix& by_gene) {
  const auto n = static_cast<double>(by_gene.columns);
  const std::vector<double> means = row_means(context, by_gene);
  const double squares = parallel_reduce(
      context, by_gene.rows, kRowGrain, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t row = begin; row < end; ++row) {
          const auto values = by_gene.row_values(row);
          for (const float value : values) sum += (value - means[row]) * (value - means[row]);
          sum += (n - static_cast<double>(values.size())) * means[row] * means[row];
        }
        return sum;
      },
      [](double a, double b) { return a + b; });
  return squares / std::max(n - 1, 1.0);
}

}  // namespace m2st::data
