// The one way in for files from instruments and from scanpy: what a path holds is told by its
// content, never by its name.
#pragma once

#include <string>
#include <vector>

#include "data/io/expression.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// Each empty or 0 when it was not asked for; exit code 2 when one does not go with the format.
struct ReadOptions {
  std::string layer = {};               // .h5ad: values from layers/NAME in place of X
  bool use_raw = false;                 // .h5ad: values and genes from raw
  std::string use_representation = {};  // .h5ad: features from obsm/NAME in place of values
  std::string use_graph = {};           // .h5ad: neighbours from obsp/NAME
  std::string spatial_key = {};  // .h5ad: positions in obsm/NAME; else spatial, X_spatial, obs
  std::string library_key = {};  // column of sections: of obs, or of the table of positions
  std::string truth_key = {};    // column of known labels: likewise
  std::string genome = {};       // 10x .h5 of version 2 with several
  int bin_size = 0;              // GEM, GEF: side in DNB; Visium HD: in µm
  std::string coordinates = {};  // .npy or text: positions of the cells, joined by their names
  std::string id_column = {};    // of tables of counts and positions; several joined by commas
  std::string x_column = {};
  std::string y_column = {};
  bool make_unique = false;  // cells whose names repeat are kept, renamed
};

// Errors: 2; 3 missing or unreadable; 4 everything that is wrong with the content.
Expression read_expression(CpuContext& context, const std::string& path,
                           const ReadOptions& options);

}  // namespace m2st::data
