// The settings of the jobs that walk the pipeline, each bound to one RunOptions.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/options.h"
#include "apps/pipeline/settings.h"

namespace m2st::apps {

// What `job` can be told; `options` must outlive the table.
std::vector<Setting> run_settings(Job job, RunOptions& options);

// The two that every command has.
Setting threads_setting(int& threads);
Setting seed_setting(std::uint64_t& seed);
// For those that can work on a device.
Setting device_setting(std::string& device);

std::string to_string(Job job);

}  // namespace m2st::apps
