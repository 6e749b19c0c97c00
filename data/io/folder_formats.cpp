#include "data/io/folder_formats.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "data/io/expression_parts.h"
#include "data/io/names.h"
#include "data/io/table.h"
#include "data/io/text_formats.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

namespace fs = std::filesystem;

constexpr int kUsualSquare = 8;  // µm, what Space Ranger itself analyses

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) {
    fail(ExitCode::kInputMissing, folder, ": cannot be listed: ", error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Folder {
 public:
  explicit Folder(const std::string& path) : path_(path), names_(names_in(path)) {}

  const std::string& path() const { return path_; }
  const std::vector<std::string>& names() const { return names_; }
  std::string at(const std::string& name) const { return (fs::path(path_) / name).string(); }
  bool has(const std::string& name) const {
    return std::binary_search(names_.begin(), names_.end(), name);
  }
  // The first of these names, in the order they are given.
  std::optional<std::string> any_of(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      if (has(name)) return at(name);
    }
    return std::nullopt;
  }
  // The only file whose name ends so; exit code 4 when there are several.
  std::optional<std::string> ending(std::initializer_list<const char*> endings) const {
    std::vector<std::string> found;
    for (const std::string& name : names_) {
      for (const char* ending : endings) {
        if (name.ends_with(ending)) found.push_back(name);
      }
    }
    if (found.size() > 1) {
      fail(ExitCode::kInputInvalid, path_, ": holds several samples (", listed(found),
           "); give the path of one file or folder");
    }
    return found.empty() ? std::nullopt : std::optional(at(found[0]));
  }

 private:
  std::string path_;
  std::vector<std::string> names_;
};

// Spots beside a matrix: the folder spatial/ of Space Ranger.
void place_by_spatial_folder(CpuContext& context, const Folder& folder, const ReadOptions& options,
                             Expression& expression) {
  if (!options.coordinates.empty() || place_in_grid(context, expression)) return;
  if (!folder.has("spatial")) return;
  const Folder spatial(folder.at("spatial"));
  const auto positions = spatial.any_of(
      {"tissue_positions.csv", "tissue_positions_list.csv", "tissue_positions.csv.gz"});
  if (!positions) {
    fail(ExitCode::kInputInvalid, spatial.path(), ": has neither tissue_positions.csv nor ",
         "tissue_positions_list.csv; give positions with --coords");
  }
  place_spots(context, *positions, expression);
  expression.format = "Visium folder (" + expression.format + ")";
}

Expression read_spaceranger(CpuContext& context, const Folder& folder, const std::string& matrix,
                            const ReadOptions& options) {
  std::error_code ignored;
  Expression expression = fs::is_directory(matrix, ignored) ? read_folder(context, matrix, options)
                                                            : read_file(context, matrix, options);
  if (expression.coordinates.empty()) {
    place_by_spatial_folder(context, folder, options, expression);
  }
  return expression;
}

Expression read_visium_hd(CpuContext& context, const Folder& bins, const ReadOptions& options) {
  const int size = options.bin_size > 0 ? options.bin_size : kUsualSquare;
  std::string digits = std::to_string(size);
  digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
  const std::string name = "square_" + digits + "um";
  if (!bins.has(name)) {
    fail(ExitCode::kInputInvalid, bins.path(), ": has no ", name, "; --bin-size chooses among ",
         listed(bins.names()));
  }
  ReadOptions inside = options;
  inside.bin_size = 0;
  Expression expression = read_folder(context, bins.at(name), inside);
  expression.format = "Visium HD folder, " + name;
  return expression;
}

Expression read_xenium(CpuContext& context, const Folder& folder, const std::string& matrix,
                       const ReadOptions& options) {
  Expression expression = read_spaceranger(context, folder, matrix, options);
  expression.format = "Xenium folder (" + expression.format + ")";
  if (!options.coordinates.empty()) return expression;
  const auto cells = folder.any_of({"cells.csv.gz", "cells.csv"});
  if (!cells) {
    fail(ExitCode::kInputInvalid, folder.path(), ": has no cells.csv.gz; ",
         folder.has("cells.parquet") ? "write it from cells.parquet: pandas.read_parquet("
                                       "'cells.parquet').to_csv('cells.csv.gz')"
                                     : "give positions with --coords");
  }
  CoordinateColumns columns = coordinate_columns(options);
  if (columns.cells.empty()) columns.cells = "cell_id";
  place_cells(context, read_coordinates(context, *cells, columns), *cells, expression);
  return expression;
}

Expression read_slide_seq(CpuContext& context, const std::string& counts, const std::string& beads,
                          const ReadOptions& options) {
  CoordinateTable table = read_coordinates(context, beads, coordinate_columns(options));
  Expression expression = read_counts_table(context, counts, table.cells, options);
  expression.format = "Slide-seq folder";
  place_cells(context, std::move(table), beads, expression);
  return expression;
}

}  // namespace

Expression read_folder(CpuContext& context, const std::string& path, const ReadOptions& options) {
  const Folder folder(path);
  if (folder.any_of({".zattrs", ".zgroup", "zarr.json"})) {
    fail(ExitCode::kInputInvalid, path, ": is a zarr store; write its table as .h5ad: ",
         "spatialdata.read_zarr(path).tables['table'].write_h5ad('table.h5ad')");
  }
  if (folder.has("binned_outputs")) {
    return read_visium_hd(context, Folder(folder.at("binned_outputs")), options);
  }
  if (folder.has("square_008um") || folder.has("square_016um")) {
    return read_visium_hd(context, folder, options);
  }
  if (const auto matrix = folder.any_of({"cell_feature_matrix.h5", "cell_feature_matrix"})) {
    return read_xenium(context, folder, *matrix, options);
  }
  auto matrix = folder.ending({"filtered_feature_bc_matrix.h5"});
  if (!matrix) matrix = folder.any_of({"filtered_feature_bc_matrix", "filtered_gene_bc_matrices"});
  if (matrix) return read_spaceranger(context, folder, *matrix, options);
  if (const auto market = folder.ending({"matrix.mtx", "matrix.mtx.gz"})) {
    Expression expression = read_market_expression(context, *market);
    place_by_spatial_folder(context, folder, options, expression);
    return expression;
  }
  const auto counts = folder.ending({"MappedDGEForR.csv", "MappedDGEForR.csv.gz",
                                     "digital_expression.txt.gz", "digital_expression.txt"});
  const auto beads = folder.ending({"BeadLocationsForR.csv", "BeadLocationsForR.csv.gz",
                                    "BeadLocations.csv", "bead_locations.csv"});
  if (counts && beads) return read_slide_seq(context, *counts, *beads, options);
  if (folder.has("outs")) return read_folder(context, folder.at("outs"), options);
  if (folder.names().size() == 1 && fs::is_directory(folder.at(folder.names()[0]))) {
    return read_folder(context, folder.at(folder.names()[0]), options);
  }
  fail(ExitCode::kInputInvalid, path,
       ": is no folder of Space Ranger (filtered_feature_bc_matrix), ",
       "Xenium (cell_feature_matrix), MatrixMarket (matrix.mtx) or Slide-seq (MappedDGEForR and ",
       "BeadLocationsForR); it holds: ",
       folder.names().empty() ? "nothing" : listed(folder.names()));
}

}  // namespace m2st::data
