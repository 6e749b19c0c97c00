#include "data/io/h5ad_space.h"

#include <algorithm>
#include <utility>

#include "data/graph/given_graph.h"
#include "data/io/hdf5_matrix.h"
#include "data/io/names.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

bool has_obsm(Hdf5Source& source, const std::string& key) {
  const std::vector<std::string> keys = obsm_keys(source);
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

Matrix<double> columns_of(CpuContext& context, H5adFrame& frame,
                          const std::vector<std::string>& columns) {
  Matrix<double> matrix(context.pool(), frame.rows(), static_cast<std::int64_t>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::vector<double> values = frame.numbers(columns[c]);
    for (std::int64_t r = 0; r < matrix.rows(); ++r) {
      matrix(r, static_cast<std::int64_t>(c)) = values[static_cast<std::size_t>(r)];
    }
  }
  return matrix;
}

// A data frame in obsm: all of its numeric columns, or x and y (and z) when they go by such names.
Matrix<double> read_obsm_frame(CpuContext& context, Hdf5Source& source, const std::string& path) {
  H5adFrame frame(source, path);
  std::vector<std::string> columns = axis_columns(frame.columns());
  if (columns.empty()) {
    const Hdf5Attribute* order = source.object(path).attribute("column-order");
    for (const std::string& column : order == nullptr ? frame.columns() : order->texts) {
      if (frame.is_numeric(column)) columns.push_back(column);
    }
  }
  return columns_of(context, frame, columns);
}

void take_positions(const Hdf5Source& source, const std::string& where, Matrix<double> positions,
                    Expression& expression) {
  if (positions.cols() < 2 || positions.cols() > 3) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", where, " has ", positions.cols(),
         positions.cols() == 1 ? " column" : " columns", ", need x and y (and z)");
  }
  expression.found.push_back(
      concat("positions: ", where, ", ", positions.rows(), " by ", positions.cols()));
  expression.coordinates = std::move(positions);
}

}  // namespace

std::vector<std::string> obsm_keys(Hdf5Source& source) {
  const Hdf5Object& obsm = source.object("/obsm");
  if (obsm.is_group()) return obsm.children;
  std::vector<std::string> keys;
  for (const Hdf5Member& member : obsm.members) keys.push_back(member.name);
  return keys;
}

Matrix<double> read_obsm(CpuContext& context, Hdf5Source& source, const std::string& key,
                         std::int64_t rows) {
  const std::vector<std::string> keys = obsm_keys(source);
  if (!has_obsm(source, key)) {
    fail(ExitCode::kInputInvalid, source.path(), ": obsm/", key,
         " not found; keys present: ", keys.empty() ? "none" : listed(keys, 30));
  }
  const bool records = source.object("/obsm").is_dataset();
  const std::string path = "/obsm/" + key;
  Matrix<double> matrix = records ? read_dense(context, source, "/obsm", key)
                          : source.object(path).is_group() ? read_obsm_frame(context, source, path)
                                                           : read_dense(context, source, path, "");
  if (matrix.rows() != rows) {
    fail(ExitCode::kInputInvalid, source.path(), ": obsm/", key, " has ", matrix.rows(),
         " rows, but there are ", rows, " cells; the file is damaged");
  }
  return matrix;
}

void read_positions(CpuContext& context, Hdf5Source& source, H5adFrame& obs,
                    const ReadOptions& options, Expression& expression) {
  if (!options.x_column.empty() || !options.y_column.empty()) {
    if (options.x_column.empty() || options.y_column.empty()) {
      fail(ExitCode::kUsage, "--x-column and --y-column go together");
    }
    take_positions(source, "obs/" + options.x_column + " and " + options.y_column,
                   columns_of(context, obs, {options.x_column, options.y_column}), expression);
    return;
  }
  std::string key = options.spatial_key;
  for (const char* usual : {"spatial", "X_spatial"}) {
    if (key.empty() && has_obsm(source, usual)) key = usual;
  }
  if (!key.empty()) {
    Matrix<double> positions;
    try {
      positions = read_obsm(context, source, key, obs.rows());
    } catch (const Error& error) {
      if (options.spatial_key.empty()) throw;
      fail(error.code(), error.what(), "; --spatial-key names one of them");
    }
    take_positions(source, "obsm/" + key, std::move(positions), expression);
    return;
  }
  const std::vector<std::string> columns = axis_columns(obs.columns());
  const bool numeric = std::all_of(columns.begin(), columns.end(), [&](const std::string& column) {
    return obs.is_numeric(column);
  });
  if (!columns.empty() && numeric) {
    take_positions(source, "obs/" + listed(columns), columns_of(context, obs, columns), expression);
    return;
  }
  const std::vector<std::string> keys = obsm_keys(source);
  expression.skipped.push_back(concat(
      "positions: obsm/spatial not found; keys present: ", keys.empty() ? "none" : listed(keys, 30),
      "; use --spatial-key or --coords"));
}

void read_own_graph(CpuContext& context, Hdf5Source& source, const std::string& key,
                    Expression& expression) {
  const std::string name = key.starts_with("obsp/") ? key.substr(5) : key;
  const std::string path = "/obsp/" + name;
  const auto N = static_cast<std::int64_t>(expression.cells.size());
  if (!source.object(path).is_group()) {
    const std::vector<std::string>& keys = source.object("/obsp").children;
    fail(ExitCode::kInputInvalid, source.path(), ": obsp/", name,
         " is no sparse matrix there; keys present: ", keys.empty() ? "none" : listed(keys, 30));
  }
  std::string form;
  const SparseMatrix stored = read_matrix(context, source, path, N, N, form);
  FitGraph fit =
      fit_graph(context, {stored.offsets, stored.indices}, N, source.path() + ": obsp/" + name);
  expression.graph = std::move(fit.adjacency);
  expression.found.push_back(
      concat("graph: obsp/", name, ", ", form, ", ", expression.graph.neighbours.size(), " edges"));
  expression.warnings.insert(expression.warnings.end(), fit.warnings.begin(), fit.warnings.end());
}

}  // namespace m2st::data
