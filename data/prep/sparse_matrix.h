// Counts or values of genes in cells, as they came from a file: sparse, and kept sparse as long as
// preparation can.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

// CSR by cell. Readers hand it over with sorted columns, duplicates added up, values finite.
struct SparseMatrix {
  std::int64_t rows = 0;              // cells
  std::int64_t columns = 0;           // genes
  std::vector<std::int64_t> offsets;  // (rows + 1)
  std::vector<std::int32_t> indices;  // (entries), each below `columns`
  std::vector<float> values;          // (entries); counts above 2^24 are refused by readers

  std::int64_t entries() const { return static_cast<std::int64_t>(values.size()); }
  double density() const {
    return static_cast<double>(entries()) / static_cast<double>(rows) /
           static_cast<double>(columns);
  }
  Span<const std::int32_t> row_indices(std::int64_t row) const {
    return {indices.data() + offsets[row], indices.data() + offsets[row + 1]};
  }
  Span<const float> row_values(std::int64_t row) const {
    return {values.data() + offsets[row], values.data() + offsets[row + 1]};
  }
  Span<float> row_values(std::int64_t row) {
    return {values.data() + offsets[row], values.data() + offsets[row + 1]};
  }
};

// Columns become rows, again sorted.
SparseMatrix transposed(CpuContext& context, const SparseMatrix& matrix);

// The named rows, in the order of `kept`.
SparseMatrix selected_rows(CpuContext& context, const SparseMatrix& matrix,
                           Span<const std::int32_t> kept);

// The named columns (ascending), renumbered.
SparseMatrix selected_columns(CpuContext& context, const SparseMatrix& matrix,
                              Span<const std::int32_t> kept);

// out (rows, width) = matrix · x, with x (columns, width).
void multiply(CpuContext& context, const SparseMatrix& matrix, MatrixView<const double> x,
              MatrixView<double> out);

// out (rows, rows) = matrix · matrixᵀ, both triangles; `transpose` is transposed(matrix).
void row_products(CpuContext& context, const SparseMatrix& matrix, const SparseMatrix& transpose,
                  MatrixView<double> out);

}  // namespace m2st::data
