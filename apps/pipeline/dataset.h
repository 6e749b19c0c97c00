// What a run reads: everything validated here, once, so that no stage after it meets a value that
// is not finite or a table of another length.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/options.h"
#include "apps/pipeline/record.h"
#include "data/graph/graph.h"
#include "data/io/expression.h"
#include "data/io/table.h"
#include "data/prep/prepare.h"
#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::apps {

struct Dataset {
  std::int64_t nodes = 0;
  Matrix<float> features;                  // (N, d) or empty
  Matrix<double> coordinates;              // (N, 2 or 3) or empty
  data::Adjacency adjacency;               // as given, made fit; no nodes when none was
  std::vector<std::string> warnings;       // of reading it
  std::vector<std::string> sections;       // name of each cell's, or empty
  std::vector<Matrix<float>> embeddings;   // (N, d_m) a scale, as given
  std::vector<std::string> cells;          // names, or empty
  std::vector<std::int32_t> truth;         // codes, -1 unlabelled; or empty
  data::Expression expression;             // values until prepared, names of genes; or nothing
  std::optional<data::Prepared> prepared;  // but for its features, which are above

  // Counts wait for preparation.
  bool unprepared() const { return expression.values.rows > 0 && features.empty(); }
  bool has_adjacency() const { return !adjacency.offsets.empty(); }
};

// Reads the files named in `input` and notes each in `inputs`; `read` says how to read the one of
// expression. Exit codes 2, 3 and 4.
Dataset read_dataset(CpuContext& context, const InputFiles& input, const data::ReadOptions& read,
                     std::vector<InputRecord>& inputs);

// Positions that are all finite; exit code 4 names the first cells that are not.
data::CoordinateTable read_positions(CpuContext& context, const std::string& path);

}  // namespace m2st::apps
