// Loops over small matrices.
#include "kernels/cluster_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cluster_shapes.h"

namespace m2st::kernels {

namespace {

double& entry(BatchView<double> x, std::int64_t s, std::int64_t i, std::int64_t j) {
  return x.data[s * x.member_stride + i * x.row_stride + j];
}
double entry(BatchView<const double> x, std::int64_t s, std::int64_t i, std::int64_t j) {
  return x.data[s * x.member_stride + i * x.row_stride + j];
}

}  // namespace

void view_weights(CpuContext&, Span<const double> lambda2, MatrixView<const double> norms,
                  MatrixView<double> weights) {
  check_view_weights(lambda2, norms, weights);
  for (std::int64_t s = 0; s < norms.cols; ++s) {
    double sum = 0;
    for (std::int64_t v = 0; v < norms.rows; ++v) {
      const double norm = std::isfinite(norms(v, s)) ? std::max(norms(v, s), 0.0)
                                                     : std::numeric_limits<double>::max();
      weights(v, s) = std::exp(-lambda2[static_cast<std::size_t>(s)] * norm);
      sum += weights(v, s);
    }
    for (std::int64_t v = 0; v < norms.rows; ++v) {
      weights(v, s) = sum > 0 ? weights(v, s) / sum : 1.0 / static_cast<double>(norms.rows);
    }
  }
}

void centre_systems(CpuContext&, Span<const double> alphas, Span<const double> lambda3,
                    MatrixView<const std::int64_t> counts, BatchView<double> gram) {
  check_centre_systems(alphas, lambda3, counts, gram);
  for (std::int64_t s = 0; s < gram.count; ++s) {
    const double lambda = lambda3[static_cast<std::size_t>(s)];
    for (std::int64_t i = 0; i < gram.rows; ++i) {
      for (std::int64_t j = 0; j < gram.cols; ++j) entry(gram, s, i, j) *= lambda;
      entry(gram, s, i, i) +=
          alphas[static_cast<std::size_t>(s)] * static_cast<double>(counts(s, i)) - lambda;
    }
  }
}

void half_distances(CpuContext&, MatrixView<const std::int64_t> counts,
                    BatchView<const double> centres, BatchView<const double> cross,
                    BatchView<double> out) {
  check_half_distances(counts, centres, cross, out);
  for (std::int64_t s = 0; s < out.count; ++s) {
    for (std::int64_t i = 0; i < out.rows; ++i) {
      for (std::int64_t c = 0; c < out.cols; ++c) {
        entry(out, s, i, c) = 0.5 * static_cast<double>(counts(s, c)) * entry(centres, s, i, c) -
                              entry(cross, s, i, c);
      }
    }
  }
}

void add_centre_squares(CpuContext&, Span<const double> alphas, BatchView<const double> centres,
                        BatchView<double> table) {
  check_centre_squares(alphas, centres, table);
  for (std::int64_t s = 0; s < table.count; ++s) {
    for (std::int64_t c = 0; c < centres.cols; ++c) {
      double square = 0;
      for (std::int64_t i = 0; i < centres.rows; ++i) {
        square += entry(centres, s, i, c) * entry(centres, s, i, c);
      }
      for (std::int64_t i = 0; i < table.rows; ++i) {
        entry(table, s, i, c) += alphas[static_cast<std::size_t>(s)] * square;
      }
    }
  }
}

void put_counts(CpuContext&, MatrixView<const std::int64_t> counts, BatchView<double> gram) {
  check_put_counts(counts, gram);
  for (std::int64_t s = 0; s < gram.count; ++s) {
    for (std::int64_t c = 0; c < gram.rows; ++c) {
      entry(gram, s, c, c) = static_cast<double>(counts(s, c));
    }
  }
}

}  // namespace m2st::kernels
