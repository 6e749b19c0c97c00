// What a file or folder from an instrument or from scanpy holds, before preparation: cells, genes,
// values, and where the cells lie. One form for every format; readers fill what they found.
#pragma once

#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "data/prep/sparse_matrix.h"
#include "engine/array.h"

namespace m2st::data {

struct Expression {
  SparseMatrix values;                // (cells, genes); rows 0 when only `features` were asked for
  bool counts = false;                // every value is a whole number >= 0
  bool logged = false;                // the source says that values are logarithms
  std::vector<std::string> cells;     // (N) names, unique
  std::vector<std::string> genes;     // (G) symbols, made unique as scanpy does ("-1", "-2")
  std::vector<std::string> gene_ids;  // (G) or empty
  Matrix<double> coordinates;         // (N, 2 or 3), finite; empty when the source has none
  Matrix<float> features;             // (N, d), the obsm entry that was asked for, else empty
  std::vector<std::string> sections;  // (N), the library key's column, else empty
  std::vector<std::string> labels;    // (N), the truth column, else empty
  Adjacency graph;                    // the user's own from obsp, else without nodes
  std::string format;                 // "AnnData .h5ad (0.8 or newer)", "10x .h5 v3", ...
  std::vector<std::string> found;     // one line each: what was read, from where, of what shape
  std::vector<std::string> skipped;   // what was there and not read, and why
  std::vector<std::string> warnings;
  std::vector<std::string> files;  // every one that was read, by name
  std::string hash;                // file_hash of the source (of several files: of their hashes)
};

}  // namespace m2st::data
