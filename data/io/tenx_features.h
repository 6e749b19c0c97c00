// The features of a 10x matrix, of which genes are kept: an instrument's control probes and
// antibodies are no expression.
#pragma once

#include <string>
#include <vector>

#include "data/io/expression.h"

namespace m2st::data {

// Lists of equal length, one entry a column of the matrix; kinds and genomes may be empty.
struct TenxFeatures {
  std::vector<std::string> ids;
  std::vector<std::string> names;
  std::vector<std::string> kinds;
  std::vector<std::string> genomes;
};

// Names the columns of expression.values and keeps those of kind "Gene Expression" and, when one
// was asked for, of `genome`. Notes what was found and skipped. Exit code 4 when nothing is left.
void take_genes(const std::string& path, TenxFeatures features, const std::string& genome,
                Expression& expression);

}  // namespace m2st::data
