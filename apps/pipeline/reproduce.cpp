// One set after the other: read, graph, four trainings, two sweeps.
#include "apps/pipeline/reproduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <utility>

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/machine.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/score.h"
#include "apps/pipeline/stages.h"
#include "apps/pipeline/sweep_job.h"
#include "apps/pipeline/sweep_table.h"
#include "apps/report/manifest_parts.h"
#include "apps/report/reproduction.h"
#include "data/io/npy.h"
#include "data/io/output.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Everything about one set; the record collects its inputs and warnings.
class SetRun {
 public:
  SetRun(Context& context, const ReproduceOptions& options, const ReproduceHooks& hooks,
         RunRecord& record, PublishedSet published, std::string folder)
      : context_(context),
        options_(options),
        hooks_(hooks),
        record_(record),
        data_(options.data + "/" + published.folder),
        folder_(std::move(folder)) {
    report_.published = std::move(published);
  }

  SetReport run() {
    report_.absent = why_absent();
    if (!report_.absent.empty()) return std::move(report_);
    read();
    if (!report_.absent.empty()) return std::move(report_);
    by_kmeans(Variant::kM2st1);
    by_kmeans(Variant::kM2st2);
    whole();
    sweep(Variant::kM2st4, trained(Variant::kM2st4), report_.variants[3], nullptr);
    return std::move(report_);
  }

 private:
  CpuContext& host() { return host_of(context_); }
  std::string path(const std::string& name) const { return data_ + "/" + name; }

  std::string why_absent() const {
    if (!is_folder(data_)) return "there is no folder " + data_;
    for (const char* name : {"features.npy", "labels.txt"}) {
      if (!is_file(path(name))) return "there is no " + path(name);
    }
    const bool has_graph = is_file(path("graph_indptr.npy")) && is_file(path("graph_indices.npy"));
    if (!has_graph && !is_file(path("coords.npy"))) return "there is no " + path("coords.npy");
    return "";
  }

  void read() {
    InputFiles files;
    files.features = path("features.npy");
    files.labels = path("labels.txt");
    if (is_file(path("coords.npy"))) files.coordinates = path("coords.npy");
    if (is_file(path("graph_indptr.npy"))) files.adjacency = data_;
    dataset_ = read_dataset(host(), files, {}, record_.inputs);
    std::set<std::int32_t> kinds(dataset_.truth.begin(), dataset_.truth.end());
    kinds.erase(-1);
    report_.cells = dataset_.nodes;
    report_.domains = static_cast<int>(kinds.size());
    if (kinds.size() < 2) {
      report_.absent = path("labels.txt") + " has fewer than two kinds of labels";
      return;
    }
    adjacency_ = build_graph(host(), dataset_, {}, record_).walked();
    const std::string labels = path("published_labels.txt");
    if (!is_file(labels)) return;
    const auto published = data::label_codes(data::read_labels(host(), labels, "").labels);
    if (published.size() != dataset_.truth.size()) {
      fail(ExitCode::kInputInvalid, labels, ": ", published.size(), " labels for ", dataset_.nodes,
           " cells");
    }
    report_.published_labels_ari = cluster::agreement(published, dataset_.truth).ari;
  }

  void note(const std::string& message) const {
    if (hooks_.note) hooks_.note(report_.published.title, message);
  }

  RunOptions options_of(Variant variant) const {
    RunOptions run;
    run.seed = options_.seed;
    run.train.seed = options_.seed;
    run.train.epochs = options_.epochs;
    run.autoencoder.hidden = options_.hidden > 0 ? options_.hidden : report_.published.hidden;
    if (variant == Variant::kM2st1) run.autoencoder.scales = 1;
    if (variant == Variant::kM2st1 || variant == Variant::kM2st2) run.train.mask_rate = 0;
    if (variant == Variant::kM2st4) run.train.loss = model::LossKind::kMse;
    return run;
  }

  std::vector<Matrix<float>> trained(Variant variant) {
    note(fmt::format("{}: training", name_of(variant)));
    const RunOptions run = options_of(variant);
    model::validate(run.autoencoder, run.train, dataset_.nodes, dataset_.features.cols());
    model::TrainHooks hooks;
    int signal = 0;
    hooks.progress = [&](const model::EpochReport&) {
      signal = hooks_.stop_signal ? hooks_.stop_signal() : 0;
      return signal == 0;
    };
    std::vector<Matrix<float>> embeddings =
        train(context_, dataset_, adjacency_, run, hooks, record_);
    if (signal != 0) {
      fail(signal == SIGINT ? ExitCode::kInterrupted : ExitCode::kTerminated,
           "stopped by a signal while training ", name_of(variant), " on ", report_.published.title,
           "; finished sweeps are kept for the next run with --force");
    }
    return embeddings;
  }

  Reproduced clustered(const std::vector<Matrix<float>>& embeddings, cluster::Method method) {
    cluster::DomainOptions domain;
    domain.method = method;
    domain.domains = report_.domains;
    domain.seed = options_.seed;
    const Clock::time_point start = Clock::now();
    const cluster::DomainResult domains =
        find_domains(host(), dataset_, adjacency_, embeddings, domain, record_);
    return {cluster::agreement(domains.labels, dataset_.truth), domains.method,
            seconds_since(start)};
  }

  void by_kmeans(Variant variant) {
    const Clock::time_point start = Clock::now();
    const std::vector<Matrix<float>> embeddings = trained(variant);
    Reproduced& result = report_.variants[static_cast<std::size_t>(variant)];
    result = clustered(embeddings, cluster::Method::kKMeans);
    result.seconds = seconds_since(start);
  }

  // m2ST3 and m2ST share their embeddings.
  void whole() {
    const Clock::time_point start = Clock::now();
    const std::vector<Matrix<float>> embeddings = trained(Variant::kM2st);
    Reproduced& kmeans = report_.variants[2];
    kmeans = clustered(embeddings, cluster::Method::kKMeans);
    kmeans.seconds = seconds_since(start);
    report_.by_default = clustered(embeddings, cluster::Method::kDefault);
    sweep(Variant::kM2st, embeddings, report_.variants[4], &report_.by_silhouette);
  }

  // Files in, files out, so that a sweep that was stopped goes on.
  void sweep(Variant variant, const std::vector<Matrix<float>>& embeddings, Reproduced& by_truth,
             Reproduced* by_silhouette) {
    const std::string folder = folder_ + "/" + name_of(variant);
    fs::create_directories(folder);
    SweepJobOptions job;
    for (std::size_t m = 0; m < embeddings.size(); ++m) {
      job.embeddings.push_back(fmt::format("{}/embedding_scale{}.npy", folder, m + 1));
      data::write_whole(job.embeddings.back(), data::npy_bytes<float>(embeddings[m].view()));
    }
    job.truth = path("labels.txt");
    job.grid = options_.grid;
    job.sweep.clusters = report_.domains;
    job.sweep.iterations = options_.iterations;
    job.sweep.seed = options_.seed;
    job.choose = cluster::Criterion::kTruth;
    job.threads = options_.threads;
    job.output = folder + "/sweep";
    job.force = true;
    note(fmt::format("{}: sweep", name_of(variant)));
    const Clock::time_point start = Clock::now();
    try {
      run_sweep(job, {}, {}, {{}, {}, hooks_.progress, hooks_.stop_signal});
    } catch (const Error& error) {
      if (error.code() != ExitCode::kNotConverged) throw;
    }
    const double seconds = seconds_since(start);
    const auto rows = read_sweep_csv(job.output + "/sweep.csv", true);
    by_truth = chosen(rows, cluster::Criterion::kTruth, seconds);
    if (by_silhouette != nullptr) {
      *by_silhouette = chosen(rows, cluster::Criterion::kSilhouette, seconds);
    }
  }

  static Reproduced chosen(const std::vector<cluster::SweepRow>& rows, cluster::Criterion criterion,
                           double seconds) {
    const std::int64_t best = cluster::best_row(rows, criterion);
    if (best < 0) return {{}, "", seconds};
    const cluster::SweepRow& row = rows[static_cast<std::size_t>(best)];
    return {row.agreement,
            fmt::format("lambda {} {} {}, specific_dim {}", row.options.lambda1,
                        row.options.lambda2, row.options.lambda3, row.options.specific_dim),
            seconds};
  }

  Context& context_;
  const ReproduceOptions& options_;
  const ReproduceHooks& hooks_;
  RunRecord& record_;
  std::string data_, folder_;
  SetReport report_;
  Dataset dataset_;
  data::Adjacency adjacency_;
};

std::vector<std::string> unlabelled_lines(const std::string& data) {
  std::vector<std::string> lines;
  for (const std::string& name : published_unlabelled()) {
    const std::string folder = data + "/published_unlabeled/" + name;
    lines.push_back(name + (is_folder(folder)
                                ? ": published labels and options only, no features to start from"
                                : ": absent"));
  }
  return lines;
}

std::vector<PublishedSet> wanted_sets(const ReproduceOptions& options) {
  std::vector<PublishedSet> all = published_sets();
  if (options.sets.empty()) return all;
  std::vector<PublishedSet> wanted;
  for (const std::string& name : options.sets) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const PublishedSet& set) { return set.folder == name; });
    if (found == all.end()) {
      fail(ExitCode::kUsage, "--sets: '", name, "' is none of the paper's sets, such as ",
           all.front().folder);
    }
    wanted.push_back(*found);
  }
  return wanted;
}

}  // namespace

void run_reproduce(const ReproduceOptions& options, const std::vector<Setting>& settings,
                   const std::vector<std::string>& command, const ReproduceHooks& hooks) {
  if (!is_folder(options.data)) {
    fail(ExitCode::kInputMissing, "--data: there is no folder '", options.data, "'");
  }
  const std::vector<PublishedSet> wanted = wanted_sets(options);
  chosen_grid(options.grid);  // a bad grid is told before the first training
  RunRecord record;
  record.started = utc_now();
  Context context = cpu_context(options.threads);
  OutputFolder folder(options.output, options.force);
  std::vector<SetReport> reports;
  int ran = 0;
  for (const PublishedSet& set : wanted) {
    record.trace.begin(set.folder);
    reports.push_back(SetRun(context, options, hooks, record, set, folder.path(set.folder)).run());
    if (hooks.note && !reports.back().absent.empty()) {
      hooks.note(set.title, "absent: " + reports.back().absent);
    }
    ran += reports.back().absent.empty() ? 1 : 0;
  }
  record.trace.end();
  if (ran == 0) {
    fail(ExitCode::kInputMissing, options.data, ": holds none of the ", wanted.size(),
         " sets asked for; each is a folder such as ", wanted.front().folder,
         " with features.npy, coords.npy and labels.txt");
  }
  const std::vector<std::string> unlabelled = unlabelled_lines(options.data);
  folder.write("reproduce.md", reproduction_markdown(reports, unlabelled));
  folder.write("reproduce.json", dumped(reproduction_json(reports, unlabelled)));
  auto manifest = manifest_head("reproduce", command, record.started, utc_now());
  manifest["parameters"] = parameters_json(settings);
  manifest["inputs"] = inputs_json(record.inputs);
  manifest["hardware"] = hardware_json(host_of(context).threads());
  manifest["stages"] = stages_json(record.trace);
  manifest["warnings"] = record.warnings;
  manifest["outputs"] = outputs_json(folder.files());
  folder.write("manifest.json", dumped(manifest));
  folder.commit();
  if (hooks.note) hooks.note("write", fmt::format("{}", folder.path("reproduce.md")));
}

}  // namespace m2st::apps
