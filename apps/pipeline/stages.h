// The stages between reading and writing, each from values to values. Nodes are in Hilbert order
// inside training only; everything that goes in or comes out is in the order of the input.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/options.h"
#include "apps/pipeline/record.h"
#include "engine/context.h"
#include "model/trainer.h"

namespace m2st::apps {

// What --graph, --radius and --neighbors mean together: alone, a radius asks for the radius graph
// and a number of neighbours for kNN. Exit code 2 when they contradict each other or --adjacency.
data::SpatialGraphOptions resolved_graph(const data::SpatialGraphOptions& given, bool adjacency);

// A graph as it was built or given, and as training walks it: every edge both ways.
struct BuiltGraph {
  data::SpatialGraph built;
  data::Adjacency both_ways;  // where `built` is not symmetric

  const data::Adjacency& walked() const { return built.symmetric ? built.adjacency : both_ways; }
};

// The dataset's own adjacency when files gave one, else a graph built from its coordinates, section
// by section where it has several.
BuiltGraph build_graph(CpuContext& context, Dataset& dataset,
                       const data::SpatialGraphOptions& options, RunRecord& record);

// Whether no feature varies between cells (more than one cell, at least one feature).
bool all_cells_alike(CpuContext& context, MatrixView<const float> features);

// What training will take against what there is.
PlanRecord plan_memory(Context& context, const RunOptions& options, const Dataset& dataset,
                       const data::Adjacency& adjacency);
// The same in one sentence.
std::string plan_line(const PlanRecord& plan);

// One embedding a scale. `hooks` as the trainer's; its data_hash is filled in here.
std::vector<Matrix<float>> train(Context& context, const Dataset& dataset,
                                 const data::Adjacency& adjacency, const RunOptions& options,
                                 model::TrainHooks hooks, RunRecord& record);

// The number of domains for --domains auto.
int count_domains(CpuContext& context, const Dataset& dataset, const data::Adjacency& adjacency,
                  const std::vector<Matrix<float>>& embeddings, const RunOptions& options,
                  RunRecord& record);

// On the context's backend where the method works there, else on its host. or_host: where a device
// has no memory for it the host does it all, and a warning says so; otherwise exit code 6.
cluster::DomainResult find_domains(Context& context, bool or_host, const Dataset& dataset,
                                   const data::Adjacency& adjacency,
                                   const std::vector<Matrix<float>>& embeddings,
                                   const cluster::DomainOptions& options, RunRecord& record);

}  // namespace m2st::apps
