// Moving and multiplying sparse rows. Every output row has one owner and its sums run along the
// input's order, so results do not depend on threads.
#include "data/prep/sparse_matrix.h"

#include <algorithm>
#include <array>
#include <limits>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kMostChunks = 32;  // of rows in a transposition: bounds their tables
constexpr std::int64_t kRowGrain = 256;
constexpr std::int64_t kLanes = 8;  // columns of a product at a time: what block Lanczos asks for
constexpr std::int64_t kOwnerGrain = 4;           // rows of a product differ much in length
constexpr std::int64_t kCacheEntries = 1 << 17;   // entries gone through a block: 1 MB of L2
constexpr std::int64_t kDenseElements = 1 << 22;  // of a block made dense: 32 MB
constexpr std::int64_t kLeastDenseRows = 256;
constexpr std::int64_t kMostDenseRows = 8192;
// Above it a dense product is faster than going through pairs of entries: 2 flops for every pair of
// columns at the speed of gemm against density² scattered additions.
constexpr double kDenseFrom = 0.25;

// counts (chunks, columns): the entries of each column in each chunk of rows.
Matrix<std::int64_t> count_columns(CpuContext& context, const SparseMatrix& matrix,
                                   std::int64_t grain) {
  Matrix<std::int64_t> counts(context.pool(), chunk_count(matrix.rows, grain), matrix.columns);
  parallel_for(context, matrix.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const Span<std::int64_t> own = counts.view().row(begin / grain);
    std::fill(own.begin(), own.end(), 0);
    for (std::int64_t e = matrix.offsets[begin]; e < matrix.offsets[end]; ++e) {
      ++own[matrix.indices[e]];
    }
  });
  return counts;
}

// Room for `lengths` entries a row.
SparseMatrix with_rows(std::int64_t columns, const std::vector<std::int64_t>& lengths) {
  SparseMatrix out;
  out.rows = static_cast<std::int64_t>(lengths.size());
  out.columns = columns;
  out.offsets.assign(lengths.size() + 1, 0);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    out.offsets[row + 1] = out.offsets[row] + lengths[row];
  }
  out.indices.resize(static_cast<std::size_t>(out.offsets.back()));
  out.values.resize(out.indices.size());
  return out;
}

void copy_lower_to_upper(CpuContext& context, MatrixView<double> out) {
  parallel_for(context, out.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      for (std::int64_t s = r + 1; s < out.cols; ++s) out(r, s) = out(s, r);
    }
  });
}

// Rows of `transpose` [first, last) as a dense block, then blockᵀ · block onto out.
void add_dense_products(CpuContext& context, const SparseMatrix& transpose,
                        MatrixView<double> out) {
  const std::int64_t rows = std::clamp(kDenseElements / std::max<std::int64_t>(out.rows, 1),
                                       kLeastDenseRows, kMostDenseRows);
  Matrix<double> buffer(context.pool(), std::min(rows, transpose.rows), transpose.columns);
  for (std::int64_t first = 0; first < transpose.rows; first += rows) {
    const std::int64_t count = std::min(rows, transpose.rows - first);
    const MatrixView<double> block = buffer.view().slice(0, count);
    parallel_for(context, count, kOwnerGrain, [&](std::int64_t begin, std::int64_t end) {
      std::fill(block.row(begin).data(), block.row(end - 1).data() + block.cols, 0.0);
      for (std::int64_t r = begin; r < end; ++r) {
        const auto indices = transpose.row_indices(first + r);
        const auto values = transpose.row_values(first + r);
        for (std::size_t e = 0; e < indices.size(); ++e) block(r, indices[e]) = values[e];
      }
    });
    kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                          block, block, first == 0 ? 0.0 : 1.0, out);
  }
}

// The lower triangle, owner by owner: row r of `matrix` names the rows of `transpose` to go
// through, each only up to column r. Blocks of `transpose` stay in cache while all owners use them.
void add_sparse_products(CpuContext& context, const SparseMatrix& matrix,
                         const SparseMatrix& transpose, MatrixView<double> out) {
  std::vector<std::int64_t> next(matrix.offsets.begin(), matrix.offsets.end() - 1);
  for (std::int64_t first = 0, last = 0; first < transpose.rows; first = last) {
    const std::int64_t limit = transpose.offsets[first] + kCacheEntries;
    last = std::upper_bound(transpose.offsets.begin() + first + 1, transpose.offsets.end(), limit) -
           transpose.offsets.begin() - 1;
    last = std::max(last, first + 1);
    parallel_for(context, matrix.rows, kOwnerGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        double* sums = out.data + r * out.cols;
        std::int64_t e = next[r];
        for (; e < matrix.offsets[r + 1] && matrix.indices[e] < last; ++e) {
          const double value = matrix.values[e];
          const std::int64_t stop = transpose.offsets[matrix.indices[e] + 1];
          for (std::int64_t p = transpose.offsets[matrix.indices[e]];
               p < stop && transpose.indices[p] <= r; ++p) {
            sums[transpose.indices[p]] += value * transpose.values[p];
          }
        }
        next[r] = e;
      }
    });
  }
}

// One row of a product, in `Width` columns from `first` on; the sums stay in registers.
template <std::int64_t Width>
void multiply_columns(const SparseMatrix& matrix, std::int64_t row, MatrixView<const double> x,
                      std::int64_t first, MatrixView<double> out) {
  std::array<double, Width> sums = {};
  for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
    const double value = matrix.values[e];
    const double* from = x.data + matrix.indices[e] * x.cols + first;
    for (std::int64_t c = 0; c < Width; ++c) sums[c] += value * from[c];
  }
  std::copy(sums.begin(), sums.end(), out.data + row * out.cols + first);
}

}  // namespace

SparseMatrix transposed(CpuContext& context, const SparseMatrix& matrix) {
  const std::int64_t grain = std::max<std::int64_t>(1, chunk_count(matrix.rows, kMostChunks));
  Matrix<std::int64_t> places = count_columns(context, matrix, grain);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(matrix.columns), 0);
  for (std::int64_t chunk = 0; chunk < places.rows(); ++chunk) {
    for (std::int64_t c = 0; c < matrix.columns; ++c) lengths[c] += places(chunk, c);
  }
  SparseMatrix out = with_rows(matrix.rows, lengths);
  std::vector<std::int64_t> place(out.offsets.begin(), out.offsets.end() - 1);
  for (std::int64_t chunk = 0; chunk < places.rows(); ++chunk) {
    for (std::int64_t c = 0; c < matrix.columns; ++c) {
      const std::int64_t count = places(chunk, c);
      places(chunk, c) = place[c];
      place[c] += count;
    }
  }
  parallel_for(context, matrix.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const Span<std::int64_t> own = places.view().row(begin / grain);
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
        const std::int64_t to = own[matrix.indices[e]]++;
        out.indices[to] = static_cast<std::int32_t>(row);
        out.values[to] = matrix.values[e];
      }
    }
  });
  return out;
}

SparseMatrix selected_rows(CpuContext& context, const SparseMatrix& matrix,
                           Span<const std::int32_t> kept) {
  std::vector<std::int64_t> lengths;
  for (const std::int32_t row : kept) {
    lengths.push_back(matrix.offsets[row + 1] - matrix.offsets[row]);
  }
  SparseMatrix out = with_rows(matrix.columns, lengths);
  parallel_for(context, out.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto indices = matrix.row_indices(kept[row]);
      const auto values = matrix.row_values(kept[row]);
      std::copy(indices.begin(), indices.end(), out.indices.begin() + out.offsets[row]);
      std::copy(values.begin(), values.end(), out.values.begin() + out.offsets[row]);
    }
  });
  return out;
}

SparseMatrix selected_columns(CpuContext& context, const SparseMatrix& matrix,
                              Span<const std::int32_t> kept) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(matrix.columns), -1);
  for (std::size_t c = 0; c < kept.size(); ++c) place[kept[c]] = static_cast<std::int32_t>(c);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(matrix.rows), 0);
  parallel_for(context, matrix.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (const std::int32_t c : matrix.row_indices(row)) lengths[row] += place[c] >= 0 ? 1 : 0;
    }
  });
  SparseMatrix out = with_rows(static_cast<std::int64_t>(kept.size()), lengths);
  parallel_for(context, matrix.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t to = out.offsets[row];
      for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
        if (place[matrix.indices[e]] < 0) continue;
        out.indices[to] = place[matrix.indices[e]];
        out.values[to++] = matrix.values[e];
      }
    }
  });
  return out;
}

void multiply(CpuContext& context, const SparseMatrix& matrix, MatrixView<const double> x,
              MatrixView<double> out) {
  M2ST_CHECK(x.rows == matrix.columns, "multiply: rows of x (got ", x.rows, ", need ",
             matrix.columns, ")");
  M2ST_CHECK(out.rows == matrix.rows && out.cols == x.cols, "multiply: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", matrix.rows, " x ", x.cols, ")");
  parallel_for(context, matrix.rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t column = 0;
      for (; column + kLanes <= x.cols; column += kLanes) {
        multiply_columns<kLanes>(matrix, row, x, column, out);
      }
      for (; column < x.cols; ++column) multiply_columns<1>(matrix, row, x, column, out);
    }
  });
}

void row_products(CpuContext& context, const SparseMatrix& matrix, const SparseMatrix& transpose,
                  MatrixView<double> out) {
  M2ST_CHECK(transpose.rows == matrix.columns && transpose.columns == matrix.rows,
             "row_products: shape of the transpose (got ", transpose.rows, " x ", transpose.columns,
             ", need ", matrix.columns, " x ", matrix.rows, ")");
  M2ST_CHECK(out.rows == matrix.rows && out.cols == matrix.rows, "row_products: shape of out (got ",
             out.rows, " x ", out.cols, ", need ", matrix.rows, " x ", matrix.rows, ")");
  if (out.size() == 0) return;
  if (matrix.density() > kDenseFrom) return add_dense_products(context, transpose, out);
  std::fill(out.data, out.data + out.size(), 0.0);
  add_sparse_products(context, matrix, transpose, out);
  copy_lower_to_upper(context, out);
}

}  // namespace m2st::data
