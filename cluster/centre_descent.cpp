// All sizes here are d_s × K and K × K.
#include "cluster/centre_descent.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cluster/blocks.h"
#include "cluster/reference_algebra.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr int kHalvings = 60;                // of a bracket around a step's length
constexpr double kSmallestDecrease = 1e-14;  // a share of f below which steps are rounding

double inner(const Matrix<double>& a, const Matrix<double>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += a.data()[i] * b.data()[i];
  return sum;
}

// VᵀV − I.
Matrix<double> excess(CpuContext& context, MatrixView<const double> centres) {
  Matrix<double> result = product(context, Layout::kTransposed, centres, Layout::kPlain, centres);
  for (std::int64_t c = 0; c < result.rows(); ++c) result(c, c) -= 1;
  return result;
}

double count_of(const CentreProblem& problem, std::int64_t c) {
  return static_cast<double>(problem.counts[static_cast<std::size_t>(c)]);
}

// 2α (V diag(n) − C) + 4λ V (VᵀV − I).
Matrix<double> gradient(CpuContext& context, const CentreProblem& problem,
                        const Matrix<double>& centres) {
  const Matrix<double> beyond = excess(context, centres.view());
  Matrix<double> result =
      product(context, Layout::kPlain, centres.view(), Layout::kPlain, beyond.view());
  for (std::int64_t i = 0; i < result.rows(); ++i) {
    for (std::int64_t c = 0; c < result.cols(); ++c) {
      result(i, c) =
          4 * problem.lambda * result(i, c) +
          2 * problem.alpha * (count_of(problem, c) * centres(i, c) - problem.cross(i, c));
    }
  }
  return result;
}

// The gradient divided by about the curvature of its column; a column without any stays where it
// is.
Matrix<double> scaled(CpuContext& context, const CentreProblem& problem,
                      const Matrix<double>& gradient_of) {
  Matrix<double> result(context.pool(), gradient_of.rows(), gradient_of.cols());
  for (std::int64_t i = 0; i < result.rows(); ++i) {
    for (std::int64_t c = 0; c < result.cols(); ++c) {
      const double curvature = 2 * problem.alpha * count_of(problem, c) + 8 * problem.lambda;
      result(i, c) = curvature > 0 ? gradient_of(i, c) / curvature : 0;
    }
  }
  return result;
}

// f(V + t Δ) − f(V) = Σ_k coefficient[k] tᵏ, k = 1..4.
class Line {
 public:
  Line(CpuContext& context, const CentreProblem& problem, const Matrix<double>& centres,
       const Matrix<double>& slope, const Matrix<double>& direction) {
    const Matrix<double> beyond = excess(context, centres.view());
    Matrix<double> mixed =
        product(context, Layout::kTransposed, centres.view(), Layout::kPlain, direction.view());
    const Matrix<double> mirrored = transposed(context, mixed.view());
    for (std::int64_t i = 0; i < mixed.size(); ++i) mixed.data()[i] += mirrored.data()[i];
    const Matrix<double> square =
        product(context, Layout::kTransposed, direction.view(), Layout::kPlain, direction.view());
    coefficients_[1] = inner(slope, direction);
    coefficients_[2] = problem.lambda * (inner(mixed, mixed) + 2 * inner(beyond, square));
    for (std::int64_t c = 0; c < direction.cols(); ++c) {
      coefficients_[2] += problem.alpha * count_of(problem, c) * square(c, c);
    }
    coefficients_[3] = 2 * problem.lambda * inner(mixed, square);
    coefficients_[4] = problem.lambda * inner(square, square);
  }

  double change(double t) const {
    return t * (coefficients_[1] +
                t * (coefficients_[2] + t * (coefficients_[3] + t * coefficients_[4])));
  }

  // Where the slope first is no longer negative, or a shorter step that does not raise f; 0: none.
  double step() const {
    if (!(coefficients_[1] < 0)) return 0;
    double high = 1;
    int doublings = 0;
    while (slope(high) < 0) {
      if (++doublings > kHalvings) return 0;
      high *= 2;
    }
    double low = 0;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = 0.5 * (low + high);
      (slope(middle) < 0 ? low : high) = middle;
    }
    for (int i = 0; i < kHalvings && !(change(low) < 0); ++i) low *= 0.5;
    return change(low) < 0 ? low : 0;
  }

 private:
  double slope(double t) const {
    return coefficients_[1] +
           t * (2 * coefficients_[2] + t * (3 * coefficients_[3] + t * 4 * coefficients_[4]));
  }

  std::array<double, 5> coefficients_{};
};

}  // namespace

double orthogonality(CpuContext& context, MatrixView<const double> centres) {
  const Matrix<double> beyond = excess(context, centres);
  return inner(beyond, beyond);
}

double centre_objective(CpuContext& context, const CentreProblem& problem,
                        MatrixView<const double> centres) {
  double fit = 0;
  for (std::int64_t i = 0; i < centres.rows; ++i) {
    for (std::int64_t c = 0; c < centres.cols; ++c) {
      fit += centres(i, c) * (count_of(problem, c) * centres(i, c) - 2 * problem.cross(i, c));
    }
  }
  return problem.alpha * fit + problem.lambda * orthogonality(context, centres);
}

Matrix<double> descended_centres(CpuContext& context, const CentreProblem& problem,
                                 MatrixView<const double> centres, int steps) {
  Matrix<double> result(context.pool(), centres.rows, centres.cols);
  std::copy(centres.span().begin(), centres.span().end(), result.span().begin());
  Matrix<double> slope = gradient(context, problem, result);
  Matrix<double> along = zeros(context, centres.rows, centres.cols);
  const double size = std::abs(centre_objective(context, problem, centres));
  double momentum = 0;
  for (int step = 0; step < steps; ++step) {
    const Matrix<double> downhill = scaled(context, problem, slope);
    const double now = inner(slope, downhill);
    for (std::int64_t i = 0; i < along.size(); ++i) {
      along.data()[i] = momentum * along.data()[i] - downhill.data()[i];
    }
    if (inner(slope, along) >= 0) {  // not downhill: start again from the gradient
      for (std::int64_t i = 0; i < along.size(); ++i) along.data()[i] = -downhill.data()[i];
    }
    const Line line(context, problem, result, slope, along);
    const double length = line.step();
    if (length == 0) break;
    for (std::int64_t i = 0; i < along.size(); ++i) {
      result.data()[i] += length * along.data()[i];
    }
    Matrix<double> next = gradient(context, problem, result);
    momentum =
        std::max(0.0, (inner(next, scaled(context, problem, next)) - inner(next, downhill)) / now);
    slope = std::move(next);
    if (-line.change(length) <= kSmallestDecrease * size) break;
  }
  return result;
}

}  // namespace m2st::cluster
