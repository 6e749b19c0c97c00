// Coordinates from text: which columns they are is told by the header's names or, without telling
// names, by their place. A line that might be a cell is never taken for a header.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "data/io/delimited.h"
#include "data/io/input_file.h"
#include "data/io/names.h"
#include "data/io/npy.h"
#include "data/io/npy_type.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

using Columns = std::vector<std::int64_t>;

// Names of x, y and z in files of the common platforms, in order of preference. A full-resolution
// pixel position is preferred to a place in the array, which has no equal units in x and y.
constexpr std::array<std::array<std::string_view, 3>, 14> kAxisNames = {{
    {"x", "y", "z"},
    {"x_centroid", "y_centroid", "z_centroid"},
    {"pxl_col_in_fullres", "pxl_row_in_fullres", ""},
    {"xcoord", "ycoord", "zcoord"},
    {"x_coord", "y_coord", "z_coord"},
    {"coord_x", "coord_y", "coord_z"},
    {"center_x", "center_y", "center_z"},
    {"centerx_global_px", "centery_global_px", ""},
    {"x_location", "y_location", "z_location"},
    {"spatial_0", "spatial_1", "spatial_2"},
    {"spatial1", "spatial2", "spatial3"},
    {"imagecol", "imagerow", ""},
    {"px", "py", "pz"},
    {"array_col", "array_row", ""},
}};

// Names of a column of cell names.
constexpr std::array<std::string_view, 10> kCellNames = {
    "", "cell", "cells", "cell_id", "barcode", "barcodes", "id", "index", "name", "spot"};

std::vector<std::string> header_of(const DelimitedText& table) {
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < table.columns; ++c) names.emplace_back(table.field(0, c));
  return names;
}

std::optional<Columns> named_columns(const std::vector<std::string>& header) {
  std::vector<std::string> names;
  for (const std::string& name : header) names.push_back(lower_case(name));
  const auto column_of = [&](std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return !name.empty() && found != names.end() ? found - names.begin() : std::ptrdiff_t{-1};
  };
  for (const auto& axes : kAxisNames) {
    Columns columns;
    for (const std::string_view axis : axes) {
      if (column_of(axis) >= 0) columns.push_back(column_of(axis));
    }
    const bool has_plane = column_of(axes[0]) >= 0 && column_of(axes[1]) >= 0;
    if (has_plane) return columns;
  }
  return std::nullopt;
}

// The column that was asked for by name; exit code 4 names those there are.
std::int64_t asked_column(const DelimitedText& table, const std::string& name) {
  const std::vector<std::string> header = header_of(table);
  const auto found = std::find(header.begin(), header.end(), name);
  if (found != header.end()) return found - header.begin();
  fail(ExitCode::kInputInvalid, table.path, ": has no column '", name,
       "'; its first line is: ", listed(header, 30));
}

bool names_cells(std::string_view header) {
  return std::find(kCellNames.begin(), kCellNames.end(), lower_case(header)) != kCellNames.end();
}

// Begins as a number does, so that '1,5' or '7um' is a value gone wrong and not a name.
bool begins_as_number(std::string_view field) {
  const std::size_t digit = field.find_first_not_of("+-.");
  return digit != std::string_view::npos && field[digit] >= '0' && field[digit] <= '9';
}

// The first line is a header when it names the axes or the cells, or when nothing in it could be a
// value or stand for one.
bool has_header(const DelimitedText& table) {
  if (named_columns(header_of(table))) return true;
  if (table.columns > 2 && names_cells(table.field(0, 0))) return true;
  for (std::int64_t c = 0; c < table.columns; ++c) {
    const std::string_view field = table.field(0, c);
    if (begins_as_number(field) || is_number(field) || is_missing(field)) return false;
  }
  return true;
}

// 0, 1, 2, … or 1, 2, 3, … down the first column: numbers of cells, as data frames write them.
bool counts_rows(const DelimitedText& table, std::int64_t first_row) {
  double start = 0;
  if (table.rows() - first_row < 3 || !parse_number(table.field(first_row, 0), start)) return false;
  if (start != 0 && start != 1) return false;
  for (std::int64_t r = first_row; r < table.rows(); ++r) {
    double value = 0;
    if (!parse_number(table.field(r, 0), value) ||
        value != start + static_cast<double>(r - first_row)) {
      return false;
    }
  }
  return true;
}

// The first column holds cells' names or numbers, not a coordinate.
bool starts_with_cells(const DelimitedText& table, std::int64_t first_row) {
  if (first_row > 0 && names_cells(table.field(0, 0))) return true;
  const std::string_view first = table.field(first_row, 0);
  return (!is_number(first) && !is_missing(first)) || counts_rows(table, first_row);
}

// Space Ranger's list of positions before version 2, which has no header: barcode, in_tissue, row
// and column in the array, pixel row and pixel column.
bool is_spot_list(const DelimitedText& table, std::int64_t first_row) {
  if (first_row > 0 || table.columns != 6 || is_number(table.field(0, 0))) return false;
  for (std::int64_t r = 0; r < table.rows(); ++r) {
    const std::string_view in_tissue = table.field(r, 1);
    if (in_tissue != "0" && in_tissue != "1") return false;
  }
  return true;
}

// Without telling names: two or three columns of numbers, after one of cells or not.
Columns positional_columns(const DelimitedText& table, std::int64_t first_row) {
  if (is_spot_list(table, first_row)) return {5, 4};
  const bool with_cells = table.columns > 2 && starts_with_cells(table, first_row);
  Columns columns;
  for (std::int64_t c = with_cells ? 1 : 0; c < table.columns; ++c) columns.push_back(c);
  if (columns.size() < 2 || columns.size() > 3) {
    fail(ExitCode::kInputInvalid, table.path, ": has ", table.columns,
         table.columns == 1 ? " column" : " columns",
         ", need x and y (and z), with or without cell names before them; with more columns, name ",
         "them x and y in the first line");
  }
  return columns;
}

[[noreturn]] void bad_value(const DelimitedText& table, std::int64_t row, std::int64_t column) {
  const std::string_view field = table.field(row, column);
  const bool comma = field.find(',') != std::string_view::npos;
  fail(ExitCode::kInputInvalid, table.path, ": line ", table.lines[static_cast<std::size_t>(row)],
       ", column ", column + 1, ": '", field.substr(0, 40), "' is ",
       is_missing(field) ? "a missing value; remove the cell or give it a place"
       : comma           ? "not a number; write decimals with a point"
                         : "not a number");
}

void fill(const DelimitedText& table, std::int64_t first_row, const Columns& columns,
          MatrixView<double> out) {
  for (std::int64_t r = 0; r < out.rows; ++r) {
    for (std::int64_t a = 0; a < out.cols; ++a) {
      const std::int64_t column = columns[static_cast<std::size_t>(a)];
      const bool read = parse_number(table.field(first_row + r, column), out(r, a));
      if (!read || !std::isfinite(out(r, a))) bad_value(table, first_row + r, column);
    }
  }
}

// The texts of one column, or of several joined by "_", from `first_row` on.
std::vector<std::string> texts_of(const DelimitedText& table, std::int64_t first_row,
                                  const Columns& columns) {
  std::vector<std::string> texts;
  for (std::int64_t r = first_row; r < table.rows(); ++r) {
    std::string& text = texts.emplace_back();
    for (const std::int64_t column : columns) {
      text += (column == columns.front() ? "" : "_") + std::string(table.field(r, column));
    }
  }
  return texts;
}

std::vector<std::string> asked_texts(const DelimitedText& table, const std::string& names) {
  Columns columns;
  for (const std::string& name : split_names(names)) columns.push_back(asked_column(table, name));
  return columns.empty() ? std::vector<std::string>{} : texts_of(table, 1, columns);
}

Columns axes_of(const DelimitedText& table, std::int64_t first_row,
                const CoordinateColumns& asked) {
  if (asked.x.empty() != asked.y.empty()) {
    fail(ExitCode::kUsage, "--x-column and --y-column go together");
  }
  if (!asked.x.empty()) return {asked_column(table, asked.x), asked_column(table, asked.y)};
  const std::optional<Columns> named =
      first_row > 0 ? named_columns(header_of(table)) : std::nullopt;
  return named ? *named : positional_columns(table, first_row);
}

bool asks_for_a_column(const CoordinateColumns& asked) {
  return !(asked.cells + asked.x + asked.y + asked.sections + asked.labels).empty();
}

}  // namespace

CoordinateTable read_coordinates_csv(CpuContext& context, const std::string& path,
                                     const CoordinateColumns& asked) {
  DelimitedText table;
  table.path = path;
  table.text = read_text(path);
  split_text(table, {});
  const std::int64_t first_row = asks_for_a_column(asked) || has_header(table) ? 1 : 0;
  const std::int64_t cells = table.rows() - first_row;
  if (cells == 0) fail(ExitCode::kInputInvalid, path, ": has a header but no cells");
  const Columns columns = axes_of(table, first_row, asked);

  CoordinateTable result;
  result.coordinates =
      Matrix<double>(context.pool(), cells, static_cast<std::int64_t>(columns.size()));
  fill(table, first_row, columns, result.coordinates.view());
  result.sections = asked_texts(table, asked.sections);
  result.labels = asked_texts(table, asked.labels);
  result.cells = asked_texts(table, asked.cells);
  const bool first_is_free = std::find(columns.begin(), columns.end(), 0) == columns.end();
  if (result.cells.empty() && first_is_free && starts_with_cells(table, first_row)) {
    result.cells = texts_of(table, first_row, {0});
  }
  return result;
}

CoordinateTable read_coordinates(CpuContext& context, const std::string& path,
                                 const CoordinateColumns& asked) {
  if (!InputFile(path).starts_with(kNpyMagic)) return read_coordinates_csv(context, path, asked);
  if (asks_for_a_column(asked)) {
    fail(ExitCode::kInputInvalid, path, ": is a .npy array, which has no columns of that name; ",
         "give a table with a header");
  }
  CoordinateTable result{read_npy<double>(context, path), {}, {}, {}};
  if (result.coordinates.cols() < 2 || result.coordinates.cols() > 3) {
    fail(ExitCode::kInputInvalid, path, ": is ", result.coordinates.rows(), " by ",
         result.coordinates.cols(), ", need one row a cell with x and y (and z)");
  }
  return result;
}

CoordinateTable read_coordinates(CpuContext& context, const std::string& path) {
  return read_coordinates(context, path, {});
}

std::vector<std::string> axis_columns(const std::vector<std::string>& names) {
  std::vector<std::string> axes;
  const std::optional<Columns> columns = named_columns(names);
  if (!columns) return axes;
  for (const std::int64_t column : *columns)
    axes.push_back(names[static_cast<std::size_t>(column)]);
  return axes;
}

std::vector<std::string> split_names(const std::string& names) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    parts.push_back(names.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace m2st::data
