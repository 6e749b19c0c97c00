// The reference clustering in its direct form: every variable of eq. 12 held and updated in the
// order of the reference code. O(N d_s d) an iteration; reduced_solver.h gives the same labels
// faster. Nothing it does makes a NaN:
//  - all weights underflowing to 0 stand for equal weights;
//  - a system that is not positive definite is solved by LU, and by least squares of least norm
//    when it is singular to working precision (MATLAB's mldivide stops at LU);
//  - as in the reference code NaN becomes 0 and ±Inf ±1e5 in S, P, W and H; a zero row stays zero;
//  - an empty cluster keeps the centre that its step gives, and may win cells again.
#pragma once

#include <vector>

#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::cluster {

// options.iterations steps from `state`, in place. `observer` may be empty.
void solve_reference(CpuContext& context, const std::vector<Matrix<double>>& data,
                     const ReferenceOptions& options, ReferenceState& state,
                     const IterationObserver& observer);

}  // namespace m2st::cluster
