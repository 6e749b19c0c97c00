// JSON through nlohmann-json; objects keep the order written here. NaN becomes null.
#include "apps/report/manifest.h"

#include <nlohmann/json.hpp>
#include <type_traits>

#include "apps/pipeline/machine.h"
#include "apps/pipeline/run_settings.h"
#include "engine/cpu_context.h"
#include "m2st_version.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

Json value_json(const Setting& setting) {
  return std::visit(
      [&](const auto& target) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(target)>, Choice>) {
          return text_of(setting);
        } else {
          return *target;
        }
      },
      setting.target);
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

Json hardware_json(int threads) {
  return {{"device", "cpu"},
          {"processor", processor_name()},
          {"processors", available_processors()},
          {"threads", threads},
          {"memory_bytes", total_memory_bytes()}};
}

Json graph_json(const GraphRecord& graph) {
  return {{"kind", graph.kind},
          {"radius", graph.radius},
          {"neighbors", graph.neighbours},
          {"edges", graph.edges},
          {"mean_degree", graph.mean_degree},
          {"isolated_cells", graph.isolated_nodes},
          {"components", graph.components}};
}

Json train_json(const TrainRecord& train) {
  Json per_scale = Json::array();
  for (int m = 0; m < train.scales; ++m) {
    Json losses = Json::array();
    for (std::size_t i = static_cast<std::size_t>(m); i < train.losses_per_scale.size();
         i += static_cast<std::size_t>(train.scales)) {
      losses.push_back(train.losses_per_scale[i]);
    }
    per_scale.push_back(std::move(losses));
  }
  return {{"end", train.end},         {"epochs", train.losses.size()},
          {"resumed", train.resumed}, {"parameters", train.parameters},
          {"losses", train.losses},   {"losses_per_scale", per_scale}};
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

Json scores_json(const Scores& scores) {
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  const auto agreed = [&](double cluster::Agreement::*member) {
    return scores.agreement ? Json((*scores.agreement).*member) : Json();
  };
  using cluster::Agreement;
  return {{"ari", agreed(&Agreement::ari)},
          {"nmi_max", agreed(&Agreement::nmi_max)},
          {"nmi_arithmetic", agreed(&Agreement::nmi_arithmetic)},
          {"nmi_geometric", agreed(&Agreement::nmi_geometric)},
          {"acc", agreed(&Agreement::accuracy)},
          {"purity", agreed(&Agreement::purity)},
          {"homogeneity", agreed(&Agreement::homogeneity)},
          {"completeness", agreed(&Agreement::completeness)},
          {"silhouette", number(scores.silhouette)},
          {"silhouette_cells", scores.silhouette_cells},
          {"davies_bouldin", number(scores.davies_bouldin)},
          {"calinski_harabasz", number(scores.calinski_harabasz)},
          {"chaos", number(scores.chaos)},
          {"pas", number(scores.pas)},
          {"cells", scores.cells}};
}

Json outputs_json(const std::vector<OutputFile>& outputs) {
  Json list = Json::array();
  for (const OutputFile& file : outputs) {
    list.push_back({{"file", file.name}, {"bytes", file.bytes}, {"xxh3_128", file.hash}});
  }
  return list;
}

// File names are bytes, JSON is UTF-8: what is not becomes U+FFFD rather than an error.
std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string manifest_text(const RunRecord& record, const std::vector<Setting>& settings,
                          const std::vector<std::string>& command) {
  Json manifest = {{"program", "m2st"},
                   {"version", kVersion},
                   {"compiler", __VERSION__},
                   {"job", to_string(record.job)},
                   {"command", command},
                   {"started", record.started},
                   {"finished", record.finished},
                   {"parameters", parameters_json(settings)},
                   {"inputs", inputs_json(record.inputs)},
                   {"data", {{"cells", record.cells}, {"features", record.features}}},
                   {"hardware", hardware_json(record.threads)}};
  if (record.graph) manifest["graph"] = graph_json(*record.graph);
  if (record.plan) manifest["planned_training_bytes"] = record.plan->training_bytes;
  if (record.train) manifest["training"] = train_json(*record.train);
  if (record.cluster) {
    manifest["clustering"] = {{"method", record.cluster->method},
                              {"domain_sizes", record.cluster->sizes}};
  }
  if (record.scores) manifest["metrics"] = scores_json(*record.scores);
  manifest["stages"] = stages_json(record.trace);
  manifest["warnings"] = record.warnings;
  manifest["outputs"] = outputs_json(record.outputs);
  return dumped(manifest);
}

std::string plan_text(const RunRecord& record, const std::vector<Setting>& settings) {
  Json plan = {{"job", to_string(record.job)},
               {"cells", record.cells},
               {"features", record.features},
               {"threads", record.threads}};
  if (record.graph) plan["graph"] = graph_json(*record.graph);
  if (record.plan) {
    plan["memory"] = {{"training_bytes", record.plan->training_bytes},
                      {"available_bytes", record.plan->available_bytes},
                      {"fits", record.plan->fits()}};
  }
  plan["parameters"] = parameters_json(settings);
  return dumped(plan);
}

std::string scores_text(const Scores& scores) { return dumped(scores_json(scores)); }

}  // namespace m2st::apps
