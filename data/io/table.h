// Small text inputs: coordinates, labels, cell names; comma, tab, semicolon or blank separated,
// plain or gzip, with or without a header (a first line whose numeric fields are not numbers).
#pragma once

#include <string>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::data {

struct CoordinateTable {
  Matrix<double> coordinates;      // (N, 2 or 3), finite when read from text
  std::vector<std::string> cells;  // names from a leading column that is no coordinate, or empty
};

// Errors: 3, 4 (line number and content named).
CoordinateTable read_coordinates_csv(CpuContext& context, const std::string& path);

// .npy or text, by content.
CoordinateTable read_coordinates(CpuContext& context, const std::string& path);

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
