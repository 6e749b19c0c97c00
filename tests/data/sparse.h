// Sparse matrices for tests, from dense ones and from counts drawn by cell and gene.
#pragma once

#include <cmath>
#include <cstdint>

#include "data/prep/sparse_matrix.h"
#include "engine/random.h"
#include "tests/reference/dense.h"

namespace m2st::test {

template <class T>
data::SparseMatrix sparse(const reference::Dense<T>& x) {
  data::SparseMatrix out{x.rows, x.cols, {0}, {}, {}};
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      if (x(i, j) == T(0)) continue;
      out.indices.push_back(static_cast<std::int32_t>(j));
      out.values.push_back(static_cast<float>(x(i, j)));
    }
    out.offsets.push_back(out.entries());
  }
  return out;
}

template <class T>
reference::Dense<T> dense(const data::SparseMatrix& x) {
  reference::Dense<T> out(x.rows, x.columns);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t e = x.offsets[i]; e < x.offsets[i + 1]; ++e) {
      out(i, x.indices[e]) = static_cast<T>(x.values[e]);
    }
  }
  return out;
}

// About `density` of the entries are 1, 2, 3, ...: genes of all depths, the first in every cell.
inline reference::Dense<float> random_counts(std::int64_t cells, std::int64_t genes, double density,
                                             std::uint64_t seed) {
  reference::Dense<float> out(cells, genes);
  const RandomKey key{seed, stream_of(Purpose::kTest, 1), 0};
  for (std::int64_t i = 0; i < cells; ++i) {
    for (std::int64_t j = 0; j < genes; ++j) {
      const auto cell = static_cast<std::uint32_t>(i), gene = static_cast<std::uint32_t>(j);
      const double depth = j == 0 ? 1 : 2 * density * (j + 1) / static_cast<double>(genes + 1);
      if (random_uniform(key, cell, 2 * gene) >= depth) continue;
      out(i, j) = static_cast<float>(
          1 + std::floor(-3 * depth * std::log1p(-random_uniform(key, cell, 2 * gene + 1))));
    }
  }
  return out;
}

}  // namespace m2st::test
