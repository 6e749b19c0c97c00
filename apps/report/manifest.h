// manifest.json: what ran, on what, with which result, so that a run can be repeated and compared.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/record.h"
#include "apps/pipeline/settings.h"

namespace m2st::apps {

std::string manifest_text(const RunRecord& record, const std::vector<Setting>& settings,
                          const std::vector<std::string>& command);

// The plan of a dry run, as JSON.
std::string plan_text(const RunRecord& record, const std::vector<Setting>& settings);

// One object with every score; null where it could not be computed.
std::string scores_text(const Scores& scores);

}  // namespace m2st::apps
