// Counts or values of genes in cells, as they came from a file: sparse, and kept sparse as long as
// preparation can.
#pragma once

#include <cstdint>
#include <vector>

namespace m2st::data {

// CSR by cell. Readers hand it over with sorted columns, duplicates added up, values finite.
struct SparseMatrix {
  std::int64_t rows = 0;              // cells
  std::int64_t columns = 0;           // genes
  std::vector<std::int64_t> offsets;  // (rows + 1)
  std::vector<std::int32_t> indices;  // (entries), each below `columns`
  std::vector<float> values;          // (entries); counts above 2^24 are refused by readers

  std::int64_t entries() const { return static_cast<std::int64_t>(values.size()); }
};

}  // namespace m2st::data
