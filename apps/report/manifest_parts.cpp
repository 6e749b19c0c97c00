// JSON through nlohmann-json; objects keep the order written here. NaN becomes null.
#include "apps/report/manifest_parts.h"

#include <type_traits>
#include <variant>

#include "apps/pipeline/machine.h"
#include "engine/cpu_context.h"
#include "engine/instruction_set.h"
#include "m2st_version.h"

namespace m2st::apps {

using Json = nlohmann::ordered_json;

namespace {

Json value_json(const Setting& setting) {
  return std::visit(
      [&](const auto& target) -> Json {
        using Target = std::decay_t<decltype(target)>;
        if constexpr (std::is_same_v<Target, Choice> || std::is_same_v<Target, Interval>) {
          return text_of(setting);
        } else if constexpr (std::is_same_v<Target, CountOrAuto>) {
          return *target.automatic ? Json("auto") : Json(*target.count);
        } else {
          return *target;
        }
      },
      setting.target);
}

}  // namespace

Json manifest_head(const std::string& job, const std::vector<std::string>& command,
                   const std::string& started, const std::string& finished) {
  return {{"program", "m2st"},  {"version", kVersion}, {"compiler", __VERSION__}, {"job", job},
          {"command", command}, {"started", started},  {"finished", finished}};
}

Json parameters_json(const std::vector<Setting>& settings) {
  Json parameters = Json::object();
  for (const Setting& setting : settings) parameters[name_of(setting)] = value_json(setting);
  return parameters;
}

Json inputs_json(const std::vector<InputRecord>& inputs) {
  Json list = Json::array();
  for (const InputRecord& input : inputs) {
    list.push_back({{"role", input.role},
                    {"path", input.path},
                    {"bytes", input.bytes},
                    {"xxh3_128", input.hash}});
  }
  return list;
}

Json hardware_json(const std::string& device, int threads) {
  return {{"device", device},
          {"processor", processor_name()},
          {"instructions", instruction_set()},
          {"processors", available_processors()},
          {"threads", threads},
          {"memory_bytes", total_memory_bytes()}};
}

Json stages_json(const Trace& trace) {
  Json list = Json::array();
  for (const StageCost& stage : trace.stages()) {
    list.push_back({{"stage", stage.name},
                    {"wall_seconds", stage.wall_seconds},
                    {"cpu_seconds", stage.cpu_seconds},
                    {"peak_resident_bytes", stage.peak_resident_bytes}});
  }
  return list;
}

Json outputs_json(const std::vector<OutputFile>& outputs) {
  Json list = Json::array();
  for (const OutputFile& file : outputs) {
    list.push_back({{"file", file.name}, {"bytes", file.bytes}, {"xxh3_128", file.hash}});
  }
  return list;
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace m2st::apps
