// A sparse matrix as rows of numbers, to compare with what a test wrote.
#pragma once

#include <vector>

#include "data/prep/sparse_matrix.h"

namespace m2st::test {

inline std::vector<std::vector<float>> dense_rows(const data::SparseMatrix& matrix) {
  std::vector<std::vector<float>> rows;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    std::vector<float>& row = rows.emplace_back(static_cast<std::size_t>(matrix.columns));
    for (std::int64_t e = matrix.offsets[i]; e < matrix.offsets[i + 1]; ++e) {
      row[static_cast<std::size_t>(matrix.indices[e])] = matrix.values[e];
    }
  }
  return rows;
}

}  // namespace m2st::test
