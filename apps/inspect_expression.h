// What `inspect` prints of a file or folder of expression.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "data/io/expression.h"

namespace m2st::apps {

nlohmann::ordered_json expression_json(const data::Expression& expression);

}  // namespace m2st::apps
