// The reference clustering with one pass over the cells per iteration. Every S and H is a linear
// map of z = [D; H before; U before], so all products that eq. 12's updates ask for follow from the
// Gram matrix of z by small algebra in double; only labels, the new H and sums by label need the
// cells. Labels are those of the direct form (reference_solver.h), its oracle, wherever no tie is
// closer than rounding.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/objective.h"
#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/context.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// options.iterations steps from `state`, in place. S is used for the first weights only and is not
// carried along: it is empty afterwards. The observer sees current labels, weights, maps and
// centres; H is current again after the last step.
void solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                   const ReferenceOptions& options, ReferenceState& state,
                   const IterationObserver& observer);

// The same with the Gram matrix of `data` given (stacked_gram.h). Returns the value of eq. 12 after
// the last step (β = λ₁, λ = λ₃/2, δ = 1/λ₂, or no entropy term for λ₂ = 0); all 0 without a step.
// With a Context the iterations run on its backend, from start values made on the host and without
// asking it: only an observer has what it sees copied back. data, gram and state are the host's.
ObjectiveTerms solve_reduced(CpuContext& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer);
ObjectiveTerms solve_reduced(Context& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             ReferenceState& state, const IterationObserver& observer);

struct ReducedStart;

struct ReducedResult {
  std::vector<std::int32_t> labels;
  std::vector<double> weights;
  ObjectiveTerms objective;
};

// Many option sets from one start, in step, so that each pass over the cells serves them all; they
// differ in λ₁, λ₂ and λ₃ only. `swept`: the data in the precision of that pass, double or float,
// where the backend's kernels see it; everything else is double. What one set gives does not depend
// on the others: in double it is what solve_reduced gives.
template <class T>
std::vector<ReducedResult> solve_together(CpuContext& context,
                                          const std::vector<Matrix<double>>& data,
                                          const std::vector<MatrixView<const T>>& swept,
                                          MatrixView<const double> gram,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReferenceState& start);
template <class T>
std::vector<ReducedResult> solve_together(Context& context, const std::vector<Matrix<double>>& data,
                                          const std::vector<MatrixView<const T>>& swept,
                                          MatrixView<const double> gram,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReferenceState& start);

// The same with the start prepared (reduced_iteration.h), for all that begin alike; options and
// start are taken as checked.
template <class T>
std::vector<ReducedResult> solve_together(CpuContext& context,
                                          const std::vector<MatrixView<const T>>& swept,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReducedStart& start);
template <class T>
std::vector<ReducedResult> solve_together(Context& context,
                                          const std::vector<MatrixView<const T>>& swept,
                                          const std::vector<ReferenceOptions>& sets,
                                          const ReducedStart& start);

// From embeddings (N, d_m), finite, to labels 0..K-1 and weights, by the reduced form.
ReferenceState reference_clustering(CpuContext& context,
                                    const std::vector<MatrixView<const float>>& embeddings,
                                    const ReferenceOptions& options);
ReferenceState reference_clustering(Context& context,
                                    const std::vector<MatrixView<const float>>& embeddings,
                                    const ReferenceOptions& options);

}  // namespace m2st::cluster
