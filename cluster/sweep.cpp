// A batch of option sets is one task, inside which the kernels run on the task's own thread; fewer
// batches than threads go one after the other with all threads.
#include "cluster/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "cluster/domains.h"
#include "cluster/monotone_solver.h"
#include "cluster/reduced_solver.h"
#include "cluster/reference_algebra.h"
#include "cluster/solver_memory.h"
#include "cluster/stacked_gram.h"
#include "engine/check.h"
#include "engine/device_memory.h"
#include "engine/parallel.h"

namespace m2st::cluster {
namespace {

constexpr int kDimensions = 10;  // 10, 20, ..., 100
// Of the matrix product that serves a batch: enough for the cells to be packed once for many.
constexpr std::int64_t kColumnsOfBatch = 256;
constexpr std::int64_t kBytesOfBatch = 64 << 20;  // of H, its maps' scores and labels
constexpr std::int64_t kMostOnDevice = 64;  // option sets in step: blocks for most multiprocessors

// 10^first, ..., 10^last as the decimal numbers they are written as.
std::vector<double> decades(int first, int last) {
  std::vector<double> values;
  for (int power = first; power <= last; ++power) {
    values.push_back(std::stod("1e" + std::to_string(power)));
  }
  return values;
}

// Fails unless the embeddings hold at least K cells that differ.
void check_distinct(const SweepInput& input, int clusters) {
  const std::int64_t cells = input.embeddings.front().rows;
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < cells; ++i) {
    std::string bytes;
    for (const MatrixView<const float>& embedding : input.embeddings) {
      const Span<const float> row = embedding.row(i);
      bytes.append(reinterpret_cast<const char*>(row.data()), row.size_bytes());
    }
    seen.insert(std::move(bytes));
    if (static_cast<int>(seen.size()) >= clusters) return;
  }
  fail(ExitCode::kParameterImpossible, "sweep: ", clusters, " domains asked for, but only ",
       seen.size(), " of the ", cells, " cells differ; choose at most ", seen.size());
}

bool smaller_is_better(Criterion criterion) {
  return criterion == Criterion::kDaviesBouldin || criterion == Criterion::kPas ||
         criterion == Criterion::kObjective;
}

// What both solvers' options are called alike and mean alike.
template <class Options>
Options solver_options(const SweepOptions& sweep, const OptionSet& set) {
  Options options;
  options.clusters = sweep.clusters;
  options.iterations = sweep.iterations;
  options.lambda1 = set.lambda1;
  options.lambda2 = set.lambda2;
  options.lambda3 = set.lambda3;
  options.specific_dim = set.specific_dim;
  options.common_dim = sweep.common_dim;
  options.start = sweep.start;
  options.seed = sweep.seed;
  return options;
}

}  // namespace

SweepGrid paper_grid() {
  SweepGrid grid{decades(-5, 2), decades(-5, -1), decades(-5, 2), {}};
  for (int i = 1; i <= kDimensions; ++i) grid.specific_dim.push_back(10 * i);
  return grid;
}

std::vector<OptionSet> option_sets(const SweepGrid& grid) {
  std::vector<OptionSet> sets;
  for (const int specific_dim : grid.specific_dim) {
    for (const double lambda1 : grid.lambda1) {
      for (const double lambda2 : grid.lambda2) {
        for (const double lambda3 : grid.lambda3) {
          const OptionSet set{lambda1, lambda2, lambda3, specific_dim};
          if (std::find(sets.begin(), sets.end(), set) == sets.end()) sets.push_back(set);
        }
      }
    }
  }
  return sets;
}

Sweep::Sweep(CpuContext& context, const SweepInput& input, const SweepOptions& options,
             std::optional<ReferenceState> start)
    : context_(context),
      input_(input),
      options_(options),
      start_(std::make_unique<SharedStart>(std::move(start))) {
  M2ST_CHECK(!input.embeddings.empty(), "sweep: no embedding given");
  const std::int64_t cells = input.embeddings.front().rows;
  if (options.clusters < 1 || options.clusters > cells) {
    fail(ExitCode::kParameterImpossible, "sweep: ", options.clusters, " domains for ", cells,
         " cells; choose a number from 1 to ", cells);
  }
  check_distinct(input, options.clusters);
  data_ = reference_data<float>(context, input.embeddings, true);
  gram_ = data_gram(context, data_);
  if (input.coordinates.rows > 0) nearest_ = nearest_cells(context, input.coordinates);
  if (options.precision == SweepPrecision::kFloat) {
    for (const Matrix<double>& view : data_) {
      single_.emplace_back(context.pool(), view.rows(), view.cols());
      std::transform(view.span().begin(), view.span().end(), single_.back().span().begin(),
                     [](double value) { return static_cast<float>(value); });
    }
  }
  for (const Matrix<double>& view : data_) swept_.push_back(view.view());
  for (const Matrix<float>& view : single_) swept_single_.push_back(view.view());
  scored_ = input.embeddings.front();
}

Sweep::Sweep(Context& context, const SweepInput& input, const SweepOptions& options,
             std::optional<ReferenceState> start)
    : Sweep(context.host(), input, options, std::move(start)) {
  use_device(context);
}

void Sweep::use_device(Context& context) {
  if (context.on_host() || options_.solver != SweepSolver::kReference) return;
  const auto scored_bytes = static_cast<std::int64_t>(scored_.span().size_bytes());
  check_room(context, "the cells take", cell_bytes(shape_of(0)) + scored_bytes);
  device_ = &context;
  placed_.emplace(context);
  scored_ = placed_->place(scored_);
  if (single_.empty()) {
    for (MatrixView<const double>& view : swept_) view = placed_->place(view);
  } else {
    for (MatrixView<const float>& view : swept_single_) view = placed_->place(view);
  }
}

void Sweep::use_host() {
  device_ = nullptr;
  placed_.reset();
  scored_ = input_.embeddings.front();
  for (std::size_t m = 0; m < data_.size(); ++m) swept_[m] = data_[m].view();
  for (std::size_t m = 0; m < single_.size(); ++m) swept_single_[m] = single_[m].view();
}

SolverShape Sweep::shape_of(int specific_dim) const {
  SolverShape shape;
  shape.cells = cells();
  for (const Matrix<double>& view : data_) shape.widths.push_back(view.cols());
  shape.specific_dim = specific_dim;
  shape.common_dim = options_.common_dim > 0 ? options_.common_dim : options_.clusters;
  shape.clusters = options_.clusters;
  shape.scalar_bytes = single_.empty() ? sizeof(double) : sizeof(float);
  return shape;
}

// As many as the backend has memory for; on the host more would not help.
std::int64_t Sweep::sets_in_step(int specific_dim) const {
  const SolverShape shape = shape_of(specific_dim);
  const auto bytes = [&](std::int64_t sets) {
    return std::max(solver_bytes(shape, sets), score_bytes(shape, sets));
  };
  check_room(*device_, concat("one option set with specific dimension ", specific_dim, " takes"),
             bytes(1));
  const std::int64_t free = free_device_bytes(*device_);
  std::int64_t sets = kMostOnDevice;
  while (sets > 1 && bytes(sets) > free) sets /= 2;
  return sets;
}

std::int64_t Sweep::narrowest() const {
  std::int64_t width = data_.front().cols();
  for (const Matrix<double>& view : data_) width = std::min(width, view.cols());
  return width;
}

SweepSolution Sweep::solve(const OptionSet& set) const { return std::move(solve_batch({set})[0]); }

template <class T>
std::vector<SweepSolution> Sweep::solve_in_step(const std::vector<MatrixView<const T>>& swept,
                                                const std::vector<OptionSet>& sets) const {
  std::vector<ReferenceOptions> options;
  for (const OptionSet& set : sets) {
    options.push_back(solver_options<ReferenceOptions>(options_, set));
  }
  for (const ReferenceOptions& set : options) check_options(data_, set);
  const std::shared_ptr<const PreparedStart> start =
      start_->of(context_, data_, gram_.view(), options.front());
  std::vector<SweepSolution> solutions;
  for (ReducedResult& result :
       device_ != nullptr ? solve_together<T>(*device_, swept, options, start->reduced())
                          : solve_together<T>(context_, swept, options, start->reduced())) {
    solutions.push_back({largest_first(result.labels),
                         std::move(result.weights),
                         options_.iterations,
                         result.objective,
                         {}});
  }
  if (device_ != nullptr) score(solutions);
  return solutions;
}

void Sweep::score(std::vector<SweepSolution>& solutions) const {
  std::vector<std::int32_t> labels;
  for (const SweepSolution& solution : solutions) {
    labels.insert(labels.end(), solution.labels.begin(), solution.labels.end());
  }
  const std::vector<Separation> found = separations(
      *device_, scored_, {labels.data(), std::ssize(solutions), cells()}, options_.clusters);
  for (std::size_t i = 0; i < solutions.size(); ++i) solutions[i].separation = found[i];
}

std::vector<SweepSolution> Sweep::solve_batch(const std::vector<OptionSet>& sets) const {
  if (options_.solver == SweepSolver::kReference) {
    return single_.empty() ? solve_in_step<double>(swept_, sets)
                           : solve_in_step<float>(swept_single_, sets);
  }
  std::vector<SweepSolution> solutions;
  for (const OptionSet& set : sets) {
    const auto options = solver_options<MonotoneOptions>(options_, set);
    MonotoneResult result = solve_monotone(context_, data_, gram_.view(), options);
    solutions.push_back(
        {largest_first(result.labels), result.weights, result.iterations, result.objective, {}});
  }
  return solutions;
}

std::vector<SweepSolution> Sweep::solve_shrinking(const std::vector<OptionSet>& sets) const {
  try {
    return solve_batch(sets);
  } catch (const Error& error) {
    const bool can_shrink = device_ != nullptr && sets.size() > 1;
    if (error.code() != ExitCode::kOutOfMemory || !can_shrink) throw;
  }
  const auto middle = sets.begin() + std::ssize(sets) / 2;
  std::vector<SweepSolution> solutions = solve_shrinking({sets.begin(), middle});
  for (SweepSolution& solution : solve_shrinking({middle, sets.end()})) {
    solutions.push_back(std::move(solution));
  }
  return solutions;
}

SweepRow Sweep::row(const OptionSet& set, const SweepSolution& solution) const {
  const std::vector<std::int32_t>& labels = solution.labels;
  SweepRow row;
  row.options = set;
  row.sizes = cluster_sizes(labels, options_.clusters);
  row.iterations = solution.iterations;
  row.objective = solution.objective.total();
  const Separation measures =
      solution.separation ? *solution.separation : separation(context_, scored_, labels);
  row.silhouette = measures.silhouette_squared;
  row.davies_bouldin = measures.davies_bouldin;
  row.calinski_harabasz = measures.calinski_harabasz;
  row.pas = input_.coordinates.rows > 0 ? pas(nearest_, labels) : std::nan("");
  if (!input_.truth.empty()) row.agreement = agreement(labels, input_.truth);
  return row;
}

// Runs go in step when they start alike, and start alike when their S has the same shape. Monotone
// runs end when they have converged, each in its own time.
std::vector<std::vector<std::size_t>> Sweep::batches(const std::vector<OptionSet>& sets) const {
  const std::int64_t common = options_.common_dim > 0 ? options_.common_dim : options_.clusters;
  const std::int64_t rows = options_.clusters + common;
  const auto count = static_cast<std::int64_t>(sets.size());
  const std::int64_t on_host =
      options_.solver == SweepSolver::kMonotone
          ? 1
          : std::min({kColumnsOfBatch / rows,
                      kBytesOfBatch / (cells() * rows * static_cast<std::int64_t>(sizeof(double))),
                      chunk_count(count, context_.threads())});
  std::map<int, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < sets.size(); ++i) alike[sets[i].specific_dim].push_back(i);
  std::vector<std::vector<std::size_t>> result;
  for (const auto& [specific_dim, indices] : alike) {
    const std::int64_t most = device_ != nullptr ? sets_in_step(specific_dim) : on_host;
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (i % static_cast<std::size_t>(std::max<std::int64_t>(most, 1)) == 0) result.emplace_back();
      result.back().push_back(indices[i]);
    }
  }
  return result;
}

void Sweep::run(const std::vector<OptionSet>& sets, const RowObserver& done,
                const std::function<bool()>& stop) const {
  std::mutex mutex;
  const std::vector<std::vector<std::size_t>> tasks = batches(sets);
  const auto one = [&](std::int64_t task) {
    if (stop && stop()) return;
    const std::vector<std::size_t>& indices = tasks[static_cast<std::size_t>(task)];
    std::vector<OptionSet> members;
    for (const std::size_t index : indices) members.push_back(sets[index]);
    const std::vector<SweepSolution> solutions = solve_shrinking(members);
    std::vector<SweepRow> rows(members.size());
    parallel_for(context_, std::ssize(rows), 1, [&](std::int64_t begin, std::int64_t) {
      const auto i = static_cast<std::size_t>(begin);
      rows[i] = row(members[i], solutions[i]);
    });
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < rows.size(); ++i) done(indices[i], rows[i], solutions[i]);
  };
  const auto count = static_cast<std::int64_t>(tasks.size());
  // Threads serve the kernels inside each batch; a device takes one batch at a time.
  if (device_ != nullptr || count < context_.threads()) {
    for (std::int64_t i = 0; i < count; ++i) one(i);
    return;
  }
  parallel_for(context_, count, 1, [&](std::int64_t begin, std::int64_t) { one(begin); });
}

std::vector<std::string> criterion_names() {
  return {"truth", "silhouette", "davies_bouldin", "calinski_harabasz", "pas", "objective"};
}

double figure_of(const SweepRow& row, Criterion criterion) {
  switch (criterion) {
    case Criterion::kTruth:
      return row.agreement.cells > 0 ? row.agreement.ari : std::nan("");
    case Criterion::kSilhouette:
      return row.silhouette;
    case Criterion::kDaviesBouldin:
      return row.davies_bouldin;
    case Criterion::kCalinskiHarabasz:
      return row.calinski_harabasz;
    case Criterion::kPas:
      return row.pas;
    case Criterion::kObjective:
      return row.objective;
  }
  return std::nan("");
}

std::int64_t best_row(const std::vector<SweepRow>& rows, Criterion criterion) {
  std::int64_t best = -1;
  double most = 0;
  const double sign = smaller_is_better(criterion) ? -1 : 1;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double figure = sign * figure_of(rows[i], criterion);
    if (!rows[i].complete() || std::isnan(figure)) continue;
    if (best < 0 || figure > most) {
      best = static_cast<std::int64_t>(i);
      most = figure;
    }
  }
  return best;
}

}  // namespace m2st::cluster
