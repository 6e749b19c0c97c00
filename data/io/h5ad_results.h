// Domains, embeddings and graph put into an .h5ad where scanpy, squidpy and Seurat look for them.
// The file is whole or absent: a copy is changed, read back and renamed; X is never touched.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "data/graph/edge_weights.h"
#include "data/graph/graph.h"
#include "data/io/expression.h"
#include "engine/view.h"

namespace m2st::data {

using Fact = std::variant<bool, std::int64_t, double, std::string, std::vector<double>,
                          std::vector<std::string>>;
using Facts = std::vector<std::pair<std::string, Fact>>;

struct H5adResults {
  std::string key = "domain";       // obs/KEY, obs/KEY_confidence, uns/KEY_colors
  Span<const std::int32_t> labels;  // (N), 0..domains-1, -1: none; empty: not written
  int domains = 0;
  Span<const float> confidence;                     // (N) or empty
  std::vector<MatrixView<const float>> embeddings;  // one a scale: obsm/X_m2st_s1, ...
  const Adjacency* graph = nullptr;                 // null: not written
  const WeightedGraph* connectivities = nullptr;  // obsp/spatial_connectivities; null: graph's ones
  Span<const double> distances;                   // (E): obsp/spatial_distances; empty: not known
  Facts graph_facts;                              // uns/spatial_neighbors/params
  std::vector<std::string> colours;               // "#rrggbb", one a domain
  Facts facts;                                    // uns/m2st
};

// What a file has under these names without being m2st's own stays: results go to obs/m2st_KEY and
// obsp/m2st_connectivities then, which the warnings say.
struct H5adPlaces {
  std::string key;
  std::string graph = "spatial";
  std::vector<std::string> warnings;
};
// Exit codes 3, 4 (no .h5ad, damaged, another number of cells).
H5adPlaces h5ad_places(const std::string& source, const H5adResults& results);

// Whether results can be added to `source`: a layout of before 0.7 is written anew instead.
bool takes_results(const std::string& source);

// `target` becomes a copy of `source` with the results; both may be one file. Exit code 8.
void write_results(const std::string& source, const std::string& target, const H5adPlaces& places,
                   const H5adResults& results);

// `target` becomes a new .h5ad of what was read, with results where there are any. Exit code 8.
void write_new(const Expression& expression, const std::string& target, const H5adPlaces& places,
               const H5adResults& results);

}  // namespace m2st::data
