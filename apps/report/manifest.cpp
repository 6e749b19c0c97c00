// JSON through nlohmann-json; objects keep the order written here. NaN becomes null.
#include "apps/report/manifest.h"

#include <nlohmann/json.hpp>

#include "apps/pipeline/run_settings.h"
#include "apps/report/manifest_parts.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

Json graph_json(const GraphRecord& graph) {
  Json json = {{"kind", graph.kind},
               {"semantics", graph.semantics},
               {"radius", graph.radius},
               {"neighbors", graph.neighbours},
               {"edges", graph.edges},
               {"mean_degree", graph.mean_degree},
               {"isolated_cells", graph.isolated_nodes},
               {"components", graph.components}};
  for (const data::SectionGraph& section : graph.sections) {
    json["sections"].push_back({{"name", section.name},
                                {"cells", section.cells},
                                {"kind", data::to_string(section.kind)},
                                {"radius", section.radius},
                                {"neighbors", section.neighbours},
                                {"edges", section.edges}});
  }
  return json;
}

Json prepare_json(const PrepareRecord& prepare, std::int64_t cells) {
  Json ratios = Json::array();
  for (const double variance : prepare.variances) {
    ratios.push_back(variance / prepare.total_variance);
  }
  return {{"cells_read", prepare.cells_read}, {"cells", cells},
          {"genes_read", prepare.genes_read}, {"genes", prepare.genes},
          {"steps", prepare.steps},           {"total_variance", prepare.total_variance},
          {"variance_ratios", ratios}};
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

Json domain_count_json(const DomainCountRecord& record) {
  Json curve = Json::array();
  for (const cluster::DomainCountPoint& point : record.found.curve) {
    curve.push_back({{"domains", point.domains},
                     {"log_likelihood", point.log_likelihood},
                     {"criterion", point.criterion}});
  }
  return {{"domains", record.found.domains},
          {"range", {record.low, record.high}},
          {"independent_cells", record.found.independent_cells},
          {"curve", curve}};
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

}  // namespace

std::string manifest_text(const RunRecord& record, const std::vector<Setting>& settings,
                          const std::vector<std::string>& command) {
  Json manifest = manifest_head(to_string(record.job), command, record.started, record.finished);
  manifest["parameters"] = parameters_json(settings);
  manifest["inputs"] = inputs_json(record.inputs);
  manifest["data"] = {{"cells", record.cells}, {"features", record.features}};
  manifest["hardware"] = hardware_json(record.device, record.threads);
  if (!record.format.empty()) {
    manifest["expression"] = {
        {"format", record.format}, {"found", record.found}, {"skipped", record.skipped}};
  }
  if (record.prepare) manifest["preparation"] = prepare_json(*record.prepare, record.cells);
  if (record.graph) manifest["graph"] = graph_json(*record.graph);
  if (record.plan) {
    manifest["planned_training_bytes"] = record.plan->training_bytes;
    manifest["planned_peak_bytes"] = record.plan->peak_bytes;
    manifest["memory_mode"] = record.plan->recompute ? "low" : "fast";
  }
  if (record.train) manifest["training"] = train_json(*record.train);
  if (record.domain_count) manifest["domain_count"] = domain_count_json(*record.domain_count);
  if (record.cluster) {
    manifest["clustering"] = {{"method", record.cluster->method},
                              {"device", record.cluster->device},
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
    plan["memory"] = {{"device", record.plan->device},
                      {"mode", record.plan->recompute ? "low" : "fast"},
                      {"training_bytes", record.plan->training_bytes},
                      {"peak_bytes", record.plan->peak_bytes},
                      {"available_bytes", record.plan->available_bytes},
                      {"fits", record.plan->fits()}};
  }
  plan["parameters"] = parameters_json(settings);
  return dumped(plan);
}

std::string scores_text(const Scores& scores) { return dumped(scores_json(scores)); }

}  // namespace m2st::apps
