#include "data/io/sparse_npz.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "data/io/npy.h"
#include "data/io/sparse_builder.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

template <class T>
std::vector<T> column(CpuContext& context, const ZipArchive& archive, const std::string& name) {
  const Matrix<T> values = read_npy<T>(context, archive.open(name));
  return {values.span().begin(), values.span().end()};
}

template <class... Parts>
[[noreturn]] void damaged(const std::string& path, const Parts&... parts) {
  fail(ExitCode::kInputInvalid, path, ": ", parts...,
       "; the file is damaged, write it again with scipy.sparse.save_npz");
}

void check_indices(const std::string& path, const std::vector<std::int32_t>& indices,
                   std::int64_t bound, std::size_t values) {
  if (indices.size() != values) {
    damaged(path, "has ", indices.size(), " indices for ", values, " values");
  }
  for (const std::int32_t index : indices) {
    if (index < 0 || index >= bound)
      damaged(path, "holds index ", index, ", need 0 to ", bound - 1);
  }
}

void check_offsets(const std::string& path, const std::vector<std::int64_t>& offsets,
                   std::int64_t lines, std::size_t values) {
  const bool sound = std::ssize(offsets) == lines + 1 && offsets.front() == 0 &&
                     offsets.back() == static_cast<std::int64_t>(values) &&
                     std::is_sorted(offsets.begin(), offsets.end());
  if (!sound) {
    damaged(path, "its indptr does not ascend from 0 to ", values, " over ", lines, " lines");
  }
}

std::vector<float> read_values(CpuContext& context, const ZipArchive& archive) {
  std::vector<float> values;
  Narrowing narrow;
  for (const double value : column<double>(context, archive, "data.npy")) {
    values.push_back(narrow(value));
  }
  narrow.check(archive.path());
  return values;
}

SparseMatrix read_coordinate_form(CpuContext& context, const ZipArchive& archive, std::int64_t rows,
                                  std::int64_t columns) {
  Entries entries;
  entries.values = read_values(context, archive);
  entries.cells = column<std::int32_t>(context, archive, "row.npy");
  entries.genes = column<std::int32_t>(context, archive, "col.npy");
  check_indices(archive.path(), entries.cells, rows, entries.values.size());
  check_indices(archive.path(), entries.genes, columns, entries.values.size());
  return rows_from_entries(context, rows, columns, entries);
}

SparseMatrix read_compressed_form(CpuContext& context, const ZipArchive& archive, bool by_row,
                                  std::int64_t rows, std::int64_t columns) {
  std::vector<float> values = read_values(context, archive);
  std::vector<std::int64_t> offsets = column<std::int64_t>(context, archive, "indptr.npy");
  std::vector<std::int32_t> indices = column<std::int32_t>(context, archive, "indices.npy");
  check_offsets(archive.path(), offsets, by_row ? rows : columns, values.size());
  check_indices(archive.path(), indices, by_row ? columns : rows, values.size());
  if (!by_row) return rows_from_columns(context, rows, columns, offsets, indices, values);
  SparseMatrix matrix{rows, columns, std::move(offsets), std::move(indices), std::move(values)};
  tidy(context, matrix);
  return matrix;
}

bool holds_counts(Span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return value >= 0 && value == std::floor(value); });
}

SparseMatrix sparse_rows(MatrixView<const double> dense, const std::string& path) {
  SparseMatrix matrix{dense.rows, dense.cols, {0}, {}, {}};
  Narrowing narrow;
  for (std::int64_t i = 0; i < dense.rows; ++i) {
    for (std::int64_t j = 0; j < dense.cols; ++j) {
      if (dense(i, j) == 0) continue;
      matrix.indices.push_back(static_cast<std::int32_t>(j));
      matrix.values.push_back(narrow(dense(i, j)));
    }
    matrix.offsets.push_back(matrix.entries());
  }
  narrow.check(path);
  return matrix;
}

}  // namespace

std::string npz_format(const ZipArchive& archive) {
  if (!archive.holds("format.npy")) return "";
  const InputFile file = archive.open("format.npy");
  std::string bytes(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 4096)), '\0');
  file.read(0, bytes.data(), std::ssize(bytes));
  bytes.erase(std::remove(bytes.begin(), bytes.end(), '\0'), bytes.end());  // UTF-32 in some
  const std::size_t header_end = bytes.rfind('\n');
  return header_end == std::string::npos ? "" : bytes.substr(header_end + 1);
}

Expression read_sparse_npz(CpuContext& context, const std::string& path) {
  const ZipArchive archive(path);
  const std::string form = npz_format(archive);
  if (form != "csr" && form != "csc" && form != "coo") {
    fail(ExitCode::kInputInvalid, path, ": is ",
         form.empty() ? "no sparse matrix" : "a sparse matrix of form '" + form + "'",
         ", need CSR, CSC or COO: write it with scipy.sparse.save_npz(file, X.tocsr()) ",
         "(a dense array: numpy.save)");
  }
  const auto shape = column<std::int64_t>(context, archive, "shape.npy");
  constexpr std::int64_t kLargestSide = std::numeric_limits<std::int32_t>::max();
  if (shape.size() != 2 || *std::min_element(shape.begin(), shape.end()) < 0 ||
      *std::max_element(shape.begin(), shape.end()) > kLargestSide) {
    damaged(path, "its shape is not two numbers below 2^31");
  }
  Expression expression;
  expression.format = "SciPy sparse .npz";
  expression.values =
      form == "coo" ? read_coordinate_form(context, archive, shape[0], shape[1])
                    : read_compressed_form(context, archive, form == "csr", shape[0], shape[1]);
  expression.found.push_back(concat("values: ", form, ", ", shape[0], " cells by ", shape[1],
                                    " genes, ", expression.values.entries(), " not zero"));
  return expression;
}

Expression read_npy_matrix(CpuContext& context, const std::string& path) {
  const Matrix<double> dense = read_npy<double>(context, path);
  Expression expression;
  const bool counts = holds_counts(dense.span());
  expression.format = counts ? "NumPy .npy of counts" : "NumPy .npy of features";
  expression.found.push_back(concat(counts ? "values: " : "features: ", dense.rows(), " cells by ",
                                    dense.cols(), counts ? " genes" : " columns"));
  if (counts) {
    expression.values = sparse_rows(dense.view(), path);
    return expression;
  }
  expression.features = Matrix<float>(context.pool(), dense.rows(), dense.cols());
  std::transform(dense.data(), dense.data() + dense.size(), expression.features.data(),
                 [](double value) { return static_cast<float>(value); });
  return expression;
}

}  // namespace m2st::data
