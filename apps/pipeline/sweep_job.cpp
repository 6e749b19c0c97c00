// Rows are put into sweep.csv while the sweep runs; what the rows depend on is in sweep_inputs.json
// beside it, and only a folder where that is the same is continued.
#include "apps/pipeline/sweep_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/device.h"
#include "apps/pipeline/machine.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/results.h"
#include "apps/pipeline/start_files.h"
#include "apps/pipeline/sweep_table.h"
#include "apps/report/manifest_parts.h"
#include "data/io/output.h"
#include "engine/check.h"
#include "engine/trace.h"
#include "engine/whole_file.h"
#include "m2st_version.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr double kSecondsBetweenWrites = 5;  // of sweep.csv while the sweep runs
constexpr const char* kTable = "sweep.csv";
constexpr const char* kInputs = "sweep_inputs.json";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

auto key_of(const cluster::OptionSet& set) {
  return std::tuple(set.specific_dim, set.lambda1, set.lambda2, set.lambda3);
}

Json terms_json(const cluster::ObjectiveTerms& terms) {
  return {{"reconstruction", terms.reconstruction},
          {"size", terms.size},
          {"maps", terms.maps},
          {"scatter", terms.scatter},
          {"orthogonality", terms.orthogonality},
          {"entropy", terms.entropy}};
}

class SweepJob {
 public:
  SweepJob(const SweepJobOptions& options, const SweepHooks& hooks)
      : options_(options),
        hooks_(hooks),
        device_(choose_device(options.device, options.threads)),
        started_(utc_now()) {
    if (!device_.warning.empty()) warn(device_.warning);
  }

  void run(const std::vector<Setting>& settings, const std::vector<std::string>& command) {
    trace_.begin("read");
    read();
    open_folder();
    trace_.begin("sweep");
    sweep();
    trace_.begin("write");
    write(settings, command);
  }

 private:
  void read();
  void check_options() const;
  void check_truth();
  cluster::SweepInput input() const;
  void read_start();
  void check_dimensions();
  Json dependencies() const;
  Json inputs_there() const;
  void open_folder();
  std::string backend_here();
  void add_backend();
  void keep_rows();
  void sweep();
  void solve_missing();
  void write_table() const;
  void compare(const cluster::SweepRow& row, const cluster::SweepSolution& solution);
  void report(std::int64_t done_now);
  std::vector<cluster::SweepRow> finished() const;
  void write(const std::vector<Setting>& settings, const std::vector<std::string>& command);
  Json chosen_json(std::int64_t best, const std::vector<cluster::SweepRow>& rows) const;

  CpuContext& host() { return device_.context.host(); }
  // The monotone solver works on the host alone.
  bool on_device() const { return options_.sweep.solver == cluster::SweepSolver::kReference; }

  // `work`, and once more on the host where --device auto has taken a device with too little memory
  // for it.
  template <class Work>
  auto or_on_host(const Work& work) {
    try {
      return work();
    } catch (const Error& error) {
      const bool can_change = is_automatic(options_.device) && !device_.context.on_host();
      if (error.code() != ExitCode::kOutOfMemory || !can_change) throw;
      const std::int64_t done = std::ssize(finished()) - kept_;
      warn(concat("--device auto: runs on the CPU",
                  done > 0 ? concat(" after ", done, " option sets on the device") : "", ": ",
                  error.what()));
    }
    sweep_->use_host();
    device_.context.drop_device();
    if (finished().empty()) backend_ = "";
    if (folder_) add_backend();
    return work();
  }

  void warn(const std::string& message) {
    warnings_.push_back(message);
    if (hooks_.warn) hooks_.warn(message);
  }
  void note(const std::string& stage, const std::string& message) const {
    if (hooks_.note) hooks_.note(stage, message);
  }

  SweepJobOptions options_;
  const SweepHooks& hooks_;
  ChosenDevice device_;
  std::string started_;
  Trace trace_;
  std::vector<InputRecord> inputs_;
  std::vector<std::string> warnings_;
  Dataset dataset_;
  std::vector<cluster::OptionSet> sets_;
  std::vector<std::optional<cluster::SweepRow>> rows_;  // by option set
  std::optional<cluster::ReferenceState> start_;
  std::optional<cluster::Sweep> sweep_;
  std::optional<OutputFolder> folder_;
  std::string backend_;  // of the folder's rows: cpu, cuda, or both
  struct Best {
    cluster::SweepRow row;
    cluster::SweepSolution solution;
  };
  std::optional<Best> best_;  // of this run's rows
  std::int64_t kept_ = 0;     // rows of an earlier sweep
  std::int64_t there_ = 0;    // when solving began
  Clock::time_point began_, written_;
};

void SweepJob::read() {
  sets_ = cluster::option_sets(chosen_grid(options_.grid));
  rows_.resize(sets_.size());
  InputFiles files;
  files.embeddings = options_.embeddings;
  files.labels = options_.truth;
  files.coordinates = options_.coordinates;
  dataset_ = read_dataset(host(), files, {}, inputs_);
  check_options();
  check_truth();
  read_start();
  sweep_.emplace(host(), input(), options_.sweep, std::move(start_));
  or_on_host([this] { sweep_->use_device(device_.context); });
  check_dimensions();
  note("read", fmt::format("{} cells, {} embeddings, {} option sets", dataset_.nodes,
                           dataset_.embeddings.size(), sets_.size()));
}

void SweepJob::check_options() const {
  using cluster::Criterion;
  const bool between_domains = options_.choose == Criterion::kSilhouette ||
                               options_.choose == Criterion::kDaviesBouldin ||
                               options_.choose == Criterion::kCalinskiHarabasz;
  if (options_.sweep.clusters == 1 && between_domains) {
    fail(ExitCode::kParameterImpossible,
         "--choose: one domain has no distance to others; give -k "
         "2 or more, or --choose objective");
  }
  if (options_.sweep.precision == cluster::SweepPrecision::kFloat &&
      options_.sweep.solver == cluster::SweepSolver::kMonotone) {
    fail(ExitCode::kUsage,
         "--precision float is for --solver reference; the monotone solver takes double only");
  }
  if (options_.choose == Criterion::kTruth && dataset_.truth.empty()) {
    fail(ExitCode::kUsage, "--choose truth needs --truth FILE; without it choose by silhouette");
  }
  if (options_.choose == Criterion::kPas && dataset_.coordinates.empty()) {
    fail(ExitCode::kUsage, "--choose pas needs --coords FILE");
  }
}

void SweepJob::check_truth() {
  using cluster::Criterion;
  std::set<std::int32_t> kinds(dataset_.truth.begin(), dataset_.truth.end());
  kinds.erase(-1);
  if (dataset_.truth.empty() || kinds.size() > 1) return;
  const std::string what = fmt::format("{}: {}; agreement with it says nothing", options_.truth,
                                       kinds.empty() ? "no cell has a label" : "one label only");
  if (options_.choose == Criterion::kTruth) fail(ExitCode::kInputInvalid, what);
  warn(what);
}

cluster::SweepInput SweepJob::input() const {
  cluster::SweepInput input;
  for (const Matrix<float>& embedding : dataset_.embeddings) {
    input.embeddings.push_back(embedding.view());
  }
  input.coordinates = dataset_.coordinates.view();
  input.truth = dataset_.truth;
  return input;
}

void SweepJob::read_start() {
  if (options_.start == "engine") return;
  if (options_.start == "historic") {
    options_.sweep.start = cluster::StartValues::kHistoric;
    return;
  }
  if (!std::filesystem::is_directory(options_.start)) {
    fail(ExitCode::kInputMissing, "--start: '", options_.start,
         "' is not a folder; give engine, historic or a folder with init.*.npy");
  }
  if (options_.sweep.solver == cluster::SweepSolver::kMonotone) {
    fail(ExitCode::kUsage, "--start: a folder is for --solver reference only");
  }
  std::vector<std::int64_t> widths;
  for (const Matrix<float>& embedding : dataset_.embeddings) widths.push_back(embedding.cols());
  start_ =
      apps::read_start(host(), options_.start, widths, dataset_.nodes, options_.sweep.clusters);
  options_.sweep.common_dim = static_cast<int>(start_->common.rows());
  for (std::size_t m = 0; m < widths.size(); ++m) {
    const std::int64_t has = start_->views[m].specific.rows();
    for (const cluster::OptionSet& set : sets_) {
      const std::int64_t need =
          std::min({static_cast<std::int64_t>(set.specific_dim), widths[m], dataset_.nodes});
      if (need != has) {
        fail(ExitCode::kParameterImpossible, options_.start, "/init.S", m, ".npy: ", has,
             " rows, but specific_dim ", set.specific_dim, " needs ", need,
             "; sweep one specific_dim with start values from files");
      }
    }
  }
}

void SweepJob::check_dimensions() {
  const std::int64_t narrowest = sweep_->narrowest();
  int most = 0;
  for (const cluster::OptionSet& set : sets_) most = std::max(most, set.specific_dim);
  if (most > narrowest) {
    warn(
        fmt::format("specific_dim {} is above the width {} of the narrowest embedding; it is "
                    "capped by each embedding's width",
                    most, narrowest));
  }
}

// Everything a row depends on besides its option set.
Json SweepJob::dependencies() const {
  Json json = {{"version", kVersion},
               {"inputs", inputs_json(inputs_)},
               {"solver", static_cast<int>(options_.sweep.solver)},
               {"precision", static_cast<int>(options_.sweep.precision)},
               {"domains", options_.sweep.clusters},
               {"iterations", options_.sweep.iterations},
               {"common_dim", options_.sweep.common_dim},
               {"seed", options_.sweep.seed},
               {"start", options_.start}};
  for (Json& input : json["inputs"]) input.erase("path");
  if (options_.start != "engine" && options_.start != "historic") {
    std::map<std::string, std::string> hashes;
    for (const auto& file : std::filesystem::directory_iterator(options_.start)) {
      const std::string name = file.path().filename();
      if (name.starts_with("init.")) hashes[name] = data::file_hash(file.path());
    }
    json["start"] = hashes;
  }
  return json;
}

// The inputs of the sweep that was in the folder; nothing where there is none that can be read.
Json SweepJob::inputs_there() const {
  const std::string path = options_.output + "/" + kInputs;
  if (!std::filesystem::is_regular_file(path)) return {};
  return Json::parse(read_whole_file(path, ExitCode::kInputMissing), nullptr, false);
}

void SweepJob::open_folder() {
  Json there = inputs_there();
  if (there.is_object()) {
    backend_ = there.value("backend", "");
    there.erase("backend");
  }
  const bool same = there == dependencies();
  if (!same && !options_.force && std::filesystem::exists(options_.output + "/" + kInputs)) {
    fail(
        ExitCode::kOutput, options_.output,
        ": holds a sweep of other inputs or options; use another folder, or --force to replace it");
  }
  folder_.emplace(options_.output, options_.force || same);
  if (same) keep_rows();
  if (!same) std::filesystem::remove(folder_->path(kTable));
  if (kept_ == 0) backend_ = "";
  if (kept_ == std::ssize(sets_)) return;
  if (!backend_.empty() && backend_ != backend_here()) {
    warn(concat("the rows that are kept were computed by ", backend_, ", those to come are by ",
                backend_here(),
                ": their last digits can differ from those of a sweep by one alone"));
  }
  add_backend();
}

std::string SweepJob::backend_here() {
  return on_device() && !device_.context.on_host() ? "cuda" : "cpu";
}

// Rows are the backend's that they are computed by: what the folder's are is kept beside them.
void SweepJob::add_backend() {
  const std::string here = backend_here();
  backend_ = backend_.empty() || backend_ == here ? here : "cpu and cuda";
  Json json = dependencies();
  json["backend"] = backend_;
  data::write_whole(folder_->path(kInputs), json.dump(2) + "\n");
}

void SweepJob::keep_rows() {
  if (!std::filesystem::exists(folder_->path(kTable))) return;
  std::map<decltype(key_of({})), std::size_t> index_of;
  for (std::size_t i = 0; i < sets_.size(); ++i) index_of[key_of(sets_[i])] = i;
  try {
    for (cluster::SweepRow& row : read_sweep_csv(folder_->path(kTable), !dataset_.truth.empty())) {
      const auto found = index_of.find(key_of(row.options));
      if (found == index_of.end() || rows_[found->second]) continue;
      rows_[found->second] = std::move(row);
      ++kept_;
    }
  } catch (const Error& error) {
    if (!options_.force) throw;
    warn(error.what());
  }
  note("sweep",
       fmt::format("{} of {} rows kept from {}", kept_, sets_.size(), folder_->path(kTable)));
}

void SweepJob::sweep() {
  or_on_host([this] { solve_missing(); });
}

void SweepJob::solve_missing() {
  std::vector<cluster::OptionSet> missing;
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    if (rows_[i]) continue;
    missing.push_back(sets_[i]);
    index.push_back(i);
  }
  there_ = std::ssize(sets_) - std::ssize(missing);
  began_ = written_ = Clock::now();
  std::int64_t done = 0;
  try {
    sweep_->run(
        missing,
        [&](std::size_t i, const cluster::SweepRow& row, const cluster::SweepSolution& solution) {
          rows_[index[i]] = row;
          compare(row, solution);
          report(++done);
        },
        [&] { return hooks_.stop_signal && hooks_.stop_signal() != 0; });
  } catch (const Error&) {
    if (done > 0) write_table();  // for the same command to continue
    throw;
  }
  if (done == static_cast<std::int64_t>(missing.size())) return;
  write_table();
  const bool interrupted = hooks_.stop_signal() == SIGINT;
  fail(interrupted ? ExitCode::kInterrupted : ExitCode::kTerminated, "stopped by ",
       interrupted ? "SIGINT" : "SIGTERM", " after ", there_ + done, " of ", sets_.size(),
       " option sets; run the same command again to continue");
}

// Keeps the labels of what will most likely be chosen, so that they need not be found again.
void SweepJob::compare(const cluster::SweepRow& row, const cluster::SweepSolution& solution) {
  std::vector<cluster::SweepRow> rows;
  if (best_) rows.push_back(best_->row);
  rows.push_back(row);
  const std::int64_t best = cluster::best_row(rows, options_.choose);
  if (best == static_cast<std::int64_t>(rows.size()) - 1) best_.emplace(Best{row, solution});
}

void SweepJob::report(std::int64_t done_now) {
  const auto total = static_cast<std::int64_t>(sets_.size());
  if (seconds_since(written_) > kSecondsBetweenWrites) {
    write_table();
    written_ = Clock::now();
  }
  if (!hooks_.progress) return;
  SweepProgress progress{there_ + done_now, total, 0, std::nan("")};
  progress.seconds_left = seconds_since(began_) / static_cast<double>(done_now) *
                          static_cast<double>(total - progress.done);
  if (best_) progress.best = cluster::figure_of(best_->row, options_.choose);
  hooks_.progress(progress);
}

std::vector<cluster::SweepRow> SweepJob::finished() const {
  std::vector<cluster::SweepRow> rows;
  for (const auto& row : rows_) {
    if (row) rows.push_back(*row);
  }
  return rows;
}

void SweepJob::write_table() const {
  data::write_whole(folder_->path(kTable), sweep_csv(finished(), !dataset_.truth.empty()));
}

Json SweepJob::chosen_json(std::int64_t best, const std::vector<cluster::SweepRow>& rows) const {
  const cluster::SweepRow& row = rows[static_cast<std::size_t>(best)];
  Json json = {{"by", cluster::criterion_names()[static_cast<std::size_t>(options_.choose)]},
               {"row", best},
               {"lambda1", row.options.lambda1},
               {"lambda2", row.options.lambda2},
               {"lambda3", row.options.lambda3},
               {"specific_dim", row.options.specific_dim},
               {"domain_sizes", row.sizes},
               {"objective", row.objective},
               {"silhouette", row.silhouette},
               {"davies_bouldin", row.davies_bouldin},
               {"calinski_harabasz", row.calinski_harabasz},
               {"pas", row.pas}};
  if (!dataset_.truth.empty()) {
    json["ari"] = row.agreement.ari;
    json["nmi"] = row.agreement.nmi_max;
    json["acc"] = row.agreement.accuracy;
    json["purity"] = row.agreement.purity;
  }
  return json;
}

void SweepJob::write(const std::vector<Setting>& settings,
                     const std::vector<std::string>& command) {
  const std::vector<cluster::SweepRow> rows = finished();
  const std::int64_t best = cluster::best_row(rows, options_.choose);
  if (best < 0) {
    write_table();
    fail(ExitCode::kNotConverged, "none of the ", rows.size(), " option sets kept all ",
         options_.sweep.clusters, " domains; every row is in ", folder_->path(kTable),
         "; try fewer domains or a smaller --lambda3");
  }
  cluster::DomainResult domains;
  const cluster::OptionSet& set = rows[static_cast<std::size_t>(best)].options;
  cluster::SweepSolution solution = best_ && best_->row.options == set
                                        ? std::move(best_->solution)
                                        : or_on_host([&] { return sweep_->solve(set); });
  domains.labels = std::move(solution.labels);
  folder_->write(kTable, sweep_csv(rows, !dataset_.truth.empty()));
  write_domains(*folder_, dataset_, domains);
  trace_.end();
  Json manifest = manifest_head("sweep", command, started_, utc_now());
  manifest["parameters"] = parameters_json(settings);
  manifest["inputs"] = inputs_json(inputs_);
  manifest["hardware"] =
      hardware_json(on_device() ? device_name(device_.context) : "cpu", host().threads());
  manifest["sweep"] = {{"option_sets", rows.size()},
                       {"kept_from_before", kept_},
                       {"complete", std::count_if(rows.begin(), rows.end(),
                                                  [](const auto& row) { return row.complete(); })}};
  manifest["chosen"] = chosen_json(best, rows);
  manifest["chosen"]["weights"] = solution.weights;
  manifest["chosen"]["objective_terms"] = terms_json(solution.objective);
  manifest["stages"] = stages_json(trace_);
  manifest["warnings"] = warnings_;
  manifest["outputs"] = outputs_json(folder_->files());
  folder_->write("manifest.json", dumped(manifest));
  folder_->commit();
  note("write", fmt::format("{} files in {}; chosen: row {} of {}", folder_->files().size(),
                            options_.output, best + 1, rows.size()));
}

}  // namespace

void run_sweep(const SweepJobOptions& options, const std::vector<Setting>& settings,
               const std::vector<std::string>& command, const SweepHooks& hooks) {
  SweepJob(options, hooks).run(settings, command);
}

}  // namespace m2st::apps
