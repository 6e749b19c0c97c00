// sweep.csv: one row an option set. Numbers are written in their shortest form that reads back to
// the same number, so that a table that was read is written with the same bytes.
#pragma once

#include <string>
#include <vector>

#include "cluster/sweep.h"

namespace m2st::apps {

// Agreement columns are there only `with_truth`; a figure that is not a number is an empty field.
std::string sweep_csv(const std::vector<cluster::SweepRow>& rows, bool with_truth);

// Exit code 4 naming the line when `path` is not such a table.
std::vector<cluster::SweepRow> read_sweep_csv(const std::string& path, bool with_truth);

}  // namespace m2st::apps
