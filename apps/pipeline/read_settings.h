// The settings that say how a file or folder of expression is read, for every command that takes
// one.
#pragma once

#include <vector>

#include "apps/pipeline/settings.h"
#include "data/io/read_expression.h"

namespace m2st::apps {

// All but positions (--coords) and the graph (--use-graph), which commands without a file of
// expression take too.
std::vector<Setting> read_settings(data::ReadOptions& options);

}  // namespace m2st::apps
