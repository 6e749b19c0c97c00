// Iterations one after the other, on whichever backend: on CUDA each is one launch of a graph.
#include "cluster/reduced_solver.h"

#include <deque>
#include <type_traits>
#include <utility>

#include "cluster/blocks.h"
#include "cluster/reduced_iteration.h"
#include "cluster/solver_memory.h"
#include "cluster/stacked_gram.h"
#include "engine/placement.h"
#include "engine/repeated_work.h"

namespace m2st::cluster {
namespace {

// How many option sets go through an iteration's steps together: on the CPU one by one, so that
// what one step leaves is still in cache for the next, and only the pass over the cells is shared.
template <class Backend>
std::size_t sets_in_step(std::size_t sets) {
  return std::is_same_v<Backend, CpuContext> ? 1 : sets;
}

// All option sets of a run, in groups that go in step.
template <class Backend, class T>
class Run {
 public:
  Run(Backend& backend, const std::vector<MatrixView<const T>>& swept,
      const std::vector<ReferenceOptions>& sets, const ReducedStart& start)
      : backend_(backend), swept_(swept), repeated_(backend) {
    const std::size_t step = sets_in_step<Backend>(sets.size());
    for (std::size_t first = 0; first < sets.size(); first += step) {
      const std::vector<ReferenceOptions> members(
          sets.begin() + static_cast<std::ptrdiff_t>(first),
          sets.begin() + static_cast<std::ptrdiff_t>(first + step));
      groups_.emplace_back(backend, members, start);
      for (std::size_t s = 0; s < step; ++s) {
        places_.push_back({groups_.size() - 1, static_cast<std::int64_t>(s)});
      }
    }
  }

  void step() {
    repeated_.run([this] {
      std::vector<kernels::SweptCells<T>> cells;
      for (ReducedIteration<Backend, T>& group : groups_) cells.push_back(group.before_sweep());
      kernels::sweep_cells<T>(backend_, swept_, cells);
      for (ReducedIteration<Backend, T>& group : groups_) group.after_sweep();
    });
  }

  const ReducedIteration<Backend, T>& group_of(std::size_t set) const {
    return groups_[places_[set].group];
  }
  std::int64_t member_of(std::size_t set) const { return places_[set].member; }

 private:
  struct Place {
    std::size_t group;
    std::int64_t member;
  };

  Backend& backend_;
  const std::vector<MatrixView<const T>>& swept_;
  RepeatedWork<Backend> repeated_;  // before what it works on: see there
  std::deque<ReducedIteration<Backend, T>> groups_;
  std::vector<Place> places_;
};

// What the host knows of the state from now on; S and H are left as they are.
void take(ReferenceState from, ReferenceState& to) {
  for (std::size_t m = 0; m < to.views.size(); ++m) {
    to.views[m].specific_map = std::move(from.views[m].specific_map);
    to.views[m].common_map = std::move(from.views[m].common_map);
    to.views[m].centres = std::move(from.views[m].centres);
  }
  to.common_centres = std::move(from.common_centres);
  to.labels = std::move(from.labels);
  to.weights = std::move(from.weights);
}

template <class Backend>
ObjectiveTerms solve_on(CpuContext& host, Backend& backend, const std::vector<Matrix<double>>& data,
                        const std::vector<MatrixView<const double>>& swept,
                        MatrixView<const double> gram, const ReferenceOptions& options,
                        ReferenceState& state, const IterationObserver& observer) {
  check_state(data, options, state);
  ObjectiveTerms terms;
  {
    const ReducedStart start(host, data, gram, options, state);
    Run<Backend, double> run(backend, swept, {options}, start);
    const auto& solver = run.group_of(0);
    for (int iteration = 1; iteration <= options.iterations; ++iteration) {
      run.step();
      if (!observer) continue;
      take(solver.state_of(host, 0), state);
      observer({iteration, state});
    }
    if (options.iterations > 0) {
      take(solver.state_of(host, 0), state);
      terms = solver.objective_of(host, 0, state);
    }
    state.common = transposed(host, solver.common_of(host, 0).view());
  }
  for (ReferenceView& view : state.views) view.specific.reset();
  return terms;
}

template <class Backend, class T>
std::vector<ReducedResult> solve_together_on(CpuContext& host, Backend& backend,
                                             const std::vector<MatrixView<const T>>& swept,
                                             const std::vector<ReferenceOptions>& sets,
                                             const ReducedStart& start) {
  if (sets.empty()) return {};
  Run<Backend, T> run(backend, swept, sets, start);
  const int iterations = sets.front().iterations;
  for (int iteration = 1; iteration <= iterations; ++iteration) run.step();
  std::vector<ReducedResult> results;
  for (std::size_t s = 0; s < sets.size(); ++s) {
    ReferenceState state = run.group_of(s).state_of(host, run.member_of(s));
    ObjectiveTerms terms;
    if (iterations > 0) terms = run.group_of(s).objective_of(host, run.member_of(s), state);
    results.push_back({std::move(state.labels), std::move(state.weights), terms});
  }
  return results;
}

// `context`: the host's, or one with a device.
template <class T, class AnyContext>
std::vector<ReducedResult> solve_from(CpuContext& host, AnyContext& context,
                                      const std::vector<Matrix<double>>& data,
                                      const std::vector<MatrixView<const T>>& swept,
                                      MatrixView<const double> gram,
                                      const std::vector<ReferenceOptions>& sets,
                                      const ReferenceState& start) {
  if (sets.empty()) return {};
  for (const ReferenceOptions& options : sets) check_state(data, options, start);
  const ReducedStart shared(host, data, gram, sets.front(), start);
  return solve_together<T>(context, swept, sets, shared);
}

SolverShape shape_of(const std::vector<Matrix<double>>& data, const ReferenceOptions& options) {
  SolverShape shape;
  shape.cells = data.front().rows();
  for (const Matrix<double>& view : data) shape.widths.push_back(view.cols());
  shape.specific_dim = options.specific_dim;
  shape.common_dim = options.common_dim > 0 ? options.common_dim : options.clusters;
  shape.clusters = options.clusters;
  return shape;
}

std::vector<MatrixView<const double>> views_of(const std::vector<Matrix<double>>& data) {
  std::vector<MatrixView<const double>> views;
  for (const Matrix<double>& view : data) views.push_back(view.view());
  return views;
}

// `context`: the host's, or one with a device.
template <class AnyContext>
ReferenceState clustering_on(CpuContext& host, AnyContext& context,
                             const std::vector<MatrixView<const float>>& embeddings,
                             const ReferenceOptions& options) {
  const std::vector<Matrix<double>> data =
      reference_data<float>(host, embeddings, options.scale_input);
  ReferenceState state = initial_state(host, data, options);
  solve_reduced(context, data, data_gram(host, data).view(), options, state, {});
  return state;
}

}  // namespace

ObjectiveTerms solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer) {
  return solve_on(context, context, data, views_of(data), gram, options, state, observer);
}

ObjectiveTerms solve_reduced(Context& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer) {
  const SolverShape shape = shape_of(data, options);
  check_room(context, "the reference method takes", cell_bytes(shape) + solver_bytes(shape, 1));
  Placement placement(context);
  std::vector<MatrixView<const double>> swept;
  for (const Matrix<double>& view : data) swept.push_back(placement.place(view.view()));
  return context.dispatch([&](auto& backend) {
    return solve_on(context.host(), backend, data, swept, gram, options, state, observer);
  });
}

template <class T>
std::vector<ReducedResult> solve_together(CpuContext& context,
                                          const std::vector<MatrixView<const T>>& swept,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReducedStart& start) {
  return solve_together_on<CpuContext, T>(context, context, swept, sets, start);
}

template <class T>
std::vector<ReducedResult> solve_together(Context& context,
                                          const std::vector<MatrixView<const T>>& swept,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReducedStart& start) {
  return context.dispatch([&]<class Backend>(Backend& backend) {
    return solve_together_on<Backend, T>(context.host(), backend, swept, sets, start);
  });
}

template <class T>
std::vector<ReducedResult> solve_together(CpuContext& context,
                                          const std::vector<Matrix<double>>& data,
                                          const std::vector<MatrixView<const T>>& swept,
                                          MatrixView<const double> gram,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReferenceState& start) {
  return solve_from<T>(context, context, data, swept, gram, sets, start);
}

template <class T>
std::vector<ReducedResult> solve_together(Context& context, const std::vector<Matrix<double>>& data,
                                          const std::vector<MatrixView<const T>>& swept,
                                          MatrixView<const double> gram,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReferenceState& start) {
  return solve_from<T>(context.host(), context, data, swept, gram, sets, start);
}

void solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                   const ReferenceOptions& options, ReferenceState& state,
                   const IterationObserver& observer) {
  solve_reduced(context, data, data_gram(context, data).view(), options, state, observer);
}

ReferenceState reference_clustering(CpuContext& context,
                                    const std::vector<MatrixView<const float>>& embeddings,
                                    const ReferenceOptions& options) {
  return clustering_on(context, context, embeddings, options);
}

ReferenceState reference_clustering(Context& context,
                                    const std::vector<MatrixView<const float>>& embeddings,
                                    const ReferenceOptions& options) {
  return clustering_on(context.host(), context, embeddings, options);
}

#define INSTANTIATE(T)                                                                            \
  template std::vector<ReducedResult> solve_together<T>(                                          \
      CpuContext&, const std::vector<MatrixView<const T>>&, const std::vector<ReferenceOptions>&, \
      const ReducedStart&);                                                                       \
  template std::vector<ReducedResult> solve_together<T>(                                          \
      Context&, const std::vector<MatrixView<const T>>&, const std::vector<ReferenceOptions>&,    \
      const ReducedStart&);                                                                       \
  template std::vector<ReducedResult> solve_together<T>(                                          \
      CpuContext&, const std::vector<Matrix<double>>&, const std::vector<MatrixView<const T>>&,   \
      MatrixView<const double>, const std::vector<ReferenceOptions>&, const ReferenceState&);     \
  template std::vector<ReducedResult> solve_together<T>(                                          \
      Context&, const std::vector<Matrix<double>>&, const std::vector<MatrixView<const T>>&,      \
      MatrixView<const double>, const std::vector<ReferenceOptions>&, const ReferenceState&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::cluster
