// Small text inputs: coordinates, labels, cell names; comma, tab, semicolon or blank separated,
// plain or gzip, with or without a header (a first line whose numeric fields are not numbers).
#pragma once

#include <string>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::data {

struct CoordinateTable {
  Matrix<double> coordinates;         // (N, 2 or 3), finite when read from text
  std::vector<std::string> cells;     // names from a leading column that is no coordinate, or empty
  std::vector<std::string> sections;  // the columns that were asked for, else empty
  std::vector<std::string> labels;
};

// Names of columns in the header; empty ones are found by their usual names or places.
struct CoordinateColumns {
  std::string cells;  // several joined by commas: their texts are joined by "_"
  std::string x;
  std::string y;
  std::string sections;
  std::string labels;
};

// Errors: 3, 4 (line number and content named).
CoordinateTable read_coordinates_csv(CpuContext& context, const std::string& path,
                                     const CoordinateColumns& columns);

// .npy or text, by content; .npy has no columns that could be asked for (exit code 4).
CoordinateTable read_coordinates(CpuContext& context, const std::string& path,
                                 const CoordinateColumns& columns);
CoordinateTable read_coordinates(CpuContext& context, const std::string& path);

// Which of these names of columns are x, y (and z) on the common platforms; empty when none are.
std::vector<std::string> axis_columns(const std::vector<std::string>& names);

// Splits "a,b".
std::vector<std::string> split_names(const std::string& names);

struct LabelTable {
  std::vector<std::string> cells;   // empty when the file has labels only
  std::vector<std::string> labels;  // (N), in file order
};

// One label a line (labels.txt), or a CSV with a header such as `cell,domain[,...]` (`column` picks
// one, "" the second), or .npy of integers.
LabelTable read_labels(CpuContext& context, const std::string& path, const std::string& column);

// Labels as codes 0.. in order of first appearance; missing ones ("", NA, NaN, None
// and the like) become -1 (unlabelled).
std::vector<std::int32_t> label_codes(const std::vector<std::string>& labels);

}  // namespace m2st::data
