// What tests of the reference clustering's solvers keep of a run, and start another one from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cluster/reduced_solver.h"
#include "cluster/reference_state.h"

namespace m2st::cluster::test {

struct History {
  std::vector<std::vector<std::int32_t>> labels;
  std::vector<std::vector<double>> weights;

  IterationObserver observer() {
    return [this](const IterationState& now) {
      labels.push_back(now.state.labels);
      weights.push_back(now.state.weights);
    };
  }
};

inline Matrix<double> copy_of(CpuContext& context, const Matrix<double>& x) {
  Matrix<double> copy(context.pool(), x.rows(), x.cols());
  std::copy(x.span().begin(), x.span().end(), copy.span().begin());
  return copy;
}

inline ReferenceState copy_of(CpuContext& context, const ReferenceState& state) {
  ReferenceState copy;
  for (const ReferenceView& view : state.views) {
    copy.views.push_back({copy_of(context, view.specific), copy_of(context, view.specific_map),
                          copy_of(context, view.common_map), copy_of(context, view.centres)});
  }
  copy.common = copy_of(context, state.common);
  copy.common_centres = copy_of(context, state.common_centres);
  copy.labels = state.labels;
  copy.weights = state.weights;
  return copy;
}

}  // namespace m2st::cluster::test
