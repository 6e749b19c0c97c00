// Many option sets of eq. 12 on the same embeddings: D, its Gram matrix and the scored embedding
// are shared, and option sets that start alike go in step. A row depends on its option set alone,
// never on the grid, the order or the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/metrics/agreement.h"
#include "cluster/metrics/separation.h"
#include "cluster/metrics/spatial.h"
#include "cluster/objective.h"
#include "cluster/reference_state.h"
#include "cluster/shared_start.h"
#include "cluster/solver_memory.h"
#include "engine/array.h"
#include "engine/context.h"
#include "engine/cpu_context.h"
#include "engine/placement.h"
#include "engine/view.h"

namespace m2st::cluster {

enum class SweepSolver { kReference, kMonotone };

// Of the passes over the cells that the reference solver makes; small algebra is double always.
enum class SweepPrecision { kDouble, kFloat };

// λ₁ is β and λ₂ is 1/δ for both solvers; λ₃ is 2λ for the reference, λ (times N/K) for the other.
struct OptionSet {
  double lambda1 = 0;
  double lambda2 = 0;
  double lambda3 = 0;
  int specific_dim = 0;
  bool operator==(const OptionSet&) const = default;
};

struct SweepGrid {
  std::vector<double> lambda1, lambda2, lambda3;
  std::vector<int> specific_dim;
};

// 8 × 5 × 8 × 10 as the reference code searched; where the values come from: docs/clustering.md.
SweepGrid paper_grid();
// Every combination once; λ₃ varies fastest, then λ₂, λ₁, specific_dim.
std::vector<OptionSet> option_sets(const SweepGrid& grid);

struct SweepOptions {
  SweepSolver solver = SweepSolver::kReference;
  int clusters = 0;
  int iterations = 100;  // of the reference; at most, of the monotone solver
  int common_dim = 0;    // 0: K
  StartValues start = StartValues::kEngine;
  SweepPrecision precision = SweepPrecision::kDouble;
  std::uint64_t seed = 0;
};

struct SweepInput {
  std::vector<MatrixView<const float>> embeddings;  // (N, d_m), finite; the first one is scored
  MatrixView<const double> coordinates;             // (N, 2 or 3), or empty
  Span<const std::int32_t> truth;                   // (N), -1 unlabelled, or empty
};

struct SweepRow {
  OptionSet options;
  std::vector<std::int64_t> sizes;  // (K), largest first; 0 for clusters without cells
  int iterations = 0;
  double objective = 0;
  double silhouette = 0;  // squared Euclidean, of the first embedding
  double davies_bouldin = 0;
  double calinski_harabasz = 0;
  double pas = 0;       // NaN without coordinates
  Agreement agreement;  // cells is 0 without truth

  bool complete() const { return !sizes.empty() && sizes.back() > 0; }
};

struct SweepSolution {
  std::vector<std::int32_t> labels;  // 0..K-1, largest first
  std::vector<double> weights;       // α, of each view and last of H
  int iterations = 0;
  ObjectiveTerms objective;
  std::optional<Separation> separation;  // of the first embedding, where that was found on a device
};

class Sweep {
 public:
  // Exit code 5 when K is larger than the number of cells that differ. `start`, if given, replaces
  // the random start; option sets must then have its specific_dim.
  Sweep(CpuContext& context, const SweepInput& input, const SweepOptions& options,
        std::optional<ReferenceState> start);
  // The same on use_device.
  Sweep(Context& context, const SweepInput& input, const SweepOptions& options,
        std::optional<ReferenceState> start);

  // The reference solver iterates on the context's backend from now on and its labels are scored
  // there against the first embedding, the host doing all else.
  // Exit code 6 when a device has no memory for the cells; later, for one option set.
  void use_device(Context& context);
  // On the host again; the device's memory is given back.
  void use_host();

  std::int64_t cells() const { return data_.front().rows(); }
  std::int64_t narrowest() const;  // width of the narrowest embedding: caps d_s there

  SweepSolution solve(const OptionSet& set) const;
  // Rows of `sets` as they are done, in any order, one call at a time. `stop` is asked before each
  // batch of option sets; when it says so the rest is left undone.
  using RowObserver =
      std::function<void(std::size_t index, const SweepRow& row, const SweepSolution& solution)>;
  void run(const std::vector<OptionSet>& sets, const RowObserver& done,
           const std::function<bool()>& stop) const;

 private:
  SweepRow row(const OptionSet& set, const SweepSolution& solution) const;
  // Indices of option sets that are solved together.
  std::vector<std::vector<std::size_t>> batches(const std::vector<OptionSet>& sets) const;
  std::vector<SweepSolution> solve_batch(const std::vector<OptionSet>& sets) const;
  template <class T>
  std::vector<SweepSolution> solve_in_step(const std::vector<MatrixView<const T>>& swept,
                                           const std::vector<OptionSet>& sets) const;
  // The same in parts, where others have taken memory that the batch was cut for.
  std::vector<SweepSolution> solve_shrinking(const std::vector<OptionSet>& sets) const;
  SolverShape shape_of(int specific_dim) const;
  std::int64_t sets_in_step(int specific_dim) const;
  void score(std::vector<SweepSolution>& solutions) const;

  CpuContext& context_;
  Context* device_ = nullptr;  // where the reference solver iterates, if that is not the host
  SweepInput input_;
  SweepOptions options_;
  std::vector<Matrix<double>> data_;
  std::vector<Matrix<float>> single_;  // the same for passes in float, or nothing
  std::optional<Placement> placed_;
  std::vector<MatrixView<const double>> swept_;        // either of them where the iterations see it
  std::vector<MatrixView<const float>> swept_single_;  // in one precision only
  MatrixView<const float> scored_;                     // the first embedding where it is scored
  Matrix<double> gram_;
  NearestCells nearest_;
  std::unique_ptr<SharedStart> start_;
};

// What the best row is chosen by; only rows with K clusters that hold cells count.
enum class Criterion {
  kTruth,  // greatest ARI: the paper's protocol
  kSilhouette,
  kDaviesBouldin,
  kCalinskiHarabasz,
  kPas,
  kObjective,
};

// In the order of the enumeration: truth, silhouette, ...
std::vector<std::string> criterion_names();
// What the criterion looks at, as the table has it.
double figure_of(const SweepRow& row, Criterion criterion);
// Index of the best row, the first of equals; -1 when no row is complete and has the figure.
std::int64_t best_row(const std::vector<SweepRow>& rows, Criterion criterion);

}  // namespace m2st::cluster
