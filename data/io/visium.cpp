// Where Visium's spots and the squares of Visium HD lie.
#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "data/io/delimited.h"
#include "data/io/expression_parts.h"
#include "data/io/folder_formats.h"
#include "data/io/input_file.h"
#include "data/io/names.h"
#include "data/io/sparse_builder.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

// Columns of the table, as every version of Space Ranger orders them.
enum SpotColumn { kBarcode, kInTissue, kArrayRow, kArrayColumn, kPixelRow, kPixelColumn, kColumns };

double number_at(const DelimitedText& table, std::int64_t row, std::int64_t column) {
  double value = 0;
  if (parse_number(table.field(row, column), value)) return value;
  fail(ExitCode::kInputInvalid, table.path, ": line ", table.lines[static_cast<std::size_t>(row)],
       ", column ", column + 1, ": '", table.field(row, column).substr(0, 40), "' is no number");
}

// Leaves out the cells that lie outside of the tissue, which a raw matrix holds too.
void keep_tissue(const std::vector<std::string>& outside, Expression& expression) {
  const NameIndex index = index_names(outside);
  std::vector<std::int32_t> kept;
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < expression.cells.size(); ++i) {
    if (index.contains(expression.cells[i])) continue;
    kept.push_back(static_cast<std::int32_t>(i));
    cells.push_back(std::move(expression.cells[i]));
  }
  if (kept.size() < expression.cells.size()) {
    expression.skipped.push_back(concat(expression.cells.size() - kept.size(),
                                        " spots outside of the tissue (in_tissue 0)"));
    expression.values = selected_rows(expression.values, kept);
  }
  expression.cells = std::move(cells);
}

// "s_008um_00012_00345-1" to row 12, column 345.
bool parse_square(std::string_view barcode, std::int64_t& row, std::int64_t& column) {
  const std::size_t unit = barcode.find("um_");
  if (!barcode.starts_with("s_") || unit == std::string_view::npos) return false;
  const char* next = barcode.data() + unit + 3;
  const char* end = barcode.data() + barcode.size();
  const auto [middle, first_error] = std::from_chars(next, end, row);
  if (first_error != std::errc() || middle == end || *middle != '_') return false;
  const auto [last, second_error] = std::from_chars(middle + 1, end, column);
  return second_error == std::errc() && (last == end || *last == '-');
}

}  // namespace

void place_spots(CpuContext& context, const std::string& path, Expression& expression) {
  DelimitedText table;
  table.path = path;
  table.text = read_text(path);
  split_text(table, {.delimiters = ",\t", .comments = false});
  if (table.columns != kColumns) {
    fail(ExitCode::kInputInvalid, path, ": has ", table.columns, " columns, need ", int{kColumns},
         " (barcode, in_tissue, array_row, array_col, pxl_row_in_fullres, pxl_col_in_fullres)");
  }
  const std::int64_t first = table.field(0, kBarcode) == "barcode" ? 1 : 0;
  CoordinateTable spots;
  std::vector<std::string> outside;
  spots.coordinates = Matrix<double>(context.pool(), table.rows() - first, 2);
  for (std::int64_t r = first; r < table.rows(); ++r) {
    spots.cells.emplace_back(table.field(r, kBarcode));
    spots.coordinates(r - first, 0) = number_at(table, r, kPixelColumn);
    spots.coordinates(r - first, 1) = number_at(table, r, kPixelRow);
    if (number_at(table, r, kInTissue) == 0) outside.push_back(spots.cells.back());
  }
  keep_tissue(outside, expression);
  place_cells(context, std::move(spots), path, expression);
}

bool place_in_grid(CpuContext& context, Expression& expression) {
  const std::int64_t cells = std::ssize(expression.cells);
  std::int64_t row = 0, column = 0;
  if (cells == 0 || !parse_square(expression.cells[0], row, column)) return false;
  Matrix<double> places(context.pool(), cells, 2);
  for (std::int64_t i = 0; i < cells; ++i) {
    if (!parse_square(expression.cells[i], row, column)) return false;
    places(i, 0) = static_cast<double>(column);
    places(i, 1) = static_cast<double>(row);
  }
  expression.coordinates = std::move(places);
  expression.found.push_back("positions: Visium HD's grid (column, row), from the barcodes");
  return true;
}

}  // namespace m2st::data
