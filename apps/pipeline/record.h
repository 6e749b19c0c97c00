// What happened in a run: filled stage by stage, written as manifest.json, returned to the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/options.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/score.h"
#include "apps/pipeline/settings.h"
#include "cluster/domain_count.h"
#include "data/graph/sections.h"
#include "engine/trace.h"
#include "model/trainer.h"

namespace m2st::apps {

struct InputRecord {
  std::string role;
  std::string path;
  std::int64_t bytes = 0;
  std::string hash;
};

struct PrepareRecord {
  std::int64_t cells_read = 0;  // RunRecord::cells are left
  std::int64_t genes_read = 0;
  std::int64_t genes = 0;  // that the features rest on
  std::vector<std::string> steps;
  std::vector<double> variances;  // of the components
  double total_variance = 0;
};

struct GraphRecord {
  std::string kind;
  std::string semantics;  // "m2st" or "squidpy"; empty for a graph that was given
  double radius = 0;
  int neighbours = 0;
  std::int64_t edges = 0;
  double mean_degree = 0;
  std::int64_t isolated_nodes = 0;
  std::int64_t components = 0;               // 0: not counted
  std::vector<data::SectionGraph> sections;  // empty when there is one
};

struct TrainRecord {
  std::string end;  // "all epochs", "plateau", "from checkpoint"
  bool resumed = false;
  std::vector<double> losses;            // one an epoch
  std::vector<double> losses_per_scale;  // (epochs × scales)
  int scales = 0;
  std::int64_t parameters = 0;
};

struct ClusterRecord {
  std::string method;
  std::string device = "cpu";       // that the method's iterations ran on
  std::vector<std::int64_t> sizes;  // cells of each domain
};

struct DomainCountRecord {
  int low = 0, high = 0;  // as asked for
  cluster::DomainCount found;
};

struct PlanRecord {
  std::string device;  // whose memory it is about: "cpu" or "cuda:N"
  std::int64_t training_bytes = 0;
  std::int64_t peak_bytes = 0;  // of the process while it trains
  std::int64_t available_bytes = 0;
  bool recompute = false;  // what --memory came to
  bool fits() const { return training_bytes <= available_bytes; }
};

struct RunRecord {
  Job job = Job::kRun;
  std::string started;
  std::string finished;
  std::vector<InputRecord> inputs;
  std::int64_t cells = 0;
  std::int64_t features = 0;
  int threads = 0;
  std::string device = "cpu";  // that training ran on
  std::string format;          // of the file of expression, with what was found and left in it
  std::vector<std::string> found;
  std::vector<std::string> skipped;
  std::optional<PrepareRecord> prepare;
  std::optional<GraphRecord> graph;
  std::optional<PlanRecord> plan;
  std::optional<TrainRecord> train;
  std::optional<DomainCountRecord> domain_count;
  std::optional<ClusterRecord> cluster;
  std::optional<Scores> scores;
  std::vector<std::string> warnings;
  std::vector<OutputFile> outputs;
  Trace trace;
};

}  // namespace m2st::apps
