// The order of the stages and what passes between them.
#include "apps/pipeline/pipeline.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "apps/pipeline/device.h"
#include "apps/pipeline/machine.h"
#include "apps/pipeline/prepare_stage.h"
#include "apps/pipeline/result_file.h"
#include "apps/pipeline/results.h"
#include "apps/pipeline/run_settings.h"
#include "apps/pipeline/stage_folders.h"
#include "apps/pipeline/stages.h"
#include "apps/report/manifest.h"
#include "engine/check.h"
#include "model/checkpoint.h"

namespace m2st::apps {

namespace {

bool trains(Job job) { return job == Job::kRun || job == Job::kEmbed; }
bool clusters(Job job) { return job == Job::kRun || job == Job::kCluster; }

// `auto` leaves devices alone that nothing would be done on.
std::string wanted_device(Job job, const RunOptions& options) {
  const bool host_alone =
      job == Job::kGraph || (job == Job::kCluster && !cluster::uses_device(options.cluster.method));
  return host_alone && is_automatic(options.device) ? "cpu" : options.device;
}

// What trained parameters were trained with takes the place of the options.
void take_options_of_checkpoint(RunOptions& options) {
  const std::string& path = options.input.checkpoint;
  if (path.empty()) return;
  const model::Options there = model::read_checkpoint(path).options;
  const std::string difference =
      model::first_contradiction(there, {options.autoencoder, options.train, {}});
  if (!difference.empty()) {
    fail(ExitCode::kCheckpoint, "--checkpoint: ", path, " was trained with other options (",
         difference, "); leave them out, it knows its own");
  }
  options.autoencoder = there.autoencoder;
  options.train = there.train;
}

[[noreturn]] void stop(int signal, const std::string& when) {
  const bool interrupted = signal == SIGINT;
  fail(interrupted ? ExitCode::kInterrupted : ExitCode::kTerminated, "stopped by ",
       interrupted ? "SIGINT " : "SIGTERM ", when);
}

// One run: its context, what it has read and made, and what to tell about it.
class Pipeline {
 public:
  Pipeline(Job job, const RunOptions& options, const RunHooks& hooks)
      : job_(job),
        options_(options),
        hooks_(hooks),
        device_(choose_device(wanted_device(job, options), options.threads)) {
    if (!device_.warning.empty()) record_.warnings.push_back(device_.warning);
    take_options_of_checkpoint(options_);
    if (trains(job)) choose_products();
    options_.input = files_of_stages(options.input);
    options_.train.seed = options.seed;
    options_.cluster.seed = options.seed;
    options_.domain_count.seed = options.seed;
    options_.graph = resolved_graph(options.graph, !options_.input.adjacency.empty());
    record_.job = job;
    record_.started = utc_now();
    record_.threads = host().threads();
    record_.device = device_name(context());
  }

  RunRecord run(const std::vector<std::string>& command) {
    check_in_place(options_);
    if (!options_.dry_run) folder_.emplace(options_.output, options_.force || options_.resume);
    read();
    if (job_ != Job::kGraph && dataset_.unprepared()) prepare();
    check();
    if (job_ != Job::kPrepare) graph();
    if (!options_.dry_run) {
      if (trains(job_)) train();
      if (clusters(job_)) cluster();
      write(command);
    }
    record_.trace.end();
    return std::move(record_);
  }

 private:
  Context& context() { return device_.context; }
  CpuContext& host() { return context().host(); }
  void choose_products() {
    const std::string warning =
        use_matmul_library(context(), options_.matmul_library, options_.train.matmul_precision);
    if (!warning.empty()) record_.warnings.push_back(warning);
  }

  void begin(const std::string& stage) {
    if (const int signal = hooks_.stop_signal ? hooks_.stop_signal() : 0; signal != 0) {
      stop(signal, "before the stage '" + stage + "'; no results were written" +
                       (record_.train ? ", --resume continues after training" : ""));
    }
    record_.trace.begin(stage);
  }
  void note(const std::string& stage, const std::string& message) {
    if (hooks_.note) hooks_.note(stage, message);
    tell_warnings();
  }
  void tell_warnings() {
    for (; warned_ < record_.warnings.size(); ++warned_) {
      if (hooks_.warn) hooks_.warn(record_.warnings[warned_]);
    }
  }

  void read();
  void prepare();
  void check();
  void graph();
  void plan();
  void train();
  void tell_training();
  std::vector<Matrix<float>> embed_by_checkpoint();
  std::vector<Matrix<float>> train_on_device(const model::TrainHooks& hooks);
  void count_domains();
  void cluster();
  void write(const std::vector<std::string>& command);
  std::string checkpoint_path() { return folder_->path("checkpoint") + "/training.m2st"; }

  Job job_;
  RunOptions options_;
  const RunHooks& hooks_;
  ChosenDevice device_;
  RunRecord record_;
  std::optional<OutputFolder> folder_;
  Dataset dataset_;
  BuiltGraph graph_;
  std::vector<Matrix<float>> embeddings_;
  cluster::DomainResult domains_;
  std::size_t warned_ = 0;
};

void Pipeline::read() {
  begin("read");
  const InputFiles& input = options_.input;
  if (trains(job_) && input.features.empty() && input.expression.empty()) {
    fail(ExitCode::kUsage, "INPUT or --features is required: domains are found from expression");
  }
  if (job_ == Job::kPrepare && input.expression.empty()) {
    fail(ExitCode::kUsage, "INPUT or --counts is required: there is nothing to prepare");
  }
  const bool placed = !input.coordinates.empty() || !input.adjacency.empty();
  if ((trains(job_) || job_ == Job::kGraph) && input.expression.empty() && !placed) {
    fail(ExitCode::kUsage, job_ == Job::kGraph ? "INPUT or --coords" : "--coords or --adjacency",
         " is required: cells need neighbours");
  }
  dataset_ = read_dataset(host(), input, options_.read, record_.inputs);
  const data::Expression& expression = dataset_.expression;
  record_.format = expression.format;
  record_.found = expression.found;
  record_.skipped = expression.skipped;
  record_.warnings.insert(record_.warnings.end(), dataset_.warnings.begin(),
                          dataset_.warnings.end());
  if (!expression.format.empty()) note("read", expression.format);
  for (const std::string& line : expression.found) note("read", line);
  note("read",
       fmt::format("{} cells, {} {}", dataset_.nodes,
                   dataset_.unprepared() ? expression.values.columns : dataset_.features.cols(),
                   dataset_.unprepared() ? "genes" : "features"));
}

void Pipeline::prepare() {
  begin("prepare");
  prepare_features(host(), {&context(), is_automatic(options_.device)}, dataset_, options_.prepare,
                   record_);
  if (!trains(job_) && !dataset_.prepared->by_device) record_.device = "cpu";
  for (const std::string& line : record_.prepare->steps) note("prepare", line);
}

// What later stages need of the data, before they take their time.
void Pipeline::check() {
  record_.cells = dataset_.nodes;
  record_.features = dataset_.features.cols();
  if (job_ == Job::kPrepare && !dataset_.prepared) {
    fail(ExitCode::kUsage, options_.input.expression,
         ": --use-rep gives features already; there is nothing to prepare");
  }
  if (trains(job_) && dataset_.coordinates.empty() && !dataset_.has_adjacency()) {
    fail(ExitCode::kInputInvalid, options_.input.expression,
         ": holds no positions, and cells need neighbours; give --coords FILE or --use-graph");
  }
  if (job_ == Job::kGraph && dataset_.coordinates.empty()) {
    fail(ExitCode::kInputInvalid, options_.input.expression,
         ": holds no positions to make a graph of; give --coords FILE");
  }
  if (clusters(job_) && !options_.automatic_domains &&
      (options_.cluster.domains < 1 || options_.cluster.domains > dataset_.nodes)) {
    fail(ExitCode::kParameterImpossible, "--domains: ", options_.cluster.domains,
         " domains cannot be made of ", dataset_.nodes, " cells; give 1 to ", dataset_.nodes);
  }
  if (trains(job_)) {
    model::validate(options_.autoencoder, options_.train, dataset_.nodes, record_.features);
  }
  if (all_cells_alike(host(), dataset_.features.view())) {
    record_.warnings.push_back(
        "input: all cells have the same features; what is found rests on their places alone");
  }
}

void Pipeline::graph() {
  if (dataset_.coordinates.empty() && !dataset_.has_adjacency()) return;
  begin("graph");
  graph_ = build_graph(host(), dataset_, options_.graph, record_);
  const GraphRecord& graph = *record_.graph;
  note("graph", fmt::format("{}, mean degree {:.2f}, {} cells without neighbours", graph.kind,
                            graph.mean_degree, graph.isolated_nodes));
  if (trains(job_) && options_.input.checkpoint.empty()) plan();
}

void Pipeline::plan() {
  const auto planned = [this] {
    return plan_memory(context(), options_, dataset_, graph_.walked());
  };
  record_.plan = planned();
  if (!record_.plan->fits() && !context().on_host() && is_automatic(options_.device)) {
    record_.warnings.push_back(
        concat("--device auto: runs on the CPU: ", plan_line(*record_.plan)));
    device_.context.drop_device();
    record_.device = device_name(context());
    record_.plan = planned();
    tell_warnings();
  }
  options_.train.recompute = record_.plan->recompute;
  if (!record_.plan->fits() && !options_.dry_run) {
    fail(ExitCode::kOutOfMemory, "training does not fit: ", plan_line(*record_.plan),
         "; use a smaller --hidden, fewer --scales or fewer neighbours",
         context().on_host() ? "" : ", or --device cpu");
  }
}

// Small beside training, and any backend may do it: nothing is planned.
std::vector<Matrix<float>> Pipeline::embed_by_checkpoint() {
  const auto embed = [this] {
    return apps::train(context(), dataset_, graph_.walked(), options_, {}, record_);
  };
  try {
    return embed();
  } catch (const Error& error) {
    const bool can_change = is_automatic(options_.device) && !context().on_host();
    if (error.code() != ExitCode::kOutOfMemory || !can_change) throw;
    record_.warnings.push_back(concat("--device auto: runs on the CPU: ", error.what()));
  }
  device_.context.drop_device();
  record_.device = device_name(context());
  tell_warnings();
  return embed();
}

std::vector<Matrix<float>> Pipeline::train_on_device(const model::TrainHooks& hooks) {
  try {
    return apps::train(context(), dataset_, graph_.walked(), options_, hooks, record_);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kOutOfMemory) throw;
    fail(ExitCode::kOutOfMemory, "memory ran out while training: ", error.what(), "; ",
         plan_line(*record_.plan), "; others may use it too: try again, or --memory low",
         context().on_host() ? "" : ", or --device cpu");
  }
}

void Pipeline::train() {
  begin("train");
  if (!options_.input.checkpoint.empty()) {
    embeddings_ = embed_by_checkpoint();
    tell_training();
    return;
  }
  folder_->make_folder("checkpoint");
  model::TrainHooks hooks;
  hooks.checkpoint_path = checkpoint_path();
  if (options_.resume) {
    if (!std::filesystem::exists(checkpoint_path())) {
      fail(ExitCode::kCheckpoint, "--resume: ", checkpoint_path(),
           " does not exist; run without --resume (with --force, as the folder is there) to start "
           "afresh");
    }
    hooks.resume_path = checkpoint_path();
  }
  int signal = 0;
  int epoch = 0;
  hooks.progress = [&](const model::EpochReport& report) {
    if (hooks_.epoch) hooks_.epoch(report);
    epoch = report.epoch;
    signal = hooks_.stop_signal ? hooks_.stop_signal() : 0;
    return signal == 0;
  };
  embeddings_ = train_on_device(hooks);
  if (embeddings_.empty()) {
    stop(signal, fmt::format("after epoch {} of {}; the checkpoint is {}; run the same command "
                             "with --resume to continue",
                             epoch, options_.train.epochs, checkpoint_path()));
  }
  tell_training();
}

void Pipeline::tell_training() {
  const TrainRecord& train = *record_.train;
  note("train", train.losses.empty() ? fmt::format("{} scales, {}", embeddings_.size(), train.end)
                                     : fmt::format("{} epochs, loss {:.6f}", train.losses.size(),
                                                   train.losses.back()));
}

void Pipeline::count_domains() {
  begin("count");
  options_.cluster.domains =
      apps::count_domains(host(), dataset_, graph_.walked(), embeddings_, options_, record_);
  note("count", fmt::format("{} domains, of {} to {}", options_.cluster.domains,
                            options_.domain_count.least, options_.domain_count.most));
}

void Pipeline::cluster() {
  if (job_ == Job::kCluster) embeddings_ = std::move(dataset_.embeddings);
  if (options_.automatic_domains) count_domains();
  begin("cluster");
  domains_ = apps::find_domains(context(), is_automatic(options_.device), dataset_, graph_.walked(),
                                embeddings_, options_.cluster, record_);
  if (!trains(job_)) record_.device = record_.cluster->device;
  note("cluster", fmt::format("{} domains by {}", options_.cluster.domains, domains_.method));
  if (dataset_.truth.empty()) return;
  begin("score");
  record_.scores = score(host(), domains_.labels, dataset_.truth, dataset_.coordinates.view(), {});
  note("score", fmt::format("ARI {:.4f}, NMI {:.4f}", record_.scores->agreement->ari,
                            record_.scores->agreement->nmi_arithmetic));
}

void Pipeline::write(const std::vector<std::string>& command) {
  begin("write");
  if (job_ == Job::kPrepare) write_prepared(*folder_, dataset_);
  if (job_ == Job::kGraph) {
    write_graph(host(), *folder_, graph_.built, options_.graph, dataset_.coordinates.view());
  }
  if (trains(job_)) write_embeddings(*folder_, embeddings_);
  if (clusters(job_)) write_domains(*folder_, dataset_, domains_);
  if (record_.domain_count) {
    folder_->write("domain_counts.csv", domain_counts_csv(record_.domain_count->found));
  }
  if (job_ == Job::kRun && (options_.result_h5ad || options_.in_place)) {
    write_result_file(host(), *folder_, options_, dataset_, graph_, embeddings_, domains_, record_);
  }
  record_.outputs = folder_->files();
  record_.trace.end();
  record_.finished = utc_now();
  folder_->write("manifest.json", manifest_text(record_, run_settings(job_, options_), command));
  folder_->commit();
  note("write", fmt::format("{} files in {}", folder_->files().size(), options_.output));
}

}  // namespace

RunRecord run(Job job, const RunOptions& options, const std::vector<std::string>& command,
              const RunHooks& hooks) {
  return Pipeline(job, options, hooks).run(command);
}

}  // namespace m2st::apps
