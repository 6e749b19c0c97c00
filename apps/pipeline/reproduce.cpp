// One set after the other: read, graph, and for every autoencoder four trainings and two sweeps.
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

// What the truth may choose among.
struct Autoencoder {
  std::uint64_t seed = 0;
  int epochs = 0;
};

std::vector<Autoencoder> autoencoders_of(const ReproduceOptions& options) {
  std::vector<Autoencoder> all;
  for (const std::string& text : options.epochs) {
    int epochs = 0;
    assign({"--epochs", "N", "", "", &epochs, {0}}, text);
    for (int i = 0; i < options.autoencoders; ++i) {
      all.push_back({options.seed + static_cast<std::uint64_t>(i), epochs});
    }
  }
  return all;
}

// Everything about one set; the record collects its inputs and warnings.
class SetRun {
 public:
  SetRun(Context& context, const ReproduceOptions& options, const ReproduceHooks& hooks,
         RunRecord& record, PublishedSet published, std::string folder,
         const std::vector<Autoencoder>& autoencoders)
      : context_(context),
        options_(options),
        hooks_(hooks),
        record_(record),
        data_(options.data + "/" + published.folder),
        folder_(std::move(folder)),
        autoencoders_(autoencoders) {
    report_.published = std::move(published);
  }

  SetReport run() {
    report_.absent = why_absent();
    if (!report_.absent.empty()) return std::move(report_);
    read();
    if (!report_.absent.empty()) return std::move(report_);
    for (const Autoencoder& autoencoder : autoencoders_) {
      by_kmeans(Variant::kM2st1, autoencoder);
      by_kmeans(Variant::kM2st2, autoencoder);
      whole(autoencoder);
      sweep(Variant::kM2st4, autoencoder, trained(Variant::kM2st4, autoencoder));
    }
    return std::move(report_);
  }

 private:
  CpuContext& host() { return context_.host(); }
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

  RunOptions options_of(Variant variant, const Autoencoder& autoencoder) const {
    RunOptions run;
    run.seed = autoencoder.seed;
    run.train.seed = autoencoder.seed;
    run.train.epochs = autoencoder.epochs;
    run.autoencoder.hidden = options_.hidden > 0 ? options_.hidden : report_.published.hidden;
    if (variant == Variant::kM2st1) run.autoencoder.scales = 1;
    if (variant == Variant::kM2st1 || variant == Variant::kM2st2) run.train.mask_rate = 0;
    if (variant == Variant::kM2st4) run.train.loss = model::LossKind::kMse;
    return run;
  }

  std::vector<Matrix<float>> trained(Variant variant, const Autoencoder& autoencoder) {
    note(fmt::format("{}: training{}", name_of(variant), told(autoencoder)));
    const RunOptions run = options_of(variant, autoencoder);
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

  // How the table tells autoencoders apart; nothing where there is one only.
  std::string told(const Autoencoder& autoencoder) const {
    if (autoencoders_.size() == 1) return "";
    return fmt::format(", seed {}, {} epochs", autoencoder.seed, autoencoder.epochs);
  }

  // Seconds are those of all that were tried.
  void keep_better(Reproduced& best, Reproduced result, const Autoencoder& autoencoder) const {
    result.seconds += best.seconds;
    result.options += told(autoencoder);
    const bool better =
        result.agreement && (!best.agreement || result.agreement->ari > best.agreement->ari);
    if (better) {
      best = std::move(result);
    } else {
      best.seconds = result.seconds;
    }
  }

  Reproduced clustered(const std::vector<Matrix<float>>& embeddings, cluster::Method method) {
    cluster::DomainOptions domain;
    domain.method = method;
    domain.domains = report_.domains;
    domain.seed = options_.seed;
    const Clock::time_point start = Clock::now();
    const cluster::DomainResult domains =
        find_domains(context_, false, dataset_, adjacency_, embeddings, domain, record_);
    return {cluster::agreement(domains.labels, dataset_.truth), domains.method,
            seconds_since(start)};
  }

  void by_kmeans(Variant variant, const Autoencoder& autoencoder) {
    const Clock::time_point start = Clock::now();
    Reproduced result = clustered(trained(variant, autoencoder), cluster::Method::kKMeans);
    result.seconds = seconds_since(start);
    keep_better(report_.variants[static_cast<std::size_t>(variant)], std::move(result),
                autoencoder);
  }

  // m2ST3 and m2ST share their embeddings.
  void whole(const Autoencoder& autoencoder) {
    const Clock::time_point start = Clock::now();
    const std::vector<Matrix<float>> embeddings = trained(Variant::kM2st, autoencoder);
    Reproduced kmeans = clustered(embeddings, cluster::Method::kKMeans);
    kmeans.seconds = seconds_since(start);
    keep_better(report_.variants[2], std::move(kmeans), autoencoder);
    const Reproduced by_silhouette = sweep(Variant::kM2st, autoencoder, embeddings);
    if (&autoencoder != autoencoders_.data()) return;
    report_.by_silhouette = by_silhouette;
    report_.by_default = clustered(embeddings, cluster::Method::kDefault);
  }

  // Files in, files out, so that a sweep that was stopped goes on. Gives the row that silhouette
  // chooses.
  Reproduced sweep(Variant variant, const Autoencoder& autoencoder,
                   const std::vector<Matrix<float>>& embeddings) {
    std::string folder = folder_ + "/" + name_of(variant);
    if (autoencoders_.size() > 1) {
      folder += fmt::format("/seed{}_epochs{}", autoencoder.seed, autoencoder.epochs);
    }
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
    job.sweep.precision = options_.precision;
    job.sweep.seed = options_.seed;
    job.choose = cluster::Criterion::kTruth;
    job.device = "cpu";  // like everything here
    job.threads = options_.threads;
    job.output = folder + "/sweep";
    job.force = true;
    note(fmt::format("{}: sweep{}", name_of(variant), told(autoencoder)));
    const Clock::time_point start = Clock::now();
    try {
      run_sweep(job, {}, {}, {{}, {}, hooks_.progress, hooks_.stop_signal});
    } catch (const Error& error) {
      if (error.code() != ExitCode::kNotConverged) throw;
    }
    const double seconds = seconds_since(start);
    const auto rows = read_sweep_csv(job.output + "/sweep.csv", true);
    keep_better(report_.variants[static_cast<std::size_t>(variant)],
                chosen(rows, cluster::Criterion::kTruth, seconds), autoencoder);
    return chosen(rows, cluster::Criterion::kSilhouette, seconds);
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
  const std::vector<Autoencoder>& autoencoders_;
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
  const std::vector<Autoencoder> autoencoders = autoencoders_of(options);
  RunRecord record;
  record.started = utc_now();
  Context context = cpu_context(options.threads);
  OutputFolder folder(options.output, options.force);
  std::vector<SetReport> reports;
  int ran = 0;
  for (const PublishedSet& set : wanted) {
    record.trace.begin(set.folder);
    reports.push_back(
        SetRun(context, options, hooks, record, set, folder.path(set.folder), autoencoders).run());
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
  manifest["hardware"] = hardware_json("cpu", context.host().threads());
  manifest["stages"] = stages_json(record.trace);
  manifest["warnings"] = record.warnings;
  manifest["outputs"] = outputs_json(folder.files());
  folder.write("manifest.json", dumped(manifest));
  folder.commit();
  if (hooks.note) hooks.note("write", fmt::format("{}", folder.path("reproduce.md")));
}

}  // namespace m2st::apps
