// Thin steps over the floors below: convert orders, call, note what happened.
#include "apps/pipeline/stages.h"

#include <numeric>
#include <optional>
#include <utility>

#include "apps/pipeline/device.h"
#include "apps/pipeline/machine.h"
#include "data/graph/given_graph.h"
#include "data/graph/hilbert.h"
#include "data/graph/sections.h"
#include "data/io/output.h"
#include "engine/check.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"
#include "model/memory_plan.h"

namespace m2st::apps {

namespace {

template <class T>
std::string_view bytes_of(Span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// Of everything that training depends on besides its options.
std::string hash_of(MatrixView<const float> features, const data::Graph& graph) {
  return data::bytes_hash(data::bytes_hash(bytes_of(features.span())) +
                          data::bytes_hash(bytes_of(Span<const std::int64_t>(graph.offsets))) +
                          data::bytes_hash(bytes_of(Span<const std::int32_t>(graph.sources))) +
                          data::bytes_hash(bytes_of(Span<const std::int32_t>(graph.ids))));
}

std::vector<std::int32_t> inner_order(CpuContext& context, const Dataset& dataset) {
  if (!dataset.coordinates.empty()) {
    return data::hilbert_order(context, dataset.coordinates.view());
  }
  std::vector<std::int32_t> order(static_cast<std::size_t>(dataset.nodes));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<Matrix<float>> in_input_order(CpuContext& context, std::vector<Matrix<float>> inner,
                                          Span<const std::int32_t> order) {
  for (Matrix<float>& embedding : inner) {
    Matrix<float> outer(context.pool(), embedding.rows(), embedding.cols());
    kernels::scatter_rows<float>(context, order, embedding.view(), outer.view(),
                                 kernels::Accumulate::kOverwrite);
    embedding = std::move(outer);
  }
  return inner;
}

std::string to_string(model::TrainEnd end) {
  switch (end) {
    case model::TrainEnd::kAllEpochs:
      return "all epochs";
    case model::TrainEnd::kPlateau:
      return "plateau";
    case model::TrainEnd::kInterrupted:
      return "interrupted";
  }
  return "";
}

std::vector<MatrixView<const float>> views_of(const std::vector<Matrix<float>>& embeddings) {
  std::vector<MatrixView<const float>> views;
  for (const Matrix<float>& embedding : embeddings) views.push_back(embedding.view());
  return views;
}

model::PlanFor planned_for(Context& context) {
  if (context.on_host()) return model::PlanFor::kHost;
  return multiplies_by_library(context) ? model::PlanFor::kDeviceAndLibrary
                                        : model::PlanFor::kDevice;
}

CsrView graph_of(const data::Adjacency& adjacency) {
  return adjacency.offsets.empty() ? CsrView{} : adjacency.view();
}

}  // namespace

data::SpatialGraphOptions resolved_graph(const data::SpatialGraphOptions& given, bool adjacency) {
  data::SpatialGraphOptions options = given;
  const bool radius = options.radius != 0, neighbours = options.neighbours != 0;
  const bool shaped = options.rings != 1 || options.least_radius != 0 ||
                      options.semantics != data::GraphSemantics::kM2st ||
                      options.percentile != 100 || !data::has_plain_connectivities(options);
  if (adjacency && (radius || neighbours || shaped || options.kind != data::GraphKind::kAuto)) {
    fail(ExitCode::kUsage,
         "--adjacency gives the graph: leave out --graph and what shapes it (--radius, ",
         "--min-radius, --neighbors, --rings, --graph-semantics, --percentile, --transform, ",
         "--set-diag)");
  }
  if (radius && neighbours) {
    fail(ExitCode::kUsage, "--radius and --neighbors exclude each other: give one of them");
  }
  if (options.kind == data::GraphKind::kAuto) {
    if (radius) options.kind = data::GraphKind::kRadius;
    if (neighbours) options.kind = data::GraphKind::kKnn;
  }
  const data::GraphKind kind = options.kind;
  const bool counts = kind == data::GraphKind::kKnn || kind == data::GraphKind::kGrid;
  const bool measures = kind == data::GraphKind::kRadius || kind == data::GraphKind::kDelaunay;
  const auto refuse = [&](const char* option, const char* kinds) {
    fail(ExitCode::kUsage, "--graph ", data::to_string(kind), " takes no ", option, ": it goes ",
         "with ", kinds);
  };
  if (radius && !measures) refuse("--radius", "radius and delaunay");
  if (options.least_radius != 0 && !measures) refuse("--min-radius", "radius and delaunay");
  if (neighbours && !counts) refuse("--neighbors", "knn and grid");
  if (options.rings != 1 && kind != data::GraphKind::kGrid) refuse("--rings", "grid");
  const bool pruned = options.percentile != 100;
  if (pruned && !measures && kind != data::GraphKind::kKnn) {
    refuse("--percentile", "radius, knn and delaunay");
  }
  if ((pruned || !data::has_plain_connectivities(options)) &&
      options.semantics != data::GraphSemantics::kSquidpy) {
    fail(ExitCode::kUsage, "--percentile, --transform and --set-diag are squidpy's: give ",
         "--graph-semantics squidpy with them");
  }
  return options;
}

BuiltGraph build_graph(CpuContext& context, Dataset& dataset,
                       const data::SpatialGraphOptions& options, RunRecord& record) {
  GraphRecord& note = record.graph.emplace();
  BuiltGraph result;
  data::SpatialGraph& graph = result.built;
  if (dataset.has_adjacency()) {
    graph.adjacency = std::move(dataset.adjacency);
    data::count_degrees(graph);
    note.kind = "given";
  } else if (dataset.sections.empty()) {
    graph = data::build_spatial_graph(context, dataset.coordinates.view(), options);
  } else {
    data::SectionedGraph sectioned =
        data::build_sectioned_graph(context, dataset.coordinates.view(), dataset.sections, options);
    graph = std::move(sectioned.graph);
    note.sections = std::move(sectioned.sections);
  }
  if (!graph.symmetric) result.both_ways = data::symmetrised(context, graph.adjacency);
  if (note.kind.empty()) {
    note.kind = data::to_string(graph.kind);
    note.semantics = options.semantics == data::GraphSemantics::kSquidpy ? "squidpy" : "m2st";
  }
  note.radius = graph.radius;
  note.neighbours = graph.neighbours;
  note.isolated_nodes = graph.isolated_nodes;
  note.components = graph.components;
  note.edges = static_cast<std::int64_t>(graph.adjacency.neighbours.size());
  note.mean_degree = graph.mean_degree;
  record.warnings.insert(record.warnings.end(), graph.warnings.begin(), graph.warnings.end());
  return result;
}

bool all_cells_alike(CpuContext& context, MatrixView<const float> features) {
  if (features.rows < 2 || features.cols == 0) return false;
  std::vector<float> least(static_cast<std::size_t>(features.cols)), greatest(least.size());
  kernels::column_min_max<float>(context, features, least, greatest);
  return least == greatest;
}

PlanRecord plan_memory(Context& context, const RunOptions& options, const Dataset& dataset,
                       const data::Adjacency& adjacency) {
  const auto edges = static_cast<std::int64_t>(adjacency.neighbours.size());
  const auto training_bytes = [&](bool recompute) {
    model::TrainConfig train = options.train;
    train.recompute = recompute;
    return model::planned_training_bytes(
        {dataset.nodes, edges + dataset.nodes, dataset.features.cols()}, options.autoencoder, train,
        planned_for(context));
  };
  PlanRecord plan;
  plan.device = device_name(context);
  plan.available_bytes = available_bytes(context);
  // A device keeps all it has room for: its epochs run without the host only so.
  const std::int64_t roomy = context.on_host() ? kRoomyTraining : plan.available_bytes;
  plan.recompute = options.memory == MemoryUse::kLow ||
                   (options.memory == MemoryUse::kAuto && training_bytes(false) > roomy);
  plan.training_bytes = training_bytes(plan.recompute);
  // What is there by now, the features once more in the order they are walked in, and what does not
  // grow with the data: packed panels of products, stacks, libraries.
  constexpr std::int64_t kFixed = std::int64_t{4} << 20;
  plan.peak_bytes = peak_resident_bytes() + 4 * dataset.features.size() +
                    (context.on_host() ? plan.training_bytes : 0) + kFixed;
  return plan;
}

std::string plan_line(const PlanRecord& plan) {
  return concat("the plan: training needs about ", readable_bytes(plan.training_bytes), " on ",
                plan.device, " (--memory ", plan.recompute ? "low" : "fast", "), where ",
                readable_bytes(plan.available_bytes), " were free");
}

std::vector<Matrix<float>> train(Context& context, const Dataset& dataset,
                                 const data::Adjacency& adjacency, const RunOptions& options,
                                 model::TrainHooks hooks, RunRecord& record) {
  CpuContext& host = context.host();
  const std::vector<std::int32_t> order = inner_order(host, dataset);
  const data::Graph graph =
      data::reordered(host, data::graph_with_self_loops(host, adjacency), order);
  Matrix<float> features(host.pool(), dataset.features.rows(), dataset.features.cols());
  kernels::gather_rows<float>(host, order, dataset.features.view(), features.view());
  TrainRecord& note = record.train.emplace();
  if (!options.input.checkpoint.empty()) {
    note.end = "from checkpoint";
    return in_input_order(
        host,
        model::embed_from_checkpoint(context, graph, std::as_const(features).view(),
                                     options.input.checkpoint),
        order);
  }
  hooks.data_hash = hash_of(std::as_const(features).view(), graph);
  note.resumed = !hooks.resume_path.empty();
  model::TrainResult result = model::train_and_embed(context, graph, std::as_const(features).view(),
                                                     options.autoencoder, options.train, hooks);
  features.reset();
  note.end = to_string(result.end);
  note.losses = std::move(result.losses);
  note.losses_per_scale = std::move(result.losses_per_scale);
  note.scales = options.autoencoder.scales;
  note.parameters = result.parameters;
  return in_input_order(host, std::move(result.embeddings), order);
}

int count_domains(CpuContext& context, const Dataset& dataset, const data::Adjacency& adjacency,
                  const std::vector<Matrix<float>>& embeddings, const RunOptions& options,
                  RunRecord& record) {
  const cluster::DomainCountOptions& range = options.domain_count;
  DomainCountRecord& note = record.domain_count.emplace();
  note.low = range.least;
  note.high = range.most;
  note.found = cluster::find_domain_count(context, views_of(embeddings), dataset.features.view(),
                                          graph_of(adjacency), range);
  const int domains = note.found.domains;
  if (domains == range.most || (domains == range.least && range.least > 1)) {
    record.warnings.push_back(concat(domains, " domains are at the end of --k-range ", range.least,
                                     "-", range.most, "; a wider range may say otherwise"));
  }
  return domains;
}

cluster::DomainResult find_domains(Context& context, bool or_host, const Dataset& dataset,
                                   const data::Adjacency& adjacency,
                                   const std::vector<Matrix<float>>& embeddings,
                                   const cluster::DomainOptions& options, RunRecord& record) {
  const auto found_on = [&](auto& backend) {
    return cluster::find_domains(backend, views_of(embeddings), dataset.features.view(),
                                 graph_of(adjacency), options);
  };
  ClusterRecord& note = record.cluster.emplace();
  if (cluster::uses_device(options.method)) note.device = device_name(context);
  std::optional<cluster::DomainResult> found;
  try {
    found = found_on(context);
  } catch (const Error& error) {
    const bool on_device = cluster::uses_device(options.method) && !context.on_host();
    if (error.code() != ExitCode::kOutOfMemory || !on_device || !or_host) throw;
    record.warnings.push_back(concat("--device auto: clusters on the CPU: ", error.what()));
    note.device = "cpu";
  }
  cluster::DomainResult result = found ? std::move(*found) : found_on(context.host());
  note.method = result.method;
  note.sizes.assign(static_cast<std::size_t>(options.domains), 0);
  for (const std::int32_t label : result.labels) ++note.sizes[static_cast<std::size_t>(label)];
  record.warnings.insert(record.warnings.end(), result.warnings.begin(), result.warnings.end());
  return result;
}

}  // namespace m2st::apps
