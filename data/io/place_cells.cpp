// Cells of a matrix and rows of a table of positions: which belongs to which.
#include <algorithm>
#include <utility>

#include "data/io/delimited.h"
#include "data/io/expression_parts.h"
#include "data/io/names.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

// "0", "1", ... or "1", "2", ...: numbers that a data frame gave its rows, no names of cells.
bool only_counts_rows(const std::vector<std::string>& names) {
  double start = 0, value = 0;
  if (names.empty() || !parse_number(names[0], start) || (start != 0 && start != 1)) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!parse_number(names[i], value) || value != start + static_cast<double>(i)) return false;
  }
  return true;
}

// The table's row of every cell.
std::vector<std::int32_t> joined_rows(const Expression& expression, const CoordinateTable& table,
                                      const std::string& path) {
  const NameIndex index = index_names(table.cells);
  std::vector<std::int32_t> rows;
  std::vector<std::string> missing;
  for (const std::string& cell : expression.cells) {
    const auto found = index.find(cell);
    rows.push_back(found == index.end() ? -1 : found->second);
    if (found == index.end()) missing.push_back(cell);
  }
  if (!missing.empty()) {
    fail(ExitCode::kInputInvalid, path, ": ", missing.size(), " of ", expression.cells.size(),
         " cells have no row in it (", listed(missing, 3), "); its own names are like ",
         listed(table.cells, 3), "; --id-column names another column");
  }
  if (const std::string* twice = first_repeated(table.cells); twice != nullptr) {
    fail(ExitCode::kInputInvalid, path, ": the name '", *twice,
         "' stands there twice, so cells cannot be found by name; make names unique");
  }
  return rows;
}

std::vector<std::string> picked(const std::vector<std::string>& texts,
                                const std::vector<std::int32_t>& rows) {
  std::vector<std::string> result;
  if (texts.empty()) return result;
  for (const std::int32_t row : rows) result.push_back(texts[static_cast<std::size_t>(row)]);
  return result;
}

void take_in_order(CoordinateTable table, const std::string& path, Expression& expression) {
  const std::int64_t cells =
      expression.values.rows > 0 || !expression.cells.empty()
          ? std::max<std::int64_t>(expression.values.rows, std::ssize(expression.cells))
          : expression.features.rows();
  if (table.coordinates.rows() != cells) {
    fail(ExitCode::kInputInvalid, path, ": has ", table.coordinates.rows(),
         " cells, but there are ", cells,
         " cells of values; both need the same cells in the same order, or names to join by");
  }
  if (expression.cells.empty()) expression.cells = std::move(table.cells);
  expression.coordinates = std::move(table.coordinates);
  if (!table.sections.empty()) expression.sections = std::move(table.sections);
  if (!table.labels.empty()) expression.labels = std::move(table.labels);
}

}  // namespace

CoordinateColumns coordinate_columns(const ReadOptions& options) {
  return {options.id_column, options.x_column, options.y_column, options.library_key,
          options.truth_key};
}

void place_cells(CpuContext& context, CoordinateTable table, const std::string& path,
                 Expression& expression) {
  const bool by_name = !table.cells.empty() && !expression.cells.empty() &&
                       !(only_counts_rows(table.cells) && !only_counts_rows(expression.cells));
  const std::int64_t rows = table.coordinates.rows();
  if (!by_name) {
    take_in_order(std::move(table), path, expression);
  } else {
    const std::vector<std::int32_t> places = joined_rows(expression, table, path);
    Matrix<double> positions(context.pool(), std::ssize(places), table.coordinates.cols());
    for (std::int64_t i = 0; i < positions.rows(); ++i) {
      const Span<const double> row = std::as_const(table.coordinates).view().row(places[i]);
      std::copy(row.begin(), row.end(), positions.data() + i * positions.cols());
    }
    expression.coordinates = std::move(positions);
    if (!table.sections.empty()) expression.sections = picked(table.sections, places);
    if (!table.labels.empty()) expression.labels = picked(table.labels, places);
  }
  expression.found.push_back(concat("positions: ", path, ", ", rows, " by ",
                                    expression.coordinates.cols(),
                                    by_name ? ", joined by name" : ", in the same order"));
  expression.files.push_back(path);
}

}  // namespace m2st::data
