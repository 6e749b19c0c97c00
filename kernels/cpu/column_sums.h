// Sums down the columns in a fixed shape: at most 64 blocks of consecutive rows, each summed in
// double, combined in order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/array.h"
#include "engine/parallel.h"

namespace m2st::kernels {

// Fewer rows than this are not worth a block's own row of sums.
inline constexpr std::int64_t kLeastRowsOfBlock = 64;
inline constexpr std::int64_t kMostBlocks = 64;

inline std::int64_t block_rows(std::int64_t rows) {
  return std::max(kLeastRowsOfBlock, (rows + kMostBlocks - 1) / kMostBlocks);
}

// sums[c] = Σ_r term(row_of(r)[c], c) for c < cols. Four rows at a time: the running sums are then
// loaded and stored once for four additions.
template <class RowOf, class Term>
void sum_rows(std::int64_t begin, std::int64_t end, std::int64_t cols, const RowOf& row_of,
              const Term& term, double* __restrict__ sums) {
  std::fill_n(sums, cols, 0.0);
  std::int64_t r = begin;
  for (; r + 4 <= end; r += 4) {
    const auto* x0 = row_of(r);
    const auto* x1 = row_of(r + 1);
    const auto* x2 = row_of(r + 2);
    const auto* x3 = row_of(r + 3);
    for (std::int64_t c = 0; c < cols; ++c) {
      sums[c] += (term(x0[c], c) + term(x1[c], c)) + (term(x2[c], c) + term(x3[c], c));
    }
  }
  for (; r < end; ++r) {
    const auto* x = row_of(r);
    for (std::int64_t c = 0; c < cols; ++c) sums[c] += term(x[c], c);
  }
}

template <class RowOf, class Term>
void sum_columns(CpuContext& context, std::int64_t rows, std::int64_t cols, const RowOf& row_of,
                 const Term& term, double* sums) {
  const std::int64_t grain = block_rows(rows);
  Matrix<double> parts(context.pool(), chunk_count(rows, grain), cols);
  parallel_for(context, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    sum_rows(begin, end, cols, row_of, term, parts.data() + begin / grain * cols);
  });
  std::fill_n(sums, cols, 0.0);
  for (std::int64_t part = 0; part < parts.rows(); ++part) {
    const double* row = parts.data() + part * cols;
    for (std::int64_t c = 0; c < cols; ++c) sums[c] += row[c];
  }
}

}  // namespace m2st::kernels
