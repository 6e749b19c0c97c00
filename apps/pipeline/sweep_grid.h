// Which option sets a sweep tries: the paper's grid, a TOML file, and lists on the command line.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/settings.h"
#include "cluster/sweep.h"

namespace m2st::apps {

struct GridChoice {
  std::string grid = "paper";        // or a TOML file with the four keys below
  std::vector<std::string> lambda1;  // each, when given, in place of the grid's values;
  std::vector<std::string> lambda2;  // one number an entry
  std::vector<std::string> lambda3;
  std::vector<std::string> specific_dim;
};

// --grid and what stands in place of its values.
std::vector<Setting> grid_settings(GridChoice& choice);

// Exit codes 2 (a value that is no number or out of range, an unknown or missing key), 3 (no file).
cluster::SweepGrid chosen_grid(const GridChoice& choice);

}  // namespace m2st::apps
