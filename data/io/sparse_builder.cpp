#include "data/io/sparse_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kRowGrain = 256;

// Where each row of a matrix begins, from the rows of its entries.
std::vector<std::int64_t> row_offsets(std::int64_t rows, const std::vector<std::int32_t>& cells) {
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(rows) + 1, 0);
  for (const std::int32_t cell : cells) ++offsets[static_cast<std::size_t>(cell) + 1];
  for (std::size_t i = 1; i < offsets.size(); ++i) offsets[i] += offsets[i - 1];
  return offsets;
}

bool is_tidy(const SparseMatrix& matrix, std::int64_t row) {
  const std::int64_t begin = matrix.offsets[row], end = matrix.offsets[row + 1];
  for (std::int64_t e = begin; e < end; ++e) {
    if (matrix.values[e] == 0 || (e > begin && matrix.indices[e] <= matrix.indices[e - 1])) {
      return false;
    }
  }
  return true;
}

// In place; gives how many entries the row keeps. Equal columns are added in file order.
std::int64_t tidy_row(SparseMatrix& matrix, std::int64_t row,
                      std::vector<std::pair<std::int32_t, std::int64_t>>& order,
                      std::vector<float>& old) {
  const std::int64_t begin = matrix.offsets[row], end = matrix.offsets[row + 1];
  order.clear();
  for (std::int64_t e = begin; e < end; ++e) order.emplace_back(matrix.indices[e], e - begin);
  std::sort(order.begin(), order.end());
  old.assign(matrix.values.begin() + begin, matrix.values.begin() + end);
  std::int64_t kept = begin;
  for (std::size_t i = 0; i < order.size();) {
    const std::int32_t column = order[i].first;
    double sum = 0;
    for (; i < order.size() && order[i].first == column; ++i) sum += old[order[i].second];
    if (sum == 0) continue;
    matrix.indices[kept] = column;
    matrix.values[kept] = static_cast<float>(sum);
    ++kept;
  }
  return kept - begin;
}

// Closes the gaps that rows left behind.
void close_up(SparseMatrix& matrix, const std::vector<std::int64_t>& kept) {
  std::int64_t to = 0;
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const std::int64_t from = matrix.offsets[row];
    std::copy_n(matrix.indices.begin() + from, kept[row], matrix.indices.begin() + to);
    std::copy_n(matrix.values.begin() + from, kept[row], matrix.values.begin() + to);
    matrix.offsets[row] = to;
    to += kept[row];
  }
  matrix.offsets[matrix.rows] = to;
  matrix.indices.resize(static_cast<std::size_t>(to));
  matrix.values.resize(static_cast<std::size_t>(to));
}

}  // namespace

void Narrowing::check(const std::string& path) const {
  if (largest_ == 0) return;
  fail(ExitCode::kInputInvalid, path, ": holds the value ", std::fixed, largest_,
       ", more than the 2^24 up to which every whole number can be told apart; these are no "
       "counts of molecules, scale them down");
}

SparseMatrix rows_from_entries(CpuContext& context, std::int64_t rows, std::int64_t columns,
                               const Entries& entries) {
  SparseMatrix matrix{rows, columns, row_offsets(rows, entries.cells), {}, {}};
  matrix.indices.resize(entries.values.size());
  matrix.values.resize(entries.values.size());
  std::vector<std::int64_t> next(matrix.offsets.begin(), matrix.offsets.end() - 1);
  for (std::size_t e = 0; e < entries.values.size(); ++e) {
    const std::int64_t place = next[entries.cells[e]]++;
    matrix.indices[place] = entries.genes[e];
    matrix.values[place] = entries.values[e];
  }
  tidy(context, matrix);
  return matrix;
}

SparseMatrix rows_from_columns(CpuContext& context, std::int64_t rows, std::int64_t columns,
                               const std::vector<std::int64_t>& offsets,
                               const std::vector<std::int32_t>& cells,
                               const std::vector<float>& values) {
  SparseMatrix matrix{rows, columns, row_offsets(rows, cells), {}, {}};
  matrix.indices.resize(values.size());
  matrix.values.resize(values.size());
  std::vector<std::int64_t> next(matrix.offsets.begin(), matrix.offsets.end() - 1);
  for (std::int64_t column = 0; column < columns; ++column) {
    for (std::int64_t e = offsets[column]; e < offsets[column + 1]; ++e) {
      const std::int64_t place = next[cells[e]]++;
      matrix.indices[place] = static_cast<std::int32_t>(column);
      matrix.values[place] = values[e];
    }
  }
  tidy(context, matrix);
  return matrix;
}

void tidy(CpuContext& context, SparseMatrix& matrix) {
  std::vector<std::int64_t> kept(static_cast<std::size_t>(matrix.rows));
  parallel_for(context, matrix.rows, kRowGrain, [&](std::int64_t first, std::int64_t last) {
    std::vector<std::pair<std::int32_t, std::int64_t>> order;
    std::vector<float> old;
    for (std::int64_t row = first; row < last; ++row) {
      kept[row] = is_tidy(matrix, row) ? matrix.offsets[row + 1] - matrix.offsets[row]
                                       : tidy_row(matrix, row, order, old);
    }
  });
  std::int64_t total = 0;
  for (const std::int64_t entries : kept) total += entries;
  if (total != matrix.entries()) close_up(matrix, kept);
}

SparseMatrix selected_rows(const SparseMatrix& matrix, const std::vector<std::int32_t>& rows) {
  SparseMatrix selected{static_cast<std::int64_t>(rows.size()), matrix.columns, {0}, {}, {}};
  for (const std::int32_t row : rows) {
    const std::int64_t begin = matrix.offsets[row], end = matrix.offsets[row + 1];
    selected.indices.insert(selected.indices.end(), matrix.indices.begin() + begin,
                            matrix.indices.begin() + end);
    selected.values.insert(selected.values.end(), matrix.values.begin() + begin,
                           matrix.values.begin() + end);
    selected.offsets.push_back(selected.entries());
  }
  return selected;
}

SparseMatrix selected_columns(const SparseMatrix& matrix,
                              const std::vector<std::int32_t>& columns) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(matrix.columns), -1);
  for (std::size_t i = 0; i < columns.size(); ++i) place[columns[i]] = static_cast<int>(i);
  SparseMatrix selected{matrix.rows, static_cast<std::int64_t>(columns.size()), {0}, {}, {}};
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
      const std::int32_t column = place[matrix.indices[e]];
      if (column < 0) continue;
      selected.indices.push_back(column);
      selected.values.push_back(matrix.values[e]);
    }
    selected.offsets.push_back(selected.entries());
  }
  return selected;
}

}  // namespace m2st::data
