#include "data/io/hdf5_matrix.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "data/io/sparse_builder.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kLargestSide = std::numeric_limits<std::int32_t>::max();

template <class... Parts>
[[noreturn]] void damaged(const Hdf5Source& source, const Parts&... parts) {
  fail(ExitCode::kInputInvalid, source.path(), ": ", parts...,
       "; the file is damaged, write it again with adata.write_h5ad");
}

void require_list(Hdf5Source& source, const std::string& path, bool whole_numbers) {
  const Hdf5Object& object = source.object(path);
  if (!object.is_dataset()) damaged(source, path, " is missing");
  if (object.shape.size() != 1) damaged(source, path, " is not a list");
  if (whole_numbers && object.values != Hdf5Values::kInteger) {
    damaged(source, path, " holds no whole numbers");
  }
}

std::vector<std::int64_t> read_offsets(Hdf5Source& source, const CompressedDatasets& datasets,
                                       std::int64_t entries) {
  require_list(source, datasets.offsets, true);
  std::vector<std::int64_t> offsets = source.numbers<std::int64_t>(datasets.offsets);
  const std::int64_t lines = datasets.by_row ? datasets.rows : datasets.columns;
  const auto size = static_cast<std::int64_t>(offsets.size());
  if (size != lines + 1) {
    damaged(source, datasets.offsets, " has ", size, " entries, need ", lines + 1, " (one more ",
            "than ", datasets.by_row ? "rows" : "columns", ")");
  }
  if (offsets.front() != 0) damaged(source, datasets.offsets, " begins with ", offsets.front());
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) {
      damaged(source, datasets.offsets, " falls from ", offsets[i - 1], " to ", offsets[i],
              " at entry ", i);
    }
  }
  if (offsets.back() != entries) {
    damaged(source, datasets.offsets, " ends with ", offsets.back(), ", but there are ", entries,
            " values");
  }
  return offsets;
}

std::vector<std::int32_t> read_indices(Hdf5Source& source, const std::string& path,
                                       std::int64_t bound) {
  require_list(source, path, true);
  std::vector<std::int32_t> indices;
  source.for_each_piece<std::int64_t>(
      path, "", [&](std::int64_t first, Span<const std::int64_t> x) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          if (x[i] < 0 || x[i] >= bound) {
            damaged(source, path, " holds ", x[i], " at entry ",
                    first + static_cast<std::int64_t>(i), ", need 0 to ", bound - 1);
          }
          indices.push_back(static_cast<std::int32_t>(x[i]));
        }
      });
  return indices;
}

std::vector<float> read_values(Hdf5Source& source, const std::string& path) {
  require_list(source, path, false);
  std::vector<float> values;
  Narrowing narrow;
  source.for_each_piece<double>(path, "", [&](std::int64_t, Span<const double> piece) {
    for (const double value : piece) values.push_back(narrow(value));
  });
  narrow.check(source.path() + ": " + path);
  return values;
}

void check_sides(const Hdf5Source& source, std::int64_t rows, std::int64_t columns) {
  if (rows > kLargestSide || columns > kLargestSide) {
    fail(ExitCode::kInputInvalid, source.path(), ": has ", rows, " cells and ", columns,
         " genes, more than 2^31 - 1");
  }
}

void check_shape(const Hdf5Source& source, const std::string& path, std::int64_t found_rows,
                 std::int64_t found_columns, std::int64_t rows, std::int64_t columns) {
  if (found_rows == rows && found_columns == columns) return;
  fail(ExitCode::kInputInvalid, source.path(), ": ", path, " is ", found_rows, " by ",
       found_columns, ", but there are ", rows, " cells and ", columns,
       " genes; the file is damaged or was not written by anndata");
}

SparseMatrix read_dense_rows(Hdf5Source& source, const std::string& path, std::int64_t rows,
                             std::int64_t columns) {
  const Hdf5Object& object = source.object(path);
  const std::vector<std::int64_t> shape = object.shape;
  if (shape.empty() || shape.size() > 2) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", path, " has ", shape.size(),
         " dimensions, need cells by genes");
  }
  // Before 0.7 a matrix of one gene or one cell was written as a list.
  const bool one_cell = shape.size() == 1 && rows == 1 && shape[0] == columns;
  const std::int64_t found_columns = shape.size() == 2 ? shape[1] : 1;
  if (!one_cell) check_shape(source, path, shape[0], found_columns, rows, columns);
  check_sides(source, rows, columns);
  SparseMatrix matrix{rows, columns, {}, {}, {}};
  Narrowing narrow;
  std::int64_t column = 0;
  source.for_each_piece<double>(path, "", [&](std::int64_t, Span<const double> piece) {
    for (const double value : piece) {
      if (column == 0) matrix.offsets.push_back(matrix.entries());
      if (value != 0) {
        matrix.indices.push_back(static_cast<std::int32_t>(column));
        matrix.values.push_back(narrow(value));
      }
      column = column + 1 == columns ? 0 : column + 1;
    }
  });
  narrow.check(source.path() + ": " + path);
  matrix.offsets.resize(static_cast<std::size_t>(rows) + 1, matrix.entries());
  return matrix;
}

}  // namespace

SparseMatrix read_compressed(CpuContext& context, Hdf5Source& source,
                             const CompressedDatasets& datasets) {
  check_sides(source, datasets.rows, datasets.columns);
  const std::int64_t bound = datasets.by_row ? datasets.columns : datasets.rows;
  require_list(source, datasets.values, false);
  const std::int64_t entries = source.object(datasets.values).rows();
  std::vector<std::int64_t> offsets = read_offsets(source, datasets, entries);
  std::vector<std::int32_t> indices = read_indices(source, datasets.indices, bound);
  if (static_cast<std::int64_t>(indices.size()) != entries) {
    damaged(source, datasets.indices, " has ", indices.size(), " entries, but there are ", entries,
            " values");
  }
  std::vector<float> values = read_values(source, datasets.values);
  if (!datasets.by_row) {
    return rows_from_columns(context, datasets.rows, datasets.columns, offsets, indices, values);
  }
  SparseMatrix matrix{datasets.rows, datasets.columns, std::move(offsets), std::move(indices),
                      std::move(values)};
  tidy(context, matrix);
  return matrix;
}

SparseMatrix read_matrix(CpuContext& context, Hdf5Source& source, const std::string& path,
                         std::int64_t rows, std::int64_t columns, std::string& description) {
  const Hdf5Object object = source.object(path);
  if (!object.obstacle.empty()) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", path, " ", object.obstacle);
  }
  if (object.is_dataset()) {
    description = "dense " + type_name(object);
    return read_dense_rows(source, path, rows, columns);
  }
  std::string form = object.text("encoding-type");
  if (form.empty() && !object.text("h5sparse_format").empty()) {
    form = object.text("h5sparse_format") + "_matrix";
  }
  if (form != "csr_matrix" && form != "csc_matrix") {
    fail(ExitCode::kInputInvalid, source.path(), ": ", path, " is ",
         form.empty() ? "a group that is no matrix" : "encoded as '" + form + "'",
         ", need a dense, csr or csc matrix; write it again with adata.write_h5ad");
  }
  const Hdf5Attribute* shape = object.attribute("shape");
  if (shape == nullptr) shape = object.attribute("h5sparse_shape");
  if (shape == nullptr || shape->numbers.size() != 2) damaged(source, path, " has no shape");
  check_shape(source, path, static_cast<std::int64_t>(shape->numbers[0]),
              static_cast<std::int64_t>(shape->numbers[1]), rows, columns);
  description = form + " of " + type_name(source.object(path + "/data"));
  return read_compressed(
      context, source,
      {path + "/data", path + "/indices", path + "/indptr", form == "csr_matrix", rows, columns});
}

Matrix<double> read_dense(CpuContext& context, Hdf5Source& source, const std::string& path,
                          const std::string& member) {
  const Hdf5Object object = source.object(path);
  const Hdf5Member* field = object.member(member);
  const std::int64_t columns = object.row_elements() * (field == nullptr ? 1 : field->width);
  if (object.shape.empty() || object.shape.size() > 2) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", path, " has ", object.shape.size(),
         " dimensions, need a table of cells");
  }
  Matrix<double> matrix(context.pool(), object.rows(), columns);
  source.for_each_piece<double>(path, member, [&](std::int64_t first, Span<const double> piece) {
    std::copy(piece.begin(), piece.end(), matrix.data() + first * columns);
  });
  return matrix;
}

std::string type_name(const Hdf5Object& object) {
  switch (object.values) {
    case Hdf5Values::kInteger:
      return "int" + std::to_string(8 * object.bytes);
    case Hdf5Values::kFloat:
      return "float" + std::to_string(8 * object.bytes);
    case Hdf5Values::kBoolean:
      return "bool";
    case Hdf5Values::kText:
      return "text";
    case Hdf5Values::kCompound:
      return "records";
    default:
      return "other values";
  }
}

}  // namespace m2st::data
