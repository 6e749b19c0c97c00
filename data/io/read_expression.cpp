// What a path holds, told by its content, and the reader for it.
#include "data/io/read_expression.h"

#include <filesystem>
#include <string_view>

#include "data/io/expression_parts.h"
#include "data/io/hdf5_formats.h"
#include "data/io/hdf5_handle.h"
#include "data/io/input_file.h"
#include "data/io/npy_type.h"
#include "data/io/sparse_npz.h"
#include "data/io/table.h"
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

Expression read_hdf5(CpuContext& context, const std::string& path, const ReadOptions& options) {
  Hdf5Source source(path);
  Expression expression;
  switch (hdf5_format(source)) {
    case Hdf5Format::kH5ad:
      expression = read_h5ad(context, source, options);
      break;
    case Hdf5Format::kTenx3:
    case Hdf5Format::kTenx2:
      expression = read_tenx_h5(context, source, options);
      break;
    case Hdf5Format::kGef:
      expression = read_gef(context, source, options);
      break;
    case Hdf5Format::kCellGef:
      expression = read_cell_gef(context, source);
      break;
  }
  expression.files = {path};
  return expression;
}

// A text table begins in too many ways: what is no other kind of file is taken for one.
Expression read_file(CpuContext& context, const std::string& path, const ReadOptions& options) {
  const InputFile file(path);
  if (file.size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  Expression expression;
  if (file.starts_with(kNpyMagic)) {
    expression = read_npy_matrix(context, path);
  } else if (file.starts_with("PK\x03\x04")) {
    expression = read_sparse_npz(context, path);
  } else {
    return read_hdf5(context, path, options);
  }
  expression.files = {path};
  return expression;
}

}  // namespace

Expression read_expression(CpuContext& context, const std::string& path,
                           const ReadOptions& options) {
  Expression expression = read_file(context, path, options);
  if (!expression.format.starts_with("AnnData")) refuse_h5ad_options(options, expression.format);
  if (!options.coordinates.empty()) {
    place_cells(context,
                read_coordinates(context, options.coordinates, coordinate_columns(options)),
                options.coordinates, expression);
  }
  finish_expression(context, path, options.make_unique, expression);
  return expression;
}

}  // namespace m2st::data
