// Our figures beside the published ones, as Markdown for people and JSON for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/pipeline/reproduce.h"

namespace m2st::apps {

std::string reproduction_markdown(const std::vector<SetReport>& sets,
                                  const std::vector<std::string>& unlabelled);
nlohmann::ordered_json reproduction_json(const std::vector<SetReport>& sets,
                                         const std::vector<std::string>& unlabelled);

}  // namespace m2st::apps
