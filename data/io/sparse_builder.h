// From entries in the order of a file to the sparse matrix that readers hand over: rows by cell,
// columns sorted, duplicates added up, zeros left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/prep/sparse_matrix.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// Entries (cell, gene, value) in any order; lists of equal length.
struct Entries {
  std::vector<std::int32_t> cells;
  std::vector<std::int32_t> genes;
  std::vector<float> values;

  void add(std::int32_t cell, std::int32_t gene, float value) {
    cells.push_back(cell);
    genes.push_back(gene);
    values.push_back(value);
  }
};

// As it is stored in float, noting whole numbers that it cannot hold.
class Narrowing {
 public:
  float operator()(double value) {
    const auto narrow = static_cast<float>(value);
    if (value > kLargestCount && static_cast<double>(narrow) != value) largest_ = value;
    return narrow;
  }
  void merge(const Narrowing& other) {
    if (largest_ == 0) largest_ = other.largest_;
  }
  // Exit code 4 when a whole number above 2^24 was lost.
  void check(const std::string& path) const;

 private:
  static constexpr double kLargestCount = 0x1p24;
  double largest_ = 0;
};

SparseMatrix rows_from_entries(CpuContext& context, std::int64_t rows, std::int64_t columns,
                               const Entries& entries);

// `offsets` (columns + 1) into `cells` and `values`: compressed by gene.
SparseMatrix rows_from_columns(CpuContext& context, std::int64_t rows, std::int64_t columns,
                               const std::vector<std::int64_t>& offsets,
                               const std::vector<std::int32_t>& cells,
                               const std::vector<float>& values);

// Sorts, adds up and leaves out zeros, where rows need it.
void tidy(CpuContext& context, SparseMatrix& matrix);

// The given rows in their order; the given columns, which ascend.
SparseMatrix selected_rows(const SparseMatrix& matrix, const std::vector<std::int32_t>& rows);
SparseMatrix selected_columns(const SparseMatrix& matrix, const std::vector<std::int32_t>& columns);

}  // namespace m2st::data
