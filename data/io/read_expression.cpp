// What a path holds, told by its content, and the reader for it.
#include "data/io/read_expression.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "data/io/delimited.h"
#include "data/io/expression_parts.h"
#include "data/io/folder_formats.h"
#include "data/io/hdf5_formats.h"
#include "data/io/hdf5_handle.h"
#include "data/io/input_file.h"
#include "data/io/npy_type.h"
#include "data/io/sparse_builder.h"
#include "data/io/sparse_npz.h"
#include "data/io/table.h"
#include "data/io/text_formats.h"
#include "data/io/text_stream.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

// What goes with AnnData only.
void refuse_h5ad_options(const ReadOptions& options, const std::string& format) {
  const auto refuse = [&](bool given, const char* option) {
    if (given) fail(ExitCode::kUsage, option, " goes with .h5ad files, but this is ", format);
  };
  refuse(!options.layer.empty(), "--layer");
  refuse(options.use_raw, "--use-raw");
  refuse(!options.use_representation.empty(), "--use-rep");
  refuse(!options.use_graph.empty(), "--use-graph");
  refuse(!options.spatial_key.empty(), "--spatial-key");
}

// Sections and labels are columns of some table; when none was read, nothing has them.
void refuse_missing_columns(const ReadOptions& options, const Expression& expression) {
  const auto refuse = [&](const std::string& key, bool read, const char* option) {
    if (key.empty() || read) return;
    fail(ExitCode::kUsage, option, " ", key, ": ", expression.format,
         " has no such column; it may be one of the table given by --coords");
  };
  refuse(options.library_key, !expression.sections.empty(), "--library-key");
  refuse(options.truth_key, !expression.labels.empty(), "--truth-key");
}

Expression read_hdf5(CpuContext& context, const std::string& path, const ReadOptions& options) {
  Hdf5Source source(path);
  switch (hdf5_format(source)) {
    case Hdf5Format::kH5ad:
      return read_h5ad(context, source, options);
    case Hdf5Format::kTenx3:
    case Hdf5Format::kTenx2:
      return read_tenx_h5(context, source, options);
    case Hdf5Format::kGef:
      return read_gef(context, source, options);
    case Hdf5Format::kCellGef:
      return read_cell_gef(context, source);
  }
  return {};
}

// CosMx numbers cells within fields of view; both tables have the two columns.
std::string cosmx_columns(const std::string& path) {
  TextStream stream(path);
  std::string_view line;
  if (!stream.next(line)) return "";
  std::string fov, cell;
  for (const std::string_view field : split_fields(line, delimiter_of(line))) {
    if (lower_case(field) == "fov") fov = field;
    if (lower_case(field) == "cell_id") cell = field;
  }
  return fov.empty() || cell.empty() ? "" : fov + "," + cell;
}

// CosMx counts what lies outside of any cell as cell 0 of its field of view.
void drop_background(Expression& expression) {
  std::vector<std::int32_t> kept;
  std::vector<std::string> cells;
  for (std::size_t i = 0; i < expression.cells.size(); ++i) {
    if (expression.cells[i].ends_with("_0")) continue;
    kept.push_back(static_cast<std::int32_t>(i));
    cells.push_back(expression.cells[i]);
  }
  const std::size_t dropped = expression.cells.size() - kept.size();
  if (dropped == 0) return;
  expression.skipped.push_back(concat(dropped, " lines outside of any cell (cell_ID 0)"));
  expression.values = selected_rows(expression.values, kept);
  expression.cells = std::move(cells);
}

Expression read_table(CpuContext& context, const std::string& path, const ReadOptions& options) {
  ReadOptions named = options;
  const bool cosmx = options.id_column.empty() && !cosmx_columns(path).empty();
  if (cosmx) named.id_column = cosmx_columns(path);
  std::optional<CoordinateTable> table;
  if (!options.coordinates.empty()) {
    table = read_coordinates(context, options.coordinates, coordinate_columns(named));
  }
  Expression expression =
      read_counts_table(context, path, table ? table->cells : std::vector<std::string>{}, named);
  if (cosmx) drop_background(expression);
  if (table) place_cells(context, std::move(*table), options.coordinates, expression);
  return expression;
}

}  // namespace

Expression read_file(CpuContext& context, const std::string& path, const ReadOptions& options) {
  const InputFile file(path);
  if (file.size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  Expression expression;
  if (file.starts_with(kNpyMagic)) {
    expression = read_npy_matrix(context, path);
  } else if (file.starts_with("PK\x03\x04")) {
    expression = read_sparse_npz(context, path);
  } else if (is_hdf5(path) || path.ends_with(".h5ad") || path.ends_with(".h5")) {
    expression = read_hdf5(context, path, options);
  } else {
    switch (text_format(path)) {
      case TextFormat::kMarket:
        return read_market_expression(context, path);
      case TextFormat::kGem:
        return read_gem(context, path, options);
      case TextFormat::kTable:
        return read_table(context, path, options);
    }
  }
  expression.files = {path};
  return expression;
}

Expression read_expression(CpuContext& context, const std::string& path,
                           const ReadOptions& options) {
  std::error_code ignored;
  Expression expression = std::filesystem::is_directory(path, ignored)
                              ? read_folder(context, path, options)
                              : read_file(context, path, options);
  if (!expression.format.starts_with("AnnData")) refuse_h5ad_options(options, expression.format);
  const std::vector<std::string>& files = expression.files;
  const bool placed = std::find(files.begin(), files.end(), options.coordinates) != files.end();
  if (!options.coordinates.empty() && !placed) {
    place_cells(context,
                read_coordinates(context, options.coordinates, coordinate_columns(options)),
                options.coordinates, expression);
  }
  if (expression.coordinates.empty()) place_in_grid(context, expression);
  refuse_missing_columns(options, expression);
  finish_expression(context, path, options.make_unique, expression);
  return expression;
}

}  // namespace m2st::data
