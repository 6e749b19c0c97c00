// The pieces that the manifests of all commands are made of.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/record.h"
#include "apps/pipeline/settings.h"
#include "engine/trace.h"

namespace m2st::apps {

// Program, version, compiler, job, command and times.
nlohmann::ordered_json manifest_head(const std::string& job,
                                     const std::vector<std::string>& command,
                                     const std::string& started, const std::string& finished);
nlohmann::ordered_json parameters_json(const std::vector<Setting>& settings);
nlohmann::ordered_json inputs_json(const std::vector<InputRecord>& inputs);
nlohmann::ordered_json hardware_json(const std::string& device, int threads);
nlohmann::ordered_json stages_json(const Trace& trace);
nlohmann::ordered_json outputs_json(const std::vector<OutputFile>& outputs);

// File names are bytes, JSON is UTF-8: what is not becomes U+FFFD rather than an error.
std::string dumped(const nlohmann::ordered_json& json);

}  // namespace m2st::apps
