// The settings of preparation, for every command that goes from counts to features.
#pragma once

#include <vector>

#include "apps/pipeline/settings.h"
#include "data/prep/prepare.h"

namespace m2st::apps {

// `options` must outlive the table. --recipe sets the others' defaults and is applied first.
std::vector<Setting> prepare_settings(data::PrepareOptions& options);

}  // namespace m2st::apps
